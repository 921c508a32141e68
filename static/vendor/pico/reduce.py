"""Writes static/vendor/pico/pico.css: Pico's rules that can match one of our elements.

Usage: npm pack @picocss/pico@2.1.1 && tar xzf picocss-pico-2.1.1.tgz
       python static/vendor/pico/reduce.py package/css/pico.css

A rule stays unless its selector needs something that no page of ours has. A variable stays if a
remaining rule reads it. Root variables that static/css/tokens.css sets are left out. Pico's icons
become `none`: they are data: addresses, which our policy refuses.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TOKENS = ROOT / "static/css/tokens.css"
HEAD = """/*!
 * Pico CSS v2.1.1 (https://picocss.com), Copyright 2019-2025, MIT licence: see LICENSE.md.
 * Reduced to what our pages use. Written by reduce.py; do not edit.
 */
"""

ELEMENTS = (
    *("abbr", "area", "audio", "blockquote", "canvas", "figcaption", "figure", "h5", "h6"),
    *("hgroup", "iframe", "ins", "kbd", "mark", "optgroup", "pre", "progress", "samp", "sub"),
    *("sup", "tfoot", "video"),
)
ATTRIBUTES = (
    *("aria-controls", "aria-hidden=false", "aria-invalid=false", "aria-label=breadcrumb"),
    *("data-placement", "data-tooltip", "multiple", "rel=prev", "role=button", "role=group"),
    *("open=false", "role=link"),
    *("role=switch", "type=color", "type=datetime-local", "type=file", "type=month"),
    *("type=range", "type=reset", "type=time", "type=week"),
)
# We use no class of Pico's, and support neither Internet Explorer nor shadow trees.
UNUSED = re.compile(
    rf"(?<![\w.#:\-\[=])(?:{'|'.join(ELEMENTS)})(?![\w-])"
    rf"|\[(?:{'|'.join(ATTRIBUTES)})\]"
    r"|\.[a-z]|:host\b|::?-ms-|::-moz-color-swatch|dialog > article"
)
# Themes are chosen for the whole page.
THEME = re.compile(r"(:root|\[data-theme=(light|dark)\]|:not\(\[data-theme[^)]*\))+$")
ICON = re.compile(r"var\(--pico-icon-(?!position|width|height)[a-z]+\)(, )?")
OLD_BROWSERS = ("-ms-", "-o-")
OURS = re.compile(r"(?m)^    (--pico-[a-z0-9-]+):")
READ = re.compile(r"var\((--pico-[a-z0-9-]+)")


@dataclass
class Block:
    """A rule with its declarations, or an at-rule with the blocks inside it."""

    head: str
    lines: list[str] = field(default_factory=list)
    blocks: list["Block"] = field(default_factory=list)


def parse(source: str) -> list[Block]:
    source = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
    source = source.replace('@charset "UTF-8";', "")
    top = Block("")
    open_blocks = [top]
    for text, sign in re.findall(r'((?:"[^"]*"|\([^()]*\)|[^{};"])*)([{};])', source):
        if sign == "{":
            block = Block(" ".join(text.split()))
            open_blocks[-1].blocks.append(block)
            open_blocks.append(block)
        else:
            if text.strip() and not text.strip().startswith(OLD_BROWSERS):
                open_blocks[-1].lines.append(without_icon(" ".join(text.split())))
            if sign == "}":
                open_blocks.pop()
    return top.blocks


def without_icon(line: str) -> str:
    name, _, value = line.partition(": ")
    return f"{name}: none" if ICON.search(value) else line


def alternatives(selectors: str) -> list[str]:
    """The parts of a list: commas outside parentheses separate them."""
    return [part.strip() for part in re.split(r",(?![^()]*(?:\([^()]*\)[^()]*)*\))", selectors)]


def may_match(selector: str) -> bool:
    """Whether one of our elements may match: one part of each list in parentheses has to."""
    asked = re.sub(r":not\((?:[^()]|\([^()]*\))*\)", "", selector)
    for listed in re.findall(r":(?:is|where|has)\(((?:[^()]|\([^()]*\))*)\)", asked):
        if not any(map(may_match, alternatives(listed))):
            return False
    bare = re.sub(r"\((?:[^()]|\([^()]*\))*\)", "", asked)
    return not UNUSED.search(bare)


def used(blocks: list[Block]) -> Iterator[Block]:
    """The rules that stay. Pico's animations are for parts that we do not use."""
    for block in blocks:
        if block.head.startswith("@keyframes"):
            continue
        if block.head.startswith("@"):
            yield Block(block.head, blocks=list(used(block.blocks)))
        elif selectors := list(filter(may_match, alternatives(block.head))):
            yield Block(",\n".join(selectors), block.lines)


def without_variables(blocks: list[Block], *, said_by_us: set[str]) -> None:
    """Removes variables that nothing reads, until no more can go."""
    while True:
        read = set(READ.findall("\n".join(written(blocks))))
        gone = [rule for rule in rules(blocks) if strip(rule, read=read, said_by_us=said_by_us)]
        if not gone:
            return


def strip(rule: Block, *, read: set[str], said_by_us: set[str]) -> bool:
    is_root = all(map(THEME.match, alternatives(rule.head)))

    def stays(line: str) -> bool:
        name = line.partition(":")[0]
        if not name.startswith("--pico-"):
            return True
        return name in read and not (is_root and name in said_by_us)

    before = len(rule.lines)
    rule.lines = list(filter(stays, rule.lines))
    return len(rule.lines) != before


def rules(blocks: list[Block]) -> Iterator[Block]:
    for block in blocks:
        yield from rules(block.blocks) if block.blocks else [block]


def written(blocks: list[Block], indent: str = "") -> Iterator[str]:
    for block in blocks:
        inside = [f"{indent}  {line};" for line in block.lines]
        inside += written(block.blocks, indent + "  ")
        if inside:
            yield indent + block.head.replace("\n", "\n" + indent) + " {"
            yield from inside
            yield indent + "}"


def main(source: Path) -> None:
    blocks = list(used(parse(source.read_text())))
    without_variables(blocks, said_by_us=set(OURS.findall(TOKENS.read_text())))
    (ROOT / "static/vendor/pico/pico.css").write_text(HEAD + "\n".join(written(blocks)) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""What the strict content security policy and the icon sprite require of the templates."""

import re
from pathlib import Path

import pytest
from django.conf import settings

TEMPLATES = Path(settings.BASE_DIR) / "templates"
STATIC = (Path(settings.BASE_DIR) / "static").resolve()
PICO = STATIC / "vendor/pico/pico.css"
PAGES = sorted(
    path.relative_to(TEMPLATES).as_posix()
    for path in TEMPLATES.rglob("*.html")
    if "email" not in path.parts
)
INLINE = {
    "style attribute": re.compile(r"<[^>]*\sstyle\s*=", re.IGNORECASE),
    "style element": re.compile(r"<style", re.IGNORECASE),
    "script without a file": re.compile(r"<script(?![^>]*\ssrc=)", re.IGNORECASE),
    "event attribute": re.compile(r"<[a-z][^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "script in an address": re.compile(r"javascript:", re.IGNORECASE),
    "hx-on or an evaluated value": re.compile(r"\shx-(on|vals=['\"]js|headers=['\"]js)"),
}
ICON = re.compile(r'{% icon "([a-z0-9-]+)"|icon_name="([a-z0-9-]+)"')


@pytest.mark.parametrize("name", PAGES)
def test_no_page_carries_style_or_script_inside(name: str) -> None:
    source = (TEMPLATES / name).read_text()

    assert [what for what, pattern in INLINE.items() if pattern.search(source)] == []


def test_the_search_for_inline_code_finds_it() -> None:
    bad = (
        '<p style="x"><style></style><script>1</script><a onclick="x" href="javascript:x" hx-on:x>'
    )

    assert all(pattern.search(bad) for pattern in INLINE.values())


def test_the_sprite_holds_every_icon_that_a_page_names() -> None:
    sprite = set(re.findall(r'<symbol id="([a-z0-9-]+)"', (STATIC / "icons.svg").read_text()))
    named = {
        first or second
        for name in PAGES
        for first, second in ICON.findall((TEMPLATES / name).read_text())
    }

    assert named
    assert named <= sprite


def test_every_stylesheet_reaches_a_page_and_every_link_has_its_stylesheet() -> None:
    sources = "".join((TEMPLATES / name).read_text() for name in PAGES)
    linked = {STATIC / path for path in re.findall(r"static '(css/[a-z_/]+\.css)'", sources)}
    files = set(STATIC.glob("css/**/*.css"))

    assert STATIC / "css/core.css" in linked
    assert {sheet for link in linked for sheet in with_imports(link)} - files == {PICO}
    assert files <= {sheet for link in linked for sheet in with_imports(link)}


def with_imports(sheet: Path) -> set[Path]:
    imports = re.findall(r'@import url\("([^"]+)"\)', sheet.read_text())
    below = [with_imports((sheet.parent / address).resolve()) for address in imports]
    return {sheet}.union(*below)


def test_no_stylesheet_draws_with_data_addresses_or_other_hosts() -> None:
    ours = [path.read_text() for path in STATIC.glob("css/**/*.css")]

    assert not any(re.search(r"url\(\s*['\"]?(data:|https?:|//)", css) for css in ours)

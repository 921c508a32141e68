"""Pasted text, as the characters that people meant.

A number from a phone's contacts stands between U+202A and U+202C. A line from a PDF has no-break
spaces, soft hyphens and U+2011. A keyboard for Japanese or Arabic types other digits. Nobody sees
the difference, so no field may refuse it.
"""

import re
import unicodedata

# Letters of some scripts join or separate with these two; elsewhere they are invisible.
_JOINERS = "\u200c\u200d"
# Unicode counts these as marks and letters, but nobody sees them.
_FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"
_VARIATIONS = "".join(map(chr, range(0xFE00, 0xFE10)))
_HYPHENS = dict.fromkeys(map(ord, "\u2010\u2011\u2043\ufe63\uff0d"), "-")
# In a number or a code, a dash or a minus sign also means a hyphen.
_DASHES = dict.fromkeys(map(ord, "\u2012\u2013\u2014\u2015\u2212\u207b\u208b\ufe58\u30fc"), "-")


def folded_text(text: str) -> str:
    """Words as they were meant: no invisible characters, plain spaces and plain hyphens.

    Everything that belongs to the writing stays: accents, dashes, line breaks, joiners of Persian
    or Hindi.
    """
    if text.isascii():
        return text
    shown = "".join(_folded(char) for char in text)
    return _without_stray_joiners(shown).translate(_HYPHENS)


def folded_code(text: str) -> str:
    """A number, a code or a phone number: like `folded_text`, and digits, brackets and signs of
    other scripts and widths become ASCII.
    """
    plain = folded_text(text).translate(_DASHES)
    return "".join(
        _ascii_if_it_looks_so(char) for char in plain if char not in _JOINERS + _VARIATIONS
    )


def _folded(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Zs":
        return " "
    # Arabic number signs count as format characters too, but they are visible.
    is_format = category == "Cf" and unicodedata.bidirectional(char) != "AN"
    return "" if (is_format and char not in _JOINERS) or char in _FILLERS else char


def _without_stray_joiners(text: str) -> str:
    """A joiner stays only between two letters or marks that are not ASCII."""
    return re.sub(
        rf"(?<![^\x00-\x7f{_JOINERS}\s])[{_JOINERS}]+|[{_JOINERS}]+(?![^\x00-\x7f{_JOINERS}\s])",
        "",
        text,
    )


def _ascii_if_it_looks_so(char: str) -> str:
    if char.isascii():
        return char
    if unicodedata.category(char) == "Nd":
        return str(unicodedata.digit(char))
    wide = unicodedata.normalize("NFKC", char)
    return wide if wide.isascii() and len(wide) == 1 and not wide.isalpha() else char


# Letters that Unicode does not split into a letter and an accent.
_PLAIN_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)


def plain_letters(text: str) -> str:
    """Lower-case letters without accents, for comparing: "Zürich" and "ZURICH" are the same
    place.
    """
    if text.isascii():
        return " ".join(text.lower().split())
    apart = unicodedata.normalize("NFKD", folded_text(text).casefold())
    kept = "".join(char for char in apart if unicodedata.category(char) != "Mn")
    return " ".join(kept.translate(_PLAIN_LETTERS).split())

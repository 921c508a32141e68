"""Pasted text is folded before a field validates it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docbook.typed_text import folded_code, folded_text, plain_letters


@pytest.mark.parametrize(
    ("pasted", "meant"),
    [
        ("\u202a+31\u00a06\u00a05550\u20111234\u202c", "+31 6 5550-1234"),
        ("\u2066+31 6 5550 1234\u2069", "+31 6 5550 1234"),
        ("\ufeff+31\u202f6\u20095550\u200b1234", "+31 6 55501234"),
        ("＋３１（６）５５５０－１２３４", "+31(6)5550-1234"),
        ("٠٦١٢٣٤٥", "0612345"),
        ("۰۶۱۲۳۴۵", "0612345"),
        ("482–913", "482-913"),
        ("482\u2212913", "482-913"),
        ("4\ufe0f82913", "482913"),
    ],
)
def test_number_that_was_copied_is_the_number_that_was_meant(pasted: str, meant: str) -> None:
    assert folded_code(pasted) == meant


@pytest.mark.parametrize(
    ("pasted", "meant"),
    [
        ("Jean\u2011Luc\u200b Müller\u00ad", "Jean-Luc Müller"),
        ("Noor\u00a0\u202eBakker", "Noor Bakker"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष", "क्\u200dष"),
        ("Em\u200dma\u200c", "Emma"),
        ("two\nlines – with a dash", "two\nlines – with a dash"),
        ("\u3164", ""),
    ],
)
def test_words_lose_what_nobody_sees_and_keep_their_writing(pasted: str, meant: str) -> None:
    assert folded_text(pasted) == meant


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert folded_text(folded_text(text)) == folded_text(text)
    assert folded_code(folded_code(text)) == folded_code(text)


@pytest.mark.parametrize("typed", ["zurich", "ZÜRICH", "Zu\u0308rich", " Zürich\u200b "])
def test_places_are_compared_without_capitals_and_accents(typed: str) -> None:
    assert plain_letters(typed) == plain_letters("Zürich")

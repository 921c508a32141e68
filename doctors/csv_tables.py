"""Reads CSV files that people made with a spreadsheet, and writes such files.

A spreadsheet runs a cell that begins with =, +, - or @ as a formula. Written cells of this kind get
an apostrophe in front, and an apostrophe that is read in front of one is dropped again. Nothing
that is read is ever run.
"""

import csv
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO

from django.utils.translation import gettext as _

MOST_ROWS = 10_000
MOST_BYTES = 2_000_000

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_DELIMITERS = ",;\t"


class UnreadableFile(Exception):
    """The message says what to do about it, in the language of the page."""


@dataclass(frozen=True)
class Table:
    """`numbers` are those of the rows as a spreadsheet shows them; the header is row 1."""

    headers: list[str]
    rows: list[list[str]]
    numbers: list[int]


def read_table(data: bytes, *, required: Sequence[str], known: Sequence[str]) -> Table:
    """Raises UnreadableFile for a file whose rows cannot be told apart, or with wrong columns."""
    if len(data) > MOST_BYTES:
        raise UnreadableFile(_("The file is larger than 2 MB. Split it into several files."))
    numbered = _records(_text_of(data))
    if not numbered:
        raise UnreadableFile(_("The file is empty."))
    headers = [cell.casefold() for cell in numbered[0][1]]
    _check_headers(headers, required=required, known=known)
    body = numbered[1:]
    if not body:
        raise UnreadableFile(_("The file has column names but no rows."))
    if len(body) > MOST_ROWS:
        text = _("The file has more than %(most)d rows. Split it into several files.")
        raise UnreadableFile(text % {"most": MOST_ROWS})
    for number, cells in body:
        if len(cells) != len(headers):
            text = _("Row %(row)d has %(cells)d cells, but there are %(columns)d columns.")
            said = {"row": number, "cells": len(cells), "columns": len(headers)}
            raise UnreadableFile(text % said)
    return Table(headers, [cells for _number, cells in body], [number for number, _cells in body])


def write_table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """UTF-8 with a byte order mark, without which Excel takes it for another encoding."""
    out = StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(headers)
    writer.writerows([escaped(str(cell)) for cell in row] for row in rows)
    return BOM_UTF8 + out.getvalue().encode()


def escaped(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell


def _plain(cell: str) -> str:
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA_STARTS) else cell


def _text_of(data: bytes) -> str:
    """Guesses nothing: names that are read in the wrong encoding would be saved as nonsense."""
    encoding = "utf-16" if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        said = _("The file is not UTF-8. Save it again as “CSV UTF-8”.")
        raise UnreadableFile(said) from error
    if "\0" in text:
        raise UnreadableFile(_("This is not a CSV file. Save the sheet as “CSV UTF-8”."))
    return text


def _records(text: str) -> list[tuple[int, list[str]]]:
    """Every row that is not blank, with its number."""
    first_line = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first_line.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        numbered = [
            (number, [_plain(cell) for cell in row]) for number, row in enumerate(reader, 1)
        ]
    except csv.Error as error:
        said = _("Line %(line)d cannot be read as CSV: look at its quotation marks.")
        raise UnreadableFile(said % {"line": reader.line_num}) from error
    return [(number, cells) for number, cells in numbered if any(cells)]


def _check_headers(headers: list[str], *, required: Sequence[str], known: Sequence[str]) -> None:
    missing = [name for name in required if name not in headers]
    if missing:
        text = _("The first row must name the columns. Missing: %(names)s.")
        raise UnreadableFile(text % {"names": ", ".join(missing)})
    unknown = [name or _("(no name)") for name in headers if name not in known]
    if unknown:
        text = _("These columns are not known: %(names)s.")
        raise UnreadableFile(text % {"names": ", ".join(unknown)})
    if len(set(headers)) < len(headers):
        raise UnreadableFile(_("A column is there twice."))

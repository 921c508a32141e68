"""A doctor's days as a table for spreadsheets."""

import csv
from collections.abc import Iterable
from io import StringIO

from django.utils.translation import gettext as _

from bookings.models.doctor_days import DoctorDay
from bookings.schedule.numbers.figures import figures_of

# Spreadsheets take a cell that begins so for a formula, and run it (OWASP, "CSV Injection").
_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
# Excel reads a file without this mark in an encoding of its own, and spoils names like "Zürich".
# Other programs skip the mark.
BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


def days_as_csv(rows: Iterable[DoctorDay]) -> str:
    """One line a clinic and day, after a line of headings. RFC 4180, with a byte order mark.

    Lead times are in days; 61 means 61 or more.
    """
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(_headings())
    writer.writerows(map(_cells, rows))
    return BYTE_ORDER_MARK + out.getvalue()


def _headings() -> list[str]:
    return [
        _("Day"),
        _("Clinic"),
        _("Times offered"),
        _("Times booked"),
        _("Came"),
        _("Did not come"),
        _("Not marked"),
        _("Cancelled by patient"),
        _("Cancelled by practice"),
        _("Moved"),
        _("Picked too late"),
        _("First bookings"),
        _("Median lead time in days"),
    ]


def _cells(row: DoctorDay) -> list[object]:
    figures = figures_of([row])
    return [
        row.day.isoformat(),
        as_text(row.clinic.name),
        *(row.offered, row.booked, row.came, row.no_show, row.unmarked),
        *(row.cancelled_by_patient, row.cancelled_by_practice, row.moved, row.refused),
        figures.bookings,
        "" if figures.median_lead is None else figures.median_lead,
    ]


def as_text(value: str) -> str:
    """A cell that no spreadsheet runs as a formula: an apostrophe makes it text."""
    return f"'{value}" if value.startswith(_BEGINS_A_FORMULA) else value

"""The months of the appointments' table, made before anybody books into them."""

from datetime import UTC, date, datetime

from django.db import connection, transaction

from docbook.lock_keys import MONTHS_OF_APPOINTMENTS

_LOCK = "SELECT pg_advisory_xact_lock(%s, %s)"


def make_partitions(*, now: datetime, months_ahead: int = 13) -> list[str]:
    """Makes missing tables for this month and the next `months_ahead`; returns the new ones.

    One transaction per month: attaching a month briefly blocks writers of doctors and users, which
    its foreign keys refer to. It fails after the lock timeout, and the next run continues.
    """
    today = now.astimezone(UTC).date()
    months = [_month(today, ahead=number) for number in range(months_ahead + 1)]
    return [partition_of(month) for month in months if _make(month)]


def partition_of(month: date) -> str:
    """The table with the appointments of this month (of UTC)."""
    return f"bookings_appointment_{month:%Y_%m}"


def _month(day: date, *, ahead: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + ahead, 12)
    return date(year, month + 1, 1)


def _make(month: date) -> bool:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK, MONTHS_OF_APPOINTMENTS)
        cursor.execute("SELECT bookings_make_appointment_month(%s)", [month])
        (is_new,) = cursor.fetchone()
    return bool(is_new)

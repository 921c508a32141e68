"""The months of the appointments' table exist before anybody books into them."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from bookings.models import Appointment
from bookings.tasks import make_partitions_ahead
from bookings.upkeep.partitions import make_partitions, partition_of
from tests.factories import make_appointment, make_doctor, make_slots

FAR = datetime(2030, 11, 30, 23, 30, tzinfo=UTC)


def months() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = 'bookings_appointment'::regclass"
        )
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.django_db
def test_this_month_and_those_ahead_are_made_once():
    made = make_partitions(now=FAR, months_ahead=2)
    assert made == [
        "bookings_appointment_2030_11",
        "bookings_appointment_2030_12",
        "bookings_appointment_2031_01",
    ]
    assert set(made) <= months()
    assert make_partitions(now=FAR, months_ahead=2) == []


@pytest.mark.django_db
def test_a_migrated_database_has_a_year_ahead_already():
    ahead = partition_of((timezone.now() + timedelta(days=365)).date())
    assert ahead in months()
    assert make_partitions(now=timezone.now()) == []


@pytest.mark.django_db
def test_an_appointment_goes_to_its_month_in_utc():
    make_partitions(now=FAR, months_ahead=1)
    doctor = make_doctor()
    last, first = (
        make_appointment(slots=make_slots(doctor=doctor, starts_at=starts_at))
        for starts_at in (FAR, FAR + timedelta(minutes=30))
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM bookings_appointment_2030_11")
        assert cursor.fetchall() == [(last.pk,)]
        cursor.execute("SELECT id FROM bookings_appointment_2030_12")
        assert cursor.fetchall() == [(first.pk,)]


@pytest.mark.django_db
def test_a_read_by_id_and_start_looks_into_one_month_only():
    appointment = make_appointment(slots=make_slots(doctor=make_doctor()))
    by_key = Appointment.objects.filter(pk=appointment.pk, starts_at=appointment.starts_at)
    months = set(re.findall(r"bookings_appointment_\d{4}_\d{2}", by_key.order_by().explain()))
    assert months == {partition_of(appointment.starts_at.date())}


@pytest.mark.django_db
def test_the_task_and_the_command_do_the_same():
    make_partitions_ahead()
    out = StringIO()
    call_command("make_partitions", "--months", "14", stdout=out)
    assert "Months made: 1." in out.getvalue()
    call_command("make_partitions", "--months", "14", stdout=out)
    assert "Months made: 0." in out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_make_each_month_once():
    def run(_number: int) -> list[str]:
        try:
            return make_partitions(now=FAR, months_ahead=3)
        finally:
            connection.close()

    try:
        with ThreadPoolExecutor(4) as pool:
            made = [name for names in pool.map(run, range(4)) for name in names]
        assert len(made) == len(set(made)) == 4
    finally:
        drop_months_of(FAR)


def drop_months_of(now: datetime) -> None:
    """A flush between tests empties tables but keeps them; these months must not stay."""
    with connection.cursor() as cursor:
        for name in months():
            if name >= partition_of(now.date()):
                cursor.execute(f"DROP TABLE {name}")

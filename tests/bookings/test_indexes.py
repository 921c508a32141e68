"""Lists that people look at all day are read by an index, one month at a time."""

from datetime import timedelta

import pytest
from django.db import connection

from bookings.selectors.appointments import appointments_of_doctor
from bookings.states import AppointmentStatus
from tests.factories import make_doctor, tomorrow_at

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("wanted", [{}, {"status": AppointmentStatus.CANCELLED}])
def test_day_of_a_doctor_is_read_by_an_index_that_begins_with_the_doctor(wanted):
    start = tomorrow_at(0)
    day = appointments_of_doctor(
        doctor=make_doctor(), start=start, end=start + timedelta(hours=24)
    ).filter(**wanted)
    with connection.cursor() as cursor:
        # An empty table is read as a whole, whatever indexes there are.
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = day.explain()
    assert "Index Cond: ((doctor_id = " in plan, plan
    assert "Seq Scan on bookings_appointment" not in plan

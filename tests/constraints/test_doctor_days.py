"""The counts of a doctor's days."""

from datetime import date

from bookings.models import DoctorDay
from tests.constraints.registry import breaks
from tests.factories import make_doctor


def day(**fields):
    doctor = fields.pop("doctor", None) or make_doctor()
    given = {"clinic": doctor.clinic, "day": date(2026, 11, 24)}
    return DoctorDay.objects.create(doctor=doctor, **(given | fields))


@breaks("one_doctor_day_per_clinic")
def test_a_day_is_counted_once():
    first = day()
    day(doctor=first.doctor)


@breaks("doctor_day_books_no_more_than_it_offers")
def test_a_day_has_no_more_booked_than_offered_times():
    day(offered=1, booked=2)


@breaks("doctor_day_counts_every_hour_and_lead")
def test_a_day_has_a_count_for_every_hour():
    day(offered_by_hour=[1, 2, 3])

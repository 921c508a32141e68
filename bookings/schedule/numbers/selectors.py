"""Reads the counts of a doctor's days."""

from django.db.models import Q, QuerySet

from bookings.models import DoctorDay
from bookings.schedule.numbers.periods import Period
from doctors.models import Doctor


def days_of_period(doctor: Doctor, period: Period) -> QuerySet[DoctorDay]:
    """With their clinics, by day."""
    rows = DoctorDay.objects.filter(doctor=doctor, day__range=(period.days.first, period.days.last))
    return rows.select_related("clinic").order_by("day", "clinic__name", "clinic_id")


def days_of_both_periods(doctor: Doctor, period: Period) -> list[DoctorDay]:
    """Of the period and of the one before, in one query."""
    each = (Q(day__range=(days.first, days.last)) for days in (period.days, period.before))
    return list(DoctorDay.objects.filter(next(each) | next(each), doctor=doctor).order_by("day"))

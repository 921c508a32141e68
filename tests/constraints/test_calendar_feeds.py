"""Calendar feeds."""

import pytest
from django.utils import timezone

from bookings.models import CalendarFeed
from doctors.models import Doctor
from tests.constraints.registry import breaks
from tests.factories import make_doctor, make_user


def feed(**fields):
    doctor: Doctor = fields.pop("doctor", None) or make_doctor(user=make_user())
    given = {"created_by": doctor.user, "digest": "0" * 24, "created_at": timezone.now()}
    return CalendarFeed.objects.create(doctor=doctor, **(given | fields))


@breaks("one_active_calendar_feed_per_doctor_and_person")
def test_somebody_has_one_active_feed_of_a_doctor():
    first = feed()
    feed(doctor=first.doctor, digest="1" * 24)


@breaks("one_calendar_feed_per_token")
def test_a_token_opens_one_feed():
    feed()
    feed()


@pytest.mark.django_db
def test_a_revoked_feed_is_in_nobodys_way():
    first = feed(revoked_at=timezone.now())
    feed(doctor=first.doctor, digest="1" * 24)
    feed(doctor=first.doctor, created_by=make_user(), digest="2" * 24)

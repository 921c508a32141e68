"""Reading a doctor's day is recorded: in which role, which day, and through what."""

from datetime import date

import pytest

from bookings.actors.practice_member import PracticeMember
from bookings.schedule.services import record_reading
from docbook.audit.models import AuditEvent
from tests.factories import make_admin, make_doctor, make_patient, make_secretary

pytestmark = pytest.mark.django_db


def recorded() -> dict[str, object]:
    names = ("action", "actor_kind", "actor_id", "object_type", "object_id", "after")
    return dict(AuditEvent.objects.values(*names).get())


def test_reading_names_the_role_the_day_and_the_door_and_no_patient() -> None:
    doctor = make_doctor()
    secretary = make_secretary(doctor=doctor)
    record_reading(
        reader=PracticeMember(secretary), doctor=doctor, days=[date(2027, 3, 1)], through="api"
    )
    assert recorded() == {
        "action": "patients.read",
        "actor_kind": "secretary",
        "actor_id": secretary.pk,
        "object_type": "doctor",
        "object_id": str(doctor.pk),
        "after": {"dates": ["2027-03-01"], "through": "api"},
    }


def test_reader_who_has_no_role_here_is_recorded_as_staff() -> None:
    """Somebody may be allowed by a right alone, without being staff of the site any more."""
    doctor, reader = make_doctor(), make_patient()
    record_reading(
        reader=PracticeMember(reader), doctor=doctor, days=[date(2027, 3, 1)], through="page"
    )
    assert (recorded()["actor_kind"], recorded()["actor_id"]) == ("staff", reader.pk)


def test_admin_reads_as_staff() -> None:
    admin = make_admin()
    record_reading(
        reader=PracticeMember(admin), doctor=make_doctor(), days=[date(2027, 3, 1)], through="page"
    )
    assert (recorded()["actor_kind"], recorded()["actor_id"]) == ("staff", admin.pk)

"""Joining and leaving the waitlist: what is refused, what is the same, and when it ends."""

from datetime import date, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import User
from bookings.errors import WaitlistLimit
from bookings.models import Appointment, Hold, HoldState, WaitlistEntry, WaitlistState
from bookings.services.waitlist import (
    Wanted,
    end_booked_entries,
    end_passed_entries,
    join_waitlist,
    leave_waitlist,
)
from bookings.tasks import look_over_waitlist
from docbook.audit.models import AuditEvent
from docbook.errors import FieldError, NotFound
from docbook.outbox.models import OutboxMessage
from doctors.models import Slot, SlotState
from tests.factories import (
    make_appointment,
    make_clinic,
    make_doctor,
    make_patient,
    make_slots,
    make_visit_type,
    make_waitlist_entry,
    tomorrow_at,
)
from tests.waitlist.acts import awaited, in_line, release

pytestmark = pytest.mark.django_db


def today() -> date:
    return timezone.now().date()


def join(patient: User | None = None, **fields: Any) -> tuple[WaitlistEntry, bool]:
    """For a doctor's times of the next week, unless somebody else is named."""
    defaults: dict[str, Any] = {"from_on": today(), "until_on": today() + timedelta(days=7)}
    if not {"doctor_id", "specialty", "city"} & set(fields):
        doctor = make_doctor()
        defaults["doctor_id"] = doctor.pk
        defaults["visit_type_id"] = make_visit_type(doctor=doctor).pk
    return join_waitlist(
        patient=patient or make_patient(),
        wanted=Wanted(**(defaults | fields)),
        now=timezone.now(),
    )


def test_who_joins_waits_and_the_audit_says_so() -> None:
    patient = make_patient()
    entry, is_new = join(patient, weekdays=(4, 1, 4), day_from=time(9))
    assert is_new
    assert (entry.state, entry.weekdays, entry.day_from) == ("waiting", [1, 4], time(9))
    event = AuditEvent.objects.get(object_id=str(entry.pk))
    assert (event.action, event.actor_kind, event.actor_id) == (
        "waitlist.joined",
        "patient",
        patient.pk,
    )


def test_joining_twice_for_the_same_is_one_entry() -> None:
    patient, doctor = make_patient(), make_doctor()
    wanted = {"doctor_id": doctor.pk, "visit_type_id": make_visit_type(doctor=doctor).pk}
    first, _ = join(patient, **wanted)
    again, is_new = join(patient, **wanted)
    other, is_other_new = join(patient, **wanted, day_from=time(9))
    assert (again.pk, is_new) == (first.pk, False)
    assert (other.pk != first.pk, is_other_new) == (True, True)


def test_who_has_left_may_join_again() -> None:
    patient, doctor = make_patient(), make_doctor()
    wanted = {"doctor_id": doctor.pk, "visit_type_id": make_visit_type(doctor=doctor).pk}
    first, _ = join(patient, **wanted)
    leave_waitlist(entry_id=first.pk, patient=patient)
    assert join(patient, **wanted)[1]


def test_sixth_live_entry_is_refused_and_an_old_one_does_not_count(settings) -> None:
    settings.WAITLIST_ENTRIES_PER_PATIENT = 2
    patient = make_patient()
    make_waitlist_entry(patient=patient, state=WaitlistState.WITHDRAWN)
    join(patient)
    entry, _ = join(patient)
    with pytest.raises(WaitlistLimit) as refusal:
        join(patient)
    assert refusal.value.limit == 2
    leave_waitlist(entry_id=entry.pk, patient=patient)
    assert join(patient)[1]


def test_specialty_is_waited_for_in_the_city_as_its_clinics_write_it() -> None:
    doctor = make_doctor()
    entry, _ = join(specialty=doctor.specialty.slug, city="utrecht")
    assert (entry.specialty, entry.city, entry.doctor) == (doctor.specialty, "Utrecht", None)


def test_specialty_is_waited_for_where_its_doctors_have_their_times() -> None:
    """As offers are made: by the clinic of the time, not by the doctor's main clinic."""
    doctor, leiden = make_doctor(), make_clinic(city="Leiden")
    make_visit_type(doctor=doctor)
    slots = make_slots(doctor=doctor, starts_at=tomorrow_at(days=2))
    Slot.objects.update(clinic=leiden)
    entry, _ = join(specialty=doctor.specialty.slug, city="leiden")
    assert entry.city == "Leiden"
    with pytest.raises(FieldError) as refusal:
        join(specialty=doctor.specialty.slug, city=doctor.clinic.city)
    assert refusal.value.field == "city"
    (offer,) = release(*slots)
    assert offer.waitlist_entry == entry


def wrong_fields() -> dict[str, tuple[str, dict[str, Any]]]:
    """By what is wrong: the field that is named, and what was asked for."""
    doctor = make_doctor()
    visit_type = make_visit_type(doctor=doctor, mode="video")
    closed, resting = make_doctor(is_active=False), make_visit_type(doctor=doctor, is_active=False)
    named = {"doctor_id": doctor.pk, "visit_type_id": visit_type.pk}
    field, week = {"specialty": doctor.specialty.slug}, timedelta(days=7)
    return {
        "nobody": ("doctor", {"doctor_id": None}),
        "both": ("doctor", named | field | {"city": "Utrecht"}),
        "unknown doctor": ("doctor", named | {"doctor_id": 9_999_999}),
        "doctor who takes no bookings": ("doctor", named | {"doctor_id": closed.pk}),
        "no reason": ("visit_type", {"doctor_id": doctor.pk}),
        "reason of another doctor": (
            "visit_type",
            named | {"visit_type_id": make_visit_type(doctor=make_doctor()).pk},
        ),
        "reason that is off": ("visit_type", named | {"visit_type_id": resting.pk}),
        "another mode": ("mode", named | {"mode": "phone"}),
        "unknown specialty": ("specialty", {"specialty": "astrology", "city": "Utrecht"}),
        "specialty without a city": ("city", field),
        "city without such a doctor": ("city", field | {"city": "Atlantis"}),
        "reason of a specialty": (
            "visit_type",
            field | {"city": "Utrecht", "visit_type_id": visit_type.pk},
        ),
        "backwards": ("until_on", named | {"from_on": today() + week, "until_on": today()}),
        "over": ("until_on", named | {"from_on": today() - week, "until_on": today() - week}),
        "too far": ("until_on", named | {"until_on": today() + timedelta(days=400)}),
        "no time of day": ("day_until", named | {"day_from": time(9), "day_until": time(9)}),
        "unknown visit": ("replaces", named | {"replaces": uuid4()}),
    }


def test_each_wrong_field_is_named_and_nothing_is_kept() -> None:
    for what, (field, asked) in wrong_fields().items():
        with pytest.raises(FieldError) as refusal:
            join(**asked)
        assert refusal.value.field == field, what
    assert not WaitlistEntry.objects.exists()


@pytest.mark.parametrize("whose", ["somebody else's", "cancelled", "past", "another doctor's"])
def test_visit_to_move_is_an_own_one_to_come_with_that_doctor(whose: str) -> None:
    patient, doctor = make_patient(), make_doctor()
    visit_type = make_visit_type(doctor=doctor)
    slots = make_slots(doctor=doctor, starts_at=tomorrow_at(days=-1 if whose == "past" else 3))
    visit = make_appointment(
        slots=slots,
        patient=make_patient() if whose == "somebody else's" else patient,
        visit_type=visit_type,
        status="cancelled" if whose == "cancelled" else "confirmed",
    )
    wanted = make_visit_type(doctor=make_doctor()) if whose == "another doctor's" else visit_type
    with pytest.raises(FieldError) as refusal:
        join(
            patient,
            doctor_id=wanted.doctor_id,
            visit_type_id=wanted.pk,
            replaces=visit.pk,
        )
    assert refusal.value.field == "replaces"


def test_who_leaves_gives_a_live_offer_back_to_the_line() -> None:
    visit_type, slots = awaited()
    first, _second = in_line(visit_type, count=2)
    (offer,) = release(*slots)
    leave_waitlist(entry_id=first.pk, patient=first.patient)
    first.refresh_from_db()
    offer.refresh_from_db()
    slots[0].refresh_from_db()
    assert (first.state, offer.state) == (WaitlistState.WITHDRAWN, HoldState.RELEASED)
    assert slots[0].state == SlotState.OPEN
    assert OutboxMessage.objects.filter(topic="slot.released").count() == 1


def test_leaving_twice_is_leaving_once() -> None:
    entry = make_waitlist_entry()
    for _ in range(2):
        left = leave_waitlist(entry_id=entry.pk, patient=entry.patient)
        assert left.state == WaitlistState.WITHDRAWN
    assert AuditEvent.objects.filter(action="waitlist.withdrawn").count() == 1


def test_stranger_leaves_nothing() -> None:
    entry = make_waitlist_entry()
    with pytest.raises(NotFound):
        leave_waitlist(entry_id=entry.pk, patient=make_patient())
    entry.refresh_from_db()
    assert entry.state == WaitlistState.WAITING


def test_wait_ends_when_the_last_day_is_over_everywhere() -> None:
    now = tomorrow_at(11, 59)
    day = now.date() - timedelta(days=1)
    over = make_waitlist_entry(from_on=day - timedelta(days=9), until_on=day - timedelta(days=1))
    still_today_in_hawaii = make_waitlist_entry(from_on=day, until_on=day)
    assert end_passed_entries(now=now) == 1
    over.refresh_from_db()
    still_today_in_hawaii.refresh_from_db()
    assert (over.state, still_today_in_hawaii.state) == ("ended", "waiting")
    assert end_passed_entries(now=now + timedelta(minutes=1)) == 1


# -- who books for themselves ----------------------------------------------------------------------


def visit_beside(entry: WaitlistEntry, **fields: Any) -> Appointment:
    """A visit to come with the doctor of this entry, for its reason, confirmed just now."""
    slots = make_slots(doctor=entry.doctor, starts_at=tomorrow_at(days=5))
    return make_appointment(
        slots=slots, **({"patient": entry.patient, "visit_type": entry.visit_type} | fields)
    )


def test_wait_ends_for_who_has_booked_that_doctor_for_that_reason() -> None:
    visit_type, slots = awaited()
    booked, waits = in_line(visit_type, count=2)
    visit_beside(booked)
    (offer,) = release(*slots)
    assert offer.waitlist_entry == waits
    assert end_booked_entries() == 1
    booked.refresh_from_db()
    assert booked.state == WaitlistState.ENDED
    event = AuditEvent.objects.get(object_id=str(booked.pk), action="waitlist.ended")
    assert event.after == {"state": "ended", "because": "booked"}
    assert end_booked_entries() == 0


def test_look_over_ends_the_wait_of_who_has_booked_and_offers_them_nothing() -> None:
    visit_type, _slots = awaited()
    (entry,) = in_line(visit_type, count=1)
    visit_beside(entry)
    look_over_waitlist()
    entry.refresh_from_db()
    assert entry.state == WaitlistState.ENDED
    assert not Hold.objects.filter(waitlist_entry=entry).exists()


@pytest.mark.parametrize(
    "visit", ["before joining", "another reason", "somebody else's", "cancelled", "moved"]
)
def test_other_visits_end_no_wait(visit: str) -> None:
    visit_type, slots = awaited()
    (entry,) = in_line(visit_type, count=1)
    fields: dict[str, Any] = {
        "another reason": {"visit_type": make_visit_type(doctor=visit_type.doctor)},
        "somebody else's": {"patient": make_patient()},
        "cancelled": {"status": "cancelled"},
        "moved": {"replaces": uuid4()},
    }.get(visit, {})
    visit_beside(entry, **fields)
    if visit == "before joining":
        WaitlistEntry.objects.filter(pk=entry.pk).update(
            created_at=timezone.now() + timedelta(seconds=1)
        )
    assert end_booked_entries() == 0
    assert len(release(*slots)) == 1


def test_wait_for_an_earlier_time_goes_on_beside_its_visit() -> None:
    visit_type, slots = awaited()
    (entry,) = in_line(visit_type, count=1)
    visit = visit_beside(entry)
    WaitlistEntry.objects.filter(pk=entry.pk).update(replaces=visit.pk)
    assert end_booked_entries() == 0
    assert len(release(*slots)) == 1

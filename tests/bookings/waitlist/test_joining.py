"""Joining and leaving the waitlist: what is refused, what counts as the same, and when it ends."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import User
from bookings.errors import WaitlistLimit
from bookings.models import Appointment, Hold, HoldState, WaitlistEntry, WaitlistState
from bookings.tasks import look_over_waitlist
from bookings.waitlist.services import entries
from bookings.waitlist.services.entries import (
    WaitlistRequest,
    end_booked_entries,
    end_passed_entries,
    join_waitlist,
    leave_waitlist,
)
from docbook.audit.models import AuditEvent
from docbook.errors import FieldError, NotYours
from docbook.outbox.models import OutboxMessage
from doctors.models import Mode, Slot, SlotState, VisitType
from tests.bookings.acts import as_patient, take
from tests.bookings.waitlist.acts import awaited, in_line, release
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
from tests.sentences import is_a_sentence

pytestmark = pytest.mark.django_db


def today() -> date:
    return timezone.now().date()


def join(
    patient: User | None = None, *, now: datetime | None = None, **fields: Any
) -> tuple[WaitlistEntry, bool]:
    """For a doctor's times of the next week, unless something else is given."""
    defaults: dict[str, Any] = {"from_on": today(), "until_on": today() + timedelta(days=7)}
    if not {"doctor_id", "specialty", "city"} & set(fields):
        doctor = make_doctor()
        defaults["doctor_id"] = doctor.pk
        defaults["visit_type_id"] = make_visit_type(doctor=doctor).pk
    return join_waitlist(
        patient=patient or make_patient(),
        wanted=WaitlistRequest(**(defaults | fields)),
        now=now or timezone.now(),
    )


def test_who_joins_waits_and_the_audit_says_so() -> None:
    patient = make_patient()
    entry, is_new = join(patient, weekdays=(4, 1, 4), day_from=time(9), mode="in_person")
    assert is_new
    entry.refresh_from_db()
    assert (entry.state, entry.weekdays, entry.day_from) == ("waiting", [1, 4], time(9))
    assert entry.mode == "in_person"
    event = AuditEvent.objects.get(object_id=str(entry.pk))
    assert (event.action, event.actor_kind, event.actor_id) == (
        "waitlist.joined",
        "patient",
        patient.pk,
    )
    assert (event.object_type, event.after) == ("waitlist", {"state": "waiting"})


def test_joining_twice_for_the_same_is_one_entry() -> None:
    patient, doctor = make_patient(), make_doctor()
    wanted = {"doctor_id": doctor.pk, "visit_type_id": make_visit_type(doctor=doctor).pk}
    first, _ = join(patient, **wanted)
    again, is_new = join(patient, **wanted)
    other, is_other_new = join(patient, **wanted, day_from=time(9))
    assert (again.pk, is_new) == (first.pk, False)
    assert (other.pk != first.pk, is_other_new) == (True, True)


def test_who_has_an_offer_and_joins_for_the_same_has_the_same_entry() -> None:
    visit_type, slots = awaited()
    (entry,) = in_line(visit_type, count=1)
    assert release(*slots)
    wanted = {"doctor_id": entry.doctor_id, "visit_type_id": entry.visit_type_id}
    days = {"from_on": entry.from_on, "until_on": entry.until_on}
    again, is_new = join(entry.patient, **wanted, **days)
    assert (again.pk, is_new) == (entry.pk, False)


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
    for _somebody_else in range(2):
        join()
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
    """Like offers: by the clinic of the time, not by the doctor's main clinic."""
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


def wrong_fields() -> dict[str, tuple[str, str, dict[str, Any]]]:
    """By what is wrong: the named field, its code, and the request."""
    doctor = make_doctor()
    visit_type = make_visit_type(doctor=doctor, mode="video")
    closed, resting = make_doctor(is_active=False), make_visit_type(doctor=doctor, is_active=False)
    named = {"doctor_id": doctor.pk, "visit_type_id": visit_type.pk}
    field, week = {"specialty": doctor.specialty.slug}, timedelta(days=7)
    elsewhere = make_visit_type(doctor=make_doctor())
    return {
        "nobody": ("doctor", "one-of", {"doctor_id": None}),
        "both": ("doctor", "one-of", named | field | {"city": "Utrecht"}),
        "unknown doctor": ("doctor", "unknown", named | {"doctor_id": 9_999_999}),
        "doctor who takes no bookings": ("doctor", "unknown", named | {"doctor_id": closed.pk}),
        "no reason": ("visit_type", "unknown", {"doctor_id": doctor.pk}),
        "reason of another doctor": (
            "visit_type",
            "unknown",
            named | {"visit_type_id": elsewhere.pk},
        ),
        "reason that is off": ("visit_type", "unknown", named | {"visit_type_id": resting.pk}),
        "another mode": ("mode", "invalid", named | {"mode": "phone"}),
        "unknown specialty": (
            "specialty",
            "unknown",
            {"specialty": "astrology", "city": "Utrecht"},
        ),
        "specialty without a city": ("city", "unknown", field),
        "city without such a doctor": ("city", "unknown", field | {"city": "Atlantis"}),
        "reason of a specialty": (
            "visit_type",
            "invalid",
            field | {"city": "Utrecht", "visit_type_id": visit_type.pk},
        ),
        "backwards": (
            "until_on",
            "invalid",
            named | {"from_on": today() + week, "until_on": today()},
        ),
        "over": (
            "until_on",
            "past",
            named | {"from_on": today() - week, "until_on": today() - week},
        ),
        "too far": (
            "until_on",
            "out-of-range",
            named | {"until_on": today() + timedelta(days=400)},
        ),
        "no time of day": (
            "day_until",
            "invalid",
            named | {"day_from": time(9), "day_until": time(9)},
        ),
        "less time of day than the visit takes": (
            "day_until",
            "invalid",
            named | {"day_from": time(9), "day_until": time(9, 10)},
        ),
        "no such weekday between": (
            "weekdays",
            "invalid",
            named
            | {"from_on": today(), "until_on": today() + timedelta(days=2)}
            | {"weekdays": ((today() + timedelta(days=4)).weekday(),)},
        ),
        "unknown visit": ("replaces", "unknown", named | {"replaces": uuid4()}),
    }


def test_each_wrong_field_is_named_in_a_sentence_and_nothing_is_kept() -> None:
    for what, (field, code, asked) in wrong_fields().items():
        with pytest.raises(FieldError) as refusal:
            join(**asked)
        assert (refusal.value.field, refusal.value.field_code) == (field, code), what
        assert is_a_sentence(refusal.value.message), refusal.value.message
    assert not WaitlistEntry.objects.exists()


@pytest.mark.parametrize(("days", "ahead"), [(0, 0), (2, 0), (2, 1), (2, 2), (6, 6), (30, 5)])
def test_weekday_may_be_any_between_the_two_days(days: int, ahead: int) -> None:
    weekday = (today() + timedelta(days=ahead)).weekday()
    assert join(until_on=today() + timedelta(days=days), weekdays=(weekday,))[1]


@pytest.mark.parametrize("days", range(6))
def test_weekdays_before_and_behind_the_two_days_are_not_between(days: int) -> None:
    for ahead in (-1, days + 1):
        weekday = (today() + timedelta(days=ahead)).weekday()
        with pytest.raises(FieldError) as refusal:
            join(until_on=today() + timedelta(days=days), weekdays=(weekday,))
        assert refusal.value.field == "weekdays"


def test_time_of_day_may_be_as_long_as_the_visit() -> None:
    doctor = make_doctor()
    visit_type = make_visit_type(doctor=doctor, slots=2)
    asked = {"doctor_id": doctor.pk, "visit_type_id": visit_type.pk, "day_from": time(9)}
    assert join(**asked, day_until=time(9, 40))[1]
    with pytest.raises(FieldError):
        join(**asked, day_until=time(9, 39))


def test_last_day_may_be_today_anywhere_and_a_year_ahead() -> None:
    now = tomorrow_at(11, 59)
    here, a_year_on = now.date(), now.date() + timedelta(days=366)
    in_hawaii = here - timedelta(days=1)
    assert join(from_on=in_hawaii, until_on=in_hawaii, now=now)[1]
    assert join(from_on=here, until_on=a_year_on, now=now)[1]
    with pytest.raises(FieldError):
        join(from_on=in_hawaii, until_on=in_hawaii, now=now + timedelta(minutes=1))
    with pytest.raises(FieldError):
        join(from_on=here, until_on=a_year_on + timedelta(days=1), now=now)


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
    assert is_a_sentence(refusal.value.message)


def test_visit_waits_for_an_earlier_time_for_the_same_reason_only() -> None:
    """A booking that moves a visit refuses the same."""
    patient, visit_type = make_patient(), make_visit_type(doctor=make_doctor())
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3))
    visit = make_appointment(slots=slots, patient=patient, visit_type=visit_type)
    wanted = {"doctor_id": visit_type.doctor_id, "visit_type_id": visit_type.pk}
    other = make_visit_type(doctor=visit_type.doctor)
    day = visit.starts_at.astimezone(visit.clinic.zone).date()
    late = {"from_on": day + timedelta(days=1), "until_on": day + timedelta(days=2)}
    for field, changes in (("visit_type", {"visit_type_id": other.pk}), ("from_on", late)):
        with pytest.raises(FieldError) as refusal:
            join(patient, replaces=visit.pk, **(wanted | changes))
        assert refusal.value.field == field
        assert is_a_sentence(refusal.value.message)
    assert join(patient, replaces=visit.pk, **wanted, from_on=day, until_on=day)[1]


def test_entry_that_waits_for_an_earlier_time_knows_its_visit() -> None:
    patient, visit_type = make_patient(), make_visit_type(doctor=make_doctor())
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3))
    visit = make_appointment(slots=slots, patient=patient, visit_type=visit_type)
    wanted = {"doctor_id": visit_type.doctor_id, "visit_type_id": visit_type.pk}
    entry, _ = join(patient, **wanted, replaces=visit.pk)
    entry.refresh_from_db()
    assert entry.replaces == visit.pk


def test_who_leaves_gives_a_live_offer_back_to_the_line_and_no_other_hold() -> None:
    visit_type, (slot, other) = awaited(count=2)
    first, _second = in_line(visit_type, count=2)
    (offer,) = release(slot)
    elsewhere = take(other, visit_type=visit_type, holder=as_patient(first.patient))
    slots = [slot]
    leave_waitlist(entry_id=first.pk, patient=first.patient)
    first.refresh_from_db()
    offer.refresh_from_db()
    slots[0].refresh_from_db()
    assert (first.state, offer.state) == (WaitlistState.WITHDRAWN, HoldState.RELEASED)
    assert slots[0].state == SlotState.OPEN
    elsewhere.refresh_from_db()
    assert elsewhere.state == HoldState.HELD
    assert OutboxMessage.objects.filter(topic="slot.released").count() == 1


def test_leaving_twice_is_leaving_once() -> None:
    entry = make_waitlist_entry()
    for _ in range(2):
        left = leave_waitlist(entry_id=entry.pk, patient=entry.patient)
        assert left.state == WaitlistState.WITHDRAWN
    event = AuditEvent.objects.get(action="waitlist.withdrawn")
    assert (event.actor_kind, event.actor_id) == ("patient", entry.patient_id)
    assert event.after == {"state": "withdrawn"}


def test_stranger_leaves_nothing() -> None:
    entry = make_waitlist_entry()
    with pytest.raises(NotYours) as refusal:
        leave_waitlist(entry_id=entry.pk, patient=make_patient())
    assert refusal.value.pk == entry.pk
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
    event = AuditEvent.objects.get(object_id=str(over.pk))
    assert (event.action, event.actor_kind) == ("waitlist.ended", "system")
    assert event.after == {"state": "ended", "because": "dates-passed"}
    assert end_passed_entries(now=now + timedelta(minutes=1)) == 1


def test_entries_that_are_over_already_take_no_place_in_a_run(monkeypatch) -> None:
    monkeypatch.setattr(entries, "MOST_AT_ONCE", 1)
    past = {"from_on": today() - timedelta(days=9), "until_on": today() - timedelta(days=5)}
    make_waitlist_entry(state=WaitlistState.WITHDRAWN, **past)
    make_waitlist_entry(**past)
    assert end_passed_entries(now=timezone.now()) == 1


# -- who books for themselves ----------------------------------------------------------------------


def visit_beside(entry: WaitlistEntry, **fields: Any) -> Appointment:
    """An upcoming visit with the doctor of this entry, for its visit type, confirmed just now."""
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


def wait_for_specialty(visit_type: VisitType, **fields: Any) -> WaitlistEntry:
    """Anybody of this doctor's specialty in the doctor's city."""
    doctor = visit_type.doctor
    wish = {"specialty": doctor.specialty, "city": doctor.clinic.city} | fields
    (entry,) = in_line(visit_type, count=1)
    WaitlistEntry.objects.filter(pk=entry.pk).update(doctor=None, visit_type=None, **wish)
    entry.refresh_from_db()
    return entry


def visit_with(visit_type: VisitType, *, patient: User) -> Appointment:
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=5))
    return make_appointment(slots=slots, visit_type=visit_type, patient=patient)


@pytest.mark.parametrize("mode", ["", Mode.IN_PERSON])
def test_wait_for_specialty_ends_for_who_has_booked_any_doctor_of_it_in_that_city(mode) -> None:
    visit_type, slots = awaited()
    entry = wait_for_specialty(visit_type, mode=mode)
    of_another = make_doctor(specialty=visit_type.doctor.specialty, clinic=visit_type.doctor.clinic)
    visit_with(make_visit_type(doctor=of_another), patient=entry.patient)
    assert release(*slots) == []
    assert end_booked_entries() == 1
    entry.refresh_from_db()
    assert entry.state == WaitlistState.ENDED


@pytest.mark.parametrize("visit", ["another specialty", "another city", "another mode"])
def test_visit_that_was_not_waited_for_ends_no_wait_for_specialty(visit: str) -> None:
    visit_type, slots = awaited()
    doctor = visit_type.doctor
    entry = wait_for_specialty(visit_type, mode=Mode.IN_PERSON)
    fields = {"specialty": doctor.specialty, "clinic": doctor.clinic}
    if visit == "another specialty":
        del fields["specialty"]
    if visit == "another city":
        fields["clinic"] = make_clinic(city="Zwolle")
    mode = Mode.PHONE if visit == "another mode" else Mode.IN_PERSON
    other = make_visit_type(doctor=make_doctor(**fields), mode=mode)
    visit_with(other, patient=entry.patient)
    assert end_booked_entries() == 0
    assert len(release(*slots)) == 1


def test_wait_for_an_earlier_time_goes_on_beside_its_visit() -> None:
    visit_type, slots = awaited()
    (entry,) = in_line(visit_type, count=1)
    visit = visit_beside(entry)
    WaitlistEntry.objects.filter(pk=entry.pk).update(replaces=visit.pk)
    assert end_booked_entries() == 0
    assert len(release(*slots)) == 1

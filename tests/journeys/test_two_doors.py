"""Page and API together prove the result of each situation. A new refusal is one more row here.

Every row is set up twice, requested once at each door, and must leave the database unchanged.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import User
from bookings.models import Appointment, BookingPause, Hold, HoldState
from bookings.models.holds import MAX_CODE_ATTEMPTS
from bookings.states import AppointmentStatus
from bookings.waitlist.services.offers import decline_offer
from docbook.audit.models import AuditEvent
from doctors.models import Doctor, Mode, Slot, SlotState
from tests.api.client import Api, pointers, problem
from tests.bookings.acts import (
    as_patient,
    attempt,
    book,
    bookable,
    code_of,
    let_expire,
    take,
    wrong_code,
)
from tests.bookings.agreements import booked, change_everything
from tests.bookings.traces import traces
from tests.factories import (
    make_appointment,
    make_clinic,
    make_doctor,
    make_hold,
    make_patient,
    make_secretary,
    make_slots,
    make_user,
    make_visit_type,
    make_waitlist_entry,
    tomorrow_at,
)
from tests.journeys.doors import Ask, by_api, by_page, words

pytestmark = pytest.mark.django_db

Arrange = Callable[[User], Ask]


@dataclass(frozen=True)
class Refusal:
    """A situation, what the API answers, and what the page says."""

    arrange: Arrange
    code: str
    api: int
    page: int
    says: str = ""
    pointer: str = ""
    leads_to: str = ""
    writes: frozenset[str] = frozenset()


def taken(_patient: User) -> Ask:
    visit_type, slots = bookable()
    make_appointment(slots=slots[:1], visit_type=visit_type)
    return Ask("start", slots[0].pk, visit_type.pk)


def held_by_somebody_else(_patient: User) -> Ask:
    visit_type, slots = bookable()
    make_hold(slots=slots[:1], visit_type=visit_type)
    return Ask("start", slots[0].pk, visit_type.pk)


def blocked(_patient: User) -> Ask:
    visit_type, slots = bookable()
    Slot.objects.filter(pk=slots[0].pk).update(state=SlotState.BLOCKED)
    return Ask("start", slots[0].pk, visit_type.pk)


def second_half_of_a_long_visit_taken(_patient: User) -> Ask:
    visit_type, slots = bookable(slots=2)
    make_appointment(slots=slots[1:2])
    return Ask("start", slots[0].pk, visit_type.pk)


def too_short_for_the_visit(_patient: User) -> Ask:
    visit_type, slots = bookable(slots=2)
    return Ask("start", slots[-1].pk, visit_type.pk)


def another_mode(_patient: User) -> Ask:
    visit_type, slots = bookable()
    Slot.objects.filter(pk=slots[0].pk).update(mode=Mode.VIDEO)
    return Ask("start", slots[0].pk, visit_type.pk)


def keeping_three_times(patient: User) -> Ask:
    for days in (2, 3, 4):
        visit_type = make_visit_type(doctor=make_doctor())
        slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=days))
        make_hold(slots=slots, visit_type=visit_type, patient=patient)
    visit_type, slots = bookable()
    return Ask("start", slots[0].pk, visit_type.pk)


def booking_is_paused(_patient: User) -> Ask:
    visit_type, slots = bookable()
    BookingPause.objects.create(is_on=True, message="We move to a new machine.")
    return Ask("start", slots[0].pk, visit_type.pk)


def as_many_visits_ahead_as_allowed(patient: User) -> Ask:
    for number in range(settings.COMING_VISITS_PER_PATIENT):
        (slot,) = make_slots(doctor=make_doctor(), starts_at=tomorrow_at(9, days=3 + number))
        make_appointment(slots=[slot], patient=patient)
    visit_type, slots = bookable()
    return Ask("start", slots[0].pk, visit_type.pk)


def in_the_past(_patient: User) -> Ask:
    return _slot_at(timezone.now() - timedelta(hours=1))


def closer_than_the_minimum_notice(_patient: User) -> Ask:
    return _slot_at(timezone.now() + timedelta(minutes=59), min_notice_minutes=60)


def beyond_the_horizon(_patient: User) -> Ask:
    return _slot_at(timezone.now() + timedelta(days=60, minutes=1), horizon_days=60)


def _slot_at(starts_at: object, **doctor: int) -> Ask:
    visit_type = make_visit_type(doctor=make_doctor(**doctor))
    (slot,) = make_slots(doctor=visit_type.doctor, starts_at=starts_at)
    return Ask("start", slot.pk, visit_type.pk)


def unknown_slot(_patient: User) -> Ask:
    visit_type, _slots = bookable()
    return Ask("start", 9_999_999, visit_type.pk)


def reason_of_another_doctor(_patient: User) -> Ask:
    _visit_type, slots = bookable()
    foreign, _others = bookable()
    return Ask("start", slots[0].pk, foreign.pk)


def unknown_reason(_patient: User) -> Ask:
    _visit_type, slots = bookable()
    return Ask("start", slots[0].pk, 9_999_999)


def doctor_who_takes_no_bookings(_patient: User) -> Ask:
    visit_type, slots = bookable(is_active=False)
    return Ask("start", slots[0].pk, visit_type.pk)


def busy_elsewhere(patient: User) -> Ask:
    visit_type, slots = bookable()
    make_appointment(slots=make_slots(doctor=make_doctor()), patient=patient)
    return Ask("start", slots[0].pk, visit_type.pk)


def busy_by_now(patient: User) -> Ask:
    """Two times of two doctors overlap, and the other one was confirmed first."""
    holder = as_patient(patient)
    first, first_slots = bookable()
    second, second_slots = bookable()
    waiting = attempt(first_slots[0], visit_type=first, holder=holder)
    # The same instant: the second hold was made before the first became an appointment.
    book(second_slots[0], visit_type=second, holder=holder)
    return Ask("code", hold_id=waiting.pk, code=code_of(waiting))


def wrong(patient: User) -> Ask:
    hold = _attempt_of(patient)
    return Ask("code", hold_id=hold.pk, code=wrong_code(hold))


def wrong_for_the_fifth_time(patient: User) -> Ask:
    hold = _attempt_of(patient)
    hold.otp_attempts = MAX_CODE_ATTEMPTS - 1
    hold.save()
    return Ask("code", hold_id=hold.pk, code=wrong_code(hold))


def right_after_five_wrong_ones(patient: User) -> Ask:
    ask = wrong_for_the_fifth_time(patient)
    assert by_api(ask, patient=patient).status_code == 429
    return Ask("code", hold_id=ask.hold_id, code=str((int(ask.code) - 1) % 10**6).zfill(6))


def code_after_five_minutes(patient: User) -> Ask:
    hold = _attempt_of(patient)
    let_expire(hold)
    return Ask("code", hold_id=hold.pk, code=code_of(hold))


def code_after_giving_the_time_back(patient: User) -> Ask:
    hold = _attempt_of(patient)
    Api(patient).delete(f"bookings/{hold.pk}")
    return Ask("code", hold_id=hold.pk, code=code_of(hold))


def right_code_for_a_hold_of_somebody_else(_patient: User) -> Ask:
    hold = _attempt_of(make_patient())
    return Ask("code", hold_id=hold.pk, code=code_of(hold))


def code_before_the_details(patient: User) -> Ask:
    visit_type, slots = bookable()
    hold = take(slots[0], visit_type=visit_type, holder=as_patient(patient))
    return Ask("code", hold_id=hold.pk, code=code_of(hold))


def resend_before_the_details(patient: User) -> Ask:
    return Ask("resend", hold_id=code_before_the_details(patient).hold_id)


def resend_at_once(patient: User) -> Ask:
    return Ask("resend", hold_id=_attempt_of(patient).pk)


def resend_of_somebody_else(_patient: User) -> Ask:
    return Ask("resend", hold_id=_attempt_of(make_patient()).pk)


def resend_after_five_minutes(patient: User) -> Ask:
    hold = _attempt_of(patient)
    let_expire(hold)
    return Ask("resend", hold_id=hold.pk)


def release_of_somebody_else(_patient: User) -> Ask:
    return Ask("release", hold_id=_attempt_of(make_patient()).pk)


def release_of_a_confirmed_visit(patient: User) -> Ask:
    visit_type, slots = bookable()
    appointment = book(slots[0], visit_type=visit_type, holder=as_patient(patient))
    return Ask("release", hold_id=appointment.pk)


def cancelled_by_somebody_else(_patient: User) -> Ask:
    return _visit_of(make_patient(), step="cancel")


def _visit_with(doctor: User, act: str, *, status: str = "confirmed") -> Ask:
    """An act of this doctor on a visit of theirs."""
    slots = make_slots(doctor=make_doctor(user=doctor), starts_at=tomorrow_at(days=2))
    return Ask("mark", hold_id=make_appointment(slots=slots, status=status).pk, act=act)


def marked_by_another_doctor(doctor: User) -> Ask:
    make_doctor(user=doctor)
    return _visit_with(make_user(), "arrived")


def marked_by_the_patient(patient: User) -> Ask:
    return replace(_visit_of(patient, step="mark"), act="arrived")


def finished_before_anybody_came(doctor: User) -> Ask:
    return _visit_with(doctor, "completed")


def undone_where_nothing_was_done(doctor: User) -> Ask:
    return _visit_with(doctor, "undo")


def marked_as_it_no_longer_is(doctor: User) -> Ask:
    return replace(_visit_with(doctor, "arrived"), version=2)


def cancelled_by_the_practice_without_a_reason(doctor: User) -> Ask:
    return _visit_with(doctor, "cancel")


def cancelled_by_the_practice_while_the_patient_is_here(doctor: User) -> Ask:
    ask = _visit_with(doctor, "cancel", status="arrived")
    return replace(ask, reason="The doctor is ill")


def act_that_does_not_exist(doctor: User) -> Ask:
    return _visit_with(doctor, "delete")


def _moved_by(doctor: User, **fields: Any) -> Ask:
    """To the second of three slots, of which the visit has the first."""
    slots = make_slots(doctor=make_doctor(user=doctor), starts_at=tomorrow_at(days=2), count=3)
    visit = make_appointment(slots=slots[:1])
    given = {"slot_id": slots[1].pk, "hold_id": visit.pk, "reason": "The doctor is ill"}
    return Ask("practice move", **(given | fields))


def moved_by_another_practice(doctor: User) -> Ask:
    make_doctor(user=doctor)
    return _moved_by(make_user())


def moved_by_the_practice_without_a_reason(doctor: User) -> Ask:
    return _moved_by(doctor, reason="")


def moved_by_the_practice_to_no_time_of_theirs(doctor: User) -> Ask:
    [slot] = make_slots(doctor=make_doctor())
    return _moved_by(doctor, slot_id=slot.pk)


def moved_by_the_practice_to_a_time_that_is_taken(doctor: User) -> Ask:
    ask = _moved_by(doctor)
    make_appointment(slots=[Slot.objects.get(pk=ask.slot_id)])
    return ask


def moved_by_the_practice_while_the_patient_is_busy(doctor: User) -> Ask:
    ask = _moved_by(doctor)
    visit = Appointment.objects.get(pk=ask.hold_id)
    elsewhere = make_slots(doctor=make_doctor(), starts_at=visit.ends_at)
    make_appointment(slots=elsewhere, patient=visit.patient)
    return ask


def moved_by_the_practice_further_than_patients_can_book(doctor: User) -> Ask:
    ask = _moved_by(doctor)
    Doctor.objects.filter(user=doctor).update(horizon_days=1)
    return ask


def moved_by_the_practice_as_it_no_longer_is(doctor: User) -> Ask:
    return _moved_by(doctor, version=2)


def moved_by_somebody_else(_patient: User) -> Ask:
    return _visit_of(make_patient(), step="reschedule")


def cancelled_too_late(patient: User) -> Ask:
    ask = _visit_of(patient, step="cancel")
    Doctor.objects.update(change_notice_minutes=5 * 24 * 60)
    return ask


def moved_too_late(patient: User) -> Ask:
    return replace(cancelled_too_late(patient), step="reschedule")


def cancelled_after_the_visit_has_begun(patient: User) -> Ask:
    return _visit_of(patient, step="cancel", status=AppointmentStatus.ARRIVED)


def moved_after_it_was_cancelled(patient: User) -> Ask:
    return _visit_of(patient, step="reschedule", status=AppointmentStatus.CANCELLED)


def cancelled_after_it_was_moved(patient: User) -> Ask:
    return _visit_of(patient, step="cancel", status=AppointmentStatus.RESCHEDULED)


def cancelled_as_it_no_longer_is(patient: User) -> Ask:
    return replace(_visit_of(patient, step="cancel", version=2), version=1)


def offer_that_ran_out(patient: User) -> Ask:
    offer = _offer_to(patient)
    let_expire(offer)
    return Ask("accept", hold_id=offer.pk)


def offer_that_was_declined(patient: User) -> Ask:
    offer = _offer_to(patient)
    decline_offer(offer_id=offer.pk, patient=patient)
    return Ask("accept", hold_id=offer.pk)


def offer_at_the_time_of_another_visit(patient: User) -> Ask:
    offer = _offer_to(patient)
    make_appointment(slots=make_slots(doctor=make_doctor()), patient=patient)
    return Ask("accept", hold_id=offer.pk)


def accepted_what_is_no_offer(patient: User) -> Ask:
    return Ask("accept", hold_id=_attempt_of(patient).pk)


def _offer_to(patient: User) -> Hold:
    visit_type, slots = bookable(count=1)
    entry = make_waitlist_entry(patient=patient, doctor=visit_type.doctor, visit_type=visit_type)
    return make_hold(
        slots=slots,
        visit_type=visit_type,
        patient=patient,
        waitlist_entry=entry,
        code_sent_at=timezone.now(),
    )


def held_for_a_move_too_late(patient: User) -> Ask:
    ask = _move_of(patient)
    Doctor.objects.update(change_notice_minutes=5 * 24 * 60)
    return ask


def held_for_a_visit_that_is_cancelled(patient: User) -> Ask:
    return _move_of(patient, status=AppointmentStatus.CANCELLED)


def held_for_the_visit_of_somebody_else(_patient: User) -> Ask:
    return _move_of(make_patient())


def moved_to_a_time_that_is_taken(patient: User) -> Ask:
    ask = _move_of(patient)
    make_appointment(slots=[Slot.objects.get(pk=ask.slot_id)])
    return ask


def confirmed_for_a_visit_that_is_cancelled_by_now(patient: User) -> Ask:
    ask = _move_of(patient)
    by_api(ask, patient=patient)
    hold = Hold.objects.get(replaces=ask.replaces)
    Appointment.objects.filter(pk=ask.replaces).update(status="cancelled", version=2)
    return Ask("code", hold_id=hold.pk, code=code_of(hold))


def _move_of(patient: User, **fields: Any) -> Ask:
    """A visit in three days and a free time after it."""
    slots = make_slots(doctor=make_doctor(), starts_at=tomorrow_at(days=3), count=4)
    visit = make_appointment(slots=slots[:1], patient=patient, **fields)
    return Ask("start", slots[1].pk, visit.visit_type_id, replaces=visit.pk)


def caller_at_a_time_that_is_taken(doctor: User) -> Ask:
    ask = _caller_at(make_doctor(user=doctor))
    make_appointment(slots=[Slot.objects.get(pk=ask.slot_id)])
    return ask


def caller_at_a_time_that_has_begun(doctor: User) -> Ask:
    ask = _caller_at(make_doctor(user=doctor))
    begun = timezone.now() - timedelta(minutes=1)
    ends = begun + timedelta(minutes=20)
    Slot.objects.filter(pk=ask.slot_id).update(starts_at=begun, ends_at=ends)
    return ask


def caller_whose_address_has_an_account(doctor: User) -> Ask:
    make_patient(email="anna@mail.test")
    return replace(_caller_at(make_doctor(user=doctor)), email="anna@mail.test")


def caller_who_cannot_be_reached(doctor: User) -> Ask:
    return replace(_caller_at(make_doctor(user=doctor)), phone="")


def caller_of_another_practice(doctor: User) -> Ask:
    make_doctor(user=doctor)
    return _caller_at(make_doctor())


def _caller_at(doctor: Doctor) -> Ask:
    visit_type, slots = make_visit_type(doctor=doctor), make_slots(doctor=doctor, count=2)
    ids = {"slot_id": slots[0].pk, "visit_type_id": visit_type.pk, "doctor_id": doctor.pk}
    return Ask("desk", phone="+31 6 5550 1234", **ids)


def _visit_of(patient: User, *, step: str, **fields: Any) -> Ask:
    slots = make_slots(doctor=make_doctor(), starts_at=tomorrow_at(days=3))
    visit = make_appointment(slots=slots, patient=patient, **fields)
    return Ask(step, hold_id=visit.pk, version=visit.version)


def _attempt_of(patient: User):
    visit_type, slots = bookable()
    return attempt(slots[0], visit_type=visit_type, holder=as_patient(patient))


WINDOW = "This time cannot be booked online right now."
LOCKED = "You have used all five tries"
OVER = "The five minutes are over"
TOO_LATE = "Online changes close 120 hours before. Call the clinic:"
CANCELLED = "This visit is already cancelled."
NO_LONGER = "This visit can no longer be moved or cancelled."
COUNT = frozenset({"wrong codes"})
GIVES_BACK = frozenset({"wrong codes", "slots", "holds", "audit"})

PASSED_ON = "This time went to the next person"

REFUSALS = [
    Refusal(offer_that_ran_out, "hold-expired", 410, 410, PASSED_ON),
    Refusal(offer_that_was_declined, "hold-expired", 410, 410, "You let this time go"),
    Refusal(offer_at_the_time_of_another_visit, "patient-busy", 409, 409, "You already have a"),
    Refusal(accepted_what_is_no_offer, "not-found", 404, 404, "nothing at this address"),
    Refusal(taken, "slot-taken", 409, 409, "was just taken by somebody else."),
    Refusal(held_by_somebody_else, "slot-held", 409, 409, "Somebody is confirming"),
    Refusal(blocked, "slot-taken", 409, 409, "was just taken by somebody else."),
    Refusal(second_half_of_a_long_visit_taken, "slot-taken", 409, 409, "was just taken"),
    Refusal(too_short_for_the_visit, "slot-taken", 409, 409, "was just taken"),
    Refusal(another_mode, "slot-taken", 409, 409, "was just taken"),
    Refusal(keeping_three_times, "hold-limit", 409, 409, "You are already holding 3 times."),
    Refusal(booking_is_paused, "booking-disabled", 503, 503, "Your appointments are safe."),
    Refusal(as_many_visits_ahead_as_allowed, "appointment-limit", 409, 409, "20 upcoming visits"),
    Refusal(in_the_past, "outside-booking-window", 422, 422, WINDOW),
    Refusal(closer_than_the_minimum_notice, "outside-booking-window", 422, 422, WINDOW),
    Refusal(beyond_the_horizon, "outside-booking-window", 422, 422, WINDOW),
    Refusal(unknown_slot, "validation", 422, 422, "no longer offered", "/slotId"),
    Refusal(reason_of_another_doctor, "validation", 422, 422, "no longer offered", "/slotId"),
    Refusal(unknown_reason, "validation", 422, 404, "nothing at this address", "/visitTypeId"),
    Refusal(
        doctor_who_takes_no_bookings,
        "validation",
        422,
        404,
        "nothing at this address",
        "/visitTypeId",
    ),
    Refusal(busy_elsewhere, "patient-busy", 409, 409, "You already have a visit at that time:"),
    Refusal(busy_by_now, "patient-busy", 409, 409, "You already have a visit at that time:"),
    Refusal(wrong, "otp-invalid", 422, 302, leads_to="/book/{hold_id}/code/?wrong=1", writes=COUNT),
    Refusal(wrong_for_the_fifth_time, "otp-locked", 429, 429, LOCKED, writes=GIVES_BACK),
    Refusal(right_after_five_wrong_ones, "otp-locked", 429, 429, LOCKED),
    Refusal(code_after_five_minutes, "hold-expired", 410, 410, OVER),
    Refusal(code_after_giving_the_time_back, "hold-expired", 410, 410, "You gave "),
    Refusal(right_code_for_a_hold_of_somebody_else, "not-found", 404, 404, "nothing at this"),
    Refusal(code_before_the_details, "details-missing", 409, 302, leads_to="/book/{hold_id}/"),
    Refusal(resend_before_the_details, "details-missing", 409, 302, leads_to="/book/{hold_id}/"),
    Refusal(resend_at_once, "rate-limited", 429, 302, leads_to="/book/{hold_id}/code/"),
    Refusal(resend_of_somebody_else, "not-found", 404, 404, "nothing at this address"),
    Refusal(resend_after_five_minutes, "hold-expired", 410, 410, OVER),
    Refusal(release_of_somebody_else, "not-found", 404, 404, "nothing at this address"),
    Refusal(
        release_of_a_confirmed_visit,
        "already-confirmed",
        409,
        302,
        leads_to="/appointments/{hold_id}/",
    ),
    Refusal(cancelled_by_somebody_else, "not-found", 404, 404, "nothing at this address"),
    Refusal(moved_by_somebody_else, "not-found", 404, 404, "nothing at this address"),
    Refusal(cancelled_too_late, "change-window-passed", 422, 422, TOO_LATE),
    Refusal(moved_too_late, "change-window-passed", 422, 422, TOO_LATE),
    Refusal(cancelled_after_the_visit_has_begun, "not-changeable", 409, 409, NO_LONGER),
    Refusal(moved_after_it_was_cancelled, "not-changeable", 409, 409, CANCELLED),
    Refusal(cancelled_after_it_was_moved, "not-changeable", 409, 409, "has already moved."),
    Refusal(cancelled_as_it_no_longer_is, "version-mismatch", 412, 412, "changed a moment ago"),
    Refusal(marked_by_another_doctor, "not-found", 404, 404, "nothing at this address"),
    Refusal(marked_by_the_patient, "not-found", 404, 404, "nothing at this address"),
    Refusal(finished_before_anybody_came, "not-changeable", 409, 409, "changed a moment ago"),
    Refusal(undone_where_nothing_was_done, "not-changeable", 409, 409, "changed a moment ago"),
    Refusal(marked_as_it_no_longer_is, "version-mismatch", 412, 412, "changed a moment ago"),
    Refusal(
        cancelled_by_the_practice_without_a_reason, "validation", 422, 422, "Say why", "/reason"
    ),
    Refusal(
        cancelled_by_the_practice_while_the_patient_is_here,
        "not-changeable",
        409,
        409,
        "changed a moment ago",
    ),
    Refusal(moved_by_another_practice, "not-found", 404, 404, "nothing at this address"),
    Refusal(moved_by_the_practice_without_a_reason, "validation", 422, 422, "Say why", "/reason"),
    Refusal(
        moved_by_the_practice_to_no_time_of_theirs,
        "validation",
        422,
        422,
        "no other time for this visit",
        "/slotId",
    ),
    Refusal(
        moved_by_the_practice_to_a_time_that_is_taken, "slot-taken", 409, 409, "was just taken"
    ),
    Refusal(
        moved_by_the_practice_while_the_patient_is_busy,
        "patient-busy",
        409,
        409,
        "The patient has another visit",
    ),
    Refusal(
        moved_by_the_practice_further_than_patients_can_book,
        "validation",
        422,
        422,
        "Tick this if it shall be that time.",
        "/anyway",
    ),
    Refusal(
        moved_by_the_practice_as_it_no_longer_is,
        "version-mismatch",
        412,
        412,
        "changed a moment ago",
    ),
    Refusal(act_that_does_not_exist, "validation", 422, 422, "Nothing was changed.", "/act"),
    Refusal(held_for_a_move_too_late, "change-window-passed", 422, 422, TOO_LATE),
    Refusal(held_for_a_visit_that_is_cancelled, "not-changeable", 409, 409, CANCELLED),
    Refusal(held_for_the_visit_of_somebody_else, "not-found", 404, 404, "nothing at this address"),
    Refusal(moved_to_a_time_that_is_taken, "slot-taken", 409, 409, "was just taken"),
    Refusal(caller_at_a_time_that_is_taken, "slot-taken", 409, 409, "was just taken"),
    Refusal(
        caller_at_a_time_that_has_begun,
        "outside-booking-window",
        422,
        422,
        "This time has begun.",
    ),
    Refusal(
        caller_whose_address_has_an_account,
        "validation",
        422,
        422,
        "Somebody has an account with this address.",
        "/email",
    ),
    Refusal(caller_who_cannot_be_reached, "validation", 422, 422, "Give a phone number", "/phone"),
    Refusal(caller_of_another_practice, "not-found", 404, 404, "nothing at this address"),
    Refusal(confirmed_for_a_visit_that_is_cancelled_by_now, "not-changeable", 409, 409, CANCELLED),
]
each_refusal = pytest.mark.parametrize("row", REFUSALS, ids=lambda row: row.arrange.__name__)


@each_refusal
def test_api_refuses_with_its_code_and_writes_nothing(row: Refusal) -> None:
    patient = make_patient()
    ask = row.arrange(patient)
    before = traces(without=row.writes)
    body = problem(by_api(ask, patient=patient), code=row.code, status=row.api)
    assert traces(without=row.writes) == before
    if row.pointer:
        assert pointers(body) == [row.pointer]


@each_refusal
def test_page_says_what_happened_and_writes_nothing(row: Refusal) -> None:
    patient = make_patient()
    ask = row.arrange(patient)
    before = traces(without=row.writes)
    response = by_page(ask, patient=patient)
    assert response.status_code == row.page
    assert traces(without=row.writes) == before
    if row.leads_to:
        assert response.headers["Location"] == row.leads_to.format(hold_id=ask.hold_id)
    else:
        assert row.says in words(response)


@pytest.mark.parametrize("arrange", [taken, held_by_somebody_else])
def test_both_doors_name_the_next_free_times_of_the_doctor(arrange: Arrange) -> None:
    patient = make_patient()
    ask = arrange(patient)
    refused = by_api(ask, patient=patient).json()
    offered = [each["slotId"] for each in refused["alternatives"]]
    page = by_page(ask, patient=patient)
    slot = Slot.objects.select_related("clinic").get(pk=ask.slot_id)
    assert offered == [ask.slot_id + n for n in (1, 2, 3)]
    assert f"{slot.starts_at.astimezone(slot.clinic.zone):%H:%M}" in words(page)
    assert len(re.findall(r"Hold \d\d:\d\d", words(page))) == 3
    assert f"/doctors/{slot.doctor.slug}/?visit_type={ask.visit_type_id}" in page.content.decode()


def test_wrong_code_leaves_as_many_tries_at_both_doors() -> None:
    patient = make_patient()
    ask = wrong(patient)
    assert by_api(ask, patient=patient).json()["attemptsLeft"] == 4
    assert "3 tries left" in words(by_page(ask, patient=patient, follow=True))


def test_fifth_wrong_code_gives_the_time_back_at_both_doors() -> None:
    for door in (by_api, by_page):
        patient = make_patient()
        ask = wrong_for_the_fifth_time(patient)
        door(ask, patient=patient)
        assert not Slot.objects.exclude(state=SlotState.OPEN).exists()


def test_confirmed_attempt_confirmed_again_is_the_same_appointment_at_both_doors() -> None:
    patient = make_patient()
    hold = _attempt_of(patient)
    ask = Ask("code", hold_id=hold.pk, code=code_of(hold))
    first = by_api(ask, patient=patient)
    before = traces()
    again, page = by_api(ask, patient=patient), by_page(ask, patient=patient)
    assert (again.status_code, again.json()) == (200, first.json())
    assert (page.status_code, page.headers["Location"]) == (302, f"/appointments/{hold.pk}/")
    assert traces() == before


def test_both_doors_say_what_was_agreed_whatever_the_practice_changes_later() -> None:
    made = booked()
    asked = f"/appointments/{made.visit.pk}/"
    before = made.json(), words(made.browser.get(asked))
    change_everything(made.visit)
    assert (made.json(), words(made.browser.get(asked))) == before
    for ask in (by_api, by_page):  # and both move it by the length that was agreed
        slot = made.slots[-1] if ask is by_api else made.slots[-2]
        to = Ask("start", slot.pk, made.visit.visit_type_id, replaces=made.visit.pk)
        assert ask(to, patient=made.patient).status_code < 400
    held = Hold.objects.filter(replaces=made.visit.pk, state=HoldState.HELD)
    assert {each.duration for each in held} == {made.visit.duration}


def test_same_booking_by_either_door_leaves_the_same_traces() -> None:
    kept = []
    for door in (by_api, by_page):
        patient = make_patient()
        visit_type, slots = bookable()
        assert door(Ask("start", slots[0].pk, visit_type.pk), patient=patient).status_code < 400
        hold = patient.holds.get()
        if hold.code_sent_at is None:
            _give_details(hold, patient=patient)
        ask = Ask("code", hold_id=hold.pk, code=code_of(hold))
        assert door(ask, patient=patient).status_code < 400
        hold.refresh_from_db()
        appointment = patient.appointments.get()
        kept.append((hold.state, appointment.status, appointment.patient_name, _trail(hold)))
    assert kept[0] == kept[1]
    assert kept[0][0] == HoldState.CONFIRMED


def test_moved_by_either_door_is_the_same_chain_with_the_same_traces() -> None:
    kept = []
    for door in (by_api, by_page):
        patient = make_patient()
        ask = _move_of(patient)
        assert door(ask, patient=patient).status_code < 400
        hold = Hold.objects.get(replaces=ask.replaces)
        if hold.code_sent_at is None:
            _give_details(hold, patient=patient)
        assert (
            door(Ask("code", hold_id=hold.pk, code=code_of(hold)), patient=patient).status_code
            < 400
        )
        old, new = patient.appointments.order_by("starts_at")
        assert (old.replaced_by, new.replaces) == (new.pk, old.pk)
        kept.append((old.status, old.version, new.status, _trail(old), _trail(new)))
    assert kept[0] == kept[1]
    assert kept[0][:3] == ("rescheduled", 2, "confirmed")


def test_cancelled_by_either_door_leaves_the_same_traces_and_frees_the_time() -> None:
    kept = []
    for door in (by_api, by_page):
        patient = make_patient()
        ask = _visit_of(patient, step="cancel")
        first = door(ask, patient=patient)
        before = traces()
        again = door(ask, patient=patient)
        assert again.status_code == first.status_code < 400
        assert traces() == before
        visit = patient.appointments.get()
        slot = Slot.objects.get(doctor=visit.doctor)
        kept.append((visit.status, visit.version, visit.changed_by_kind, slot.state, _trail(visit)))
    assert kept[0] == kept[1]
    assert kept[0][:4] == ("cancelled", 2, "patient", "open")


def _give_details(hold: object, *, patient: User) -> None:
    browser = Client()
    browser.force_login(patient)
    names = {"first_name": patient.first_name, "last_name": patient.last_name}
    assert browser.post(f"/book/{hold.pk}/", names).status_code == 302


def _trail(row: object) -> list[tuple[str, str]]:
    events = AuditEvent.objects.filter(object_id=str(row.pk)).order_by("id")
    return list(events.values_list("action", "actor_kind"))


@pytest.mark.parametrize("code", ["the right one", "another one"])
def test_confirmation_sent_again_leads_to_the_one_visit_at_both_doors(code: str) -> None:
    """As after a lost answer. A guest who lost their session too is in pages/test_lost_answer."""
    patient = make_patient()
    hold = _attempt_of(patient)
    ask = Ask("code", hold_id=hold.pk, code=code_of(hold))
    first = by_api(ask, patient=patient)
    if code == "another one":
        ask = replace(ask, code=wrong_code(hold))
    before = traces()
    again, page = by_api(ask, patient=patient), by_page(ask, patient=patient)
    assert (again.status_code, again.content) == (200, first.content)
    assert (page.status_code, page.headers["Location"]) == (302, f"/appointments/{hold.pk}/")
    assert traces() == before


def day_of_the_doctor(slot: Slot, *, day: date) -> tuple[str, dict[str, Any]]:
    """What page and API show about the doctor on a day."""
    page = Client().get(f"/doctors/{slot.doctor.slug}/?date={day}")
    return page.content.decode(), Api().get(f"doctors/{slot.doctor_id}/slots?date={day}").json()


def test_time_at_another_clinic_has_its_own_clock_and_day_at_both_doors() -> None:
    """The main clinic's clock in Utrecht is an hour ahead, and shows the next day after 23:00."""
    doctor = make_doctor()
    make_visit_type(doctor=doctor)
    london = make_clinic(city="London", country="GB", time_zone="Europe/London")
    late = datetime.combine(tomorrow_at(days=3).date(), time(23, 20), tzinfo=london.zone)
    (slot,) = make_slots(doctor=doctor, starts_at=late, clinic=london)
    page, answer = day_of_the_doctor(slot, day=late.date())
    assert "23:20" in page
    assert "London" in page
    assert "00:20" not in page
    (item,) = answer["items"]
    assert item["startsAt"] == late.isoformat()
    assert item["clinic"]["city"] == "London"
    page, answer = day_of_the_doctor(slot, day=late.date() + timedelta(days=1))
    assert answer["items"] == []
    assert f'value="{slot.pk}"' not in page


def test_three_single_times_are_none_for_a_long_visit_at_both_doors() -> None:
    doctor = make_doctor()
    make_visit_type(doctor=doctor, slots=3)
    first = tomorrow_at(days=3)
    for hours in (0, 2, 4):
        make_slots(doctor=doctor, starts_at=first + timedelta(hours=hours))
    day = first.astimezone(doctor.clinic.zone).date()
    for query in (f"available_on={day}", ""):
        found = Client().get(f"/doctors/?{query}").content.decode()
        items = Api().get(f"doctors?{query}").json()["items"]
        assert [item["nextFreeAt"] for item in items] == ([] if query else [None])
        assert (f"/doctors/{doctor.slug}/" in found) == (not query)
    page, answer = day_of_the_doctor(doctor.slots.first(), day=day)
    assert answer["items"] == []
    assert not re.search(r'name="slot"\s+value="\d+"', page)


def read_by_api(doctor: Doctor, *, day: date, reader: User) -> Any:
    return Api(reader).get(f"doctors/{doctor.pk}/appointments", {"date": day.isoformat()})


def read_by_page(doctor: Doctor, *, day: date, reader: User) -> Any:
    browser = Client()
    browser.force_login(reader)
    return browser.get(f"/schedule/?doctor={doctor.pk}&date={day}")


READING = {"api": read_by_api, "page": read_by_page}


@pytest.mark.parametrize("door", READING)
@pytest.mark.parametrize("role", ["doctor", "secretary"])
def test_reading_of_a_day_is_written_down_at_both_doors(role: str, door: str) -> None:
    doctor = make_doctor(user=make_user())
    reader = doctor.user if role == "doctor" else make_secretary(doctor=doctor)
    visit = make_appointment(slots=make_slots(doctor=doctor), reason="A rash")
    day = visit.starts_at.astimezone(visit.zone).date()
    assert "A rash" in READING[door](doctor, day=day, reader=reader).content.decode()
    (event,) = AuditEvent.objects.filter(action="patients.read")
    assert (event.actor_kind, event.actor_id) == (role, reader.pk)
    assert (event.object_type, event.object_id) == ("doctor", str(doctor.pk))
    assert event.after == {"dates": [day.isoformat()], "through": door}


@pytest.mark.parametrize("door", READING)
def test_empty_day_names_nobody_and_is_not_written_down(door: str) -> None:
    doctor = make_doctor(user=make_user())
    (slot,) = make_slots(doctor=doctor)
    day = slot.starts_at.astimezone(doctor.clinic.zone).date()
    assert READING[door](doctor, day=day, reader=doctor.user).status_code == 200
    assert not AuditEvent.objects.filter(action="patients.read").exists()

"""Handles messages about visits: checks the current state, and sends a mail or none for each.

A message may come late and may come twice. A message about a visit names its version. The mail
describes exactly that state, with the number of that state for calendars. The other receivers check
in the current state whether their mail is still true. The delivery's record makes sure that nothing
is mailed twice.

Most receivers take a batch of messages: they read what all of them are about with a fixed number of
queries, and return the errors of those that failed.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.utils import timezone
from django.utils.functional import Promise

from bookings.appointments.selectors.amendments import digest_of, find_source
from bookings.appointments.selectors.versions import in_versions
from bookings.appointments.services.amendments import amend_visits
from bookings.engine.selectors import JUDGED, holds_awaiting_codes
from bookings.holding.services.codes import destination_of
from bookings.models import Appointment, Hold, HoldState
from bookings.notifications import text_messages
from bookings.notifications.letters import codes, offers, visits
from bookings.notifications.selectors import Told, Visits, told_by_version, told_now
from bookings.rearranging.selectors import offered_times
from bookings.rearranging.services.carrying_out import carry_out
from bookings.rules import reminder_period
from bookings.states import PATIENT_SIDE, AppointmentStatus
from bookings.waitlist.services.offers import offer_released
from docbook.audit.services import Actor
from docbook.notify.email import send_email, send_emails
from docbook.notify.letters import Letter
from docbook.notify.sms import SmsFailed, send_texts
from docbook.outbox.deliveries import delivered_of, was_delivered
from docbook.outbox.receiving import Received
from doctors.rules import VisitTime
from doctors.selectors.slots import times_of_doctor

log = structlog.get_logger(__name__)

OFFERED_INSTEAD = 3
LOOKS_AHEAD = timedelta(days=28)


def codes_requested(messages: Sequence[Received]) -> Mapping[int, Exception]:
    """Skips a code that no longer opens anything: a newer one is on its way, or none.

    Somebody is waiting: if an SMS is not sent at once, the code goes by mail.
    """
    holds = _holds_to_open(messages)
    texts = {
        message_id: text_messages.code(hold, to=to.address)
        for message_id, hold in holds.items()
        if (to := destination_of(hold)).channel == "sms"
    }
    failed = send_texts(texts)
    for message_id, error in list(failed.items()):
        if isinstance(error, SmsFailed):
            log.warning("sms_failed", error=type(error).__name__)
            del texts[message_id], failed[message_id]
    by_mail = [each for each in messages if each.id in holds and each.id not in texts]
    return failed | _mailed(by_mail, lambda each: codes.code(holds[each.id]))


def _holds_to_open(messages: Sequence[Received]) -> dict[int, Hold]:
    """By the ids of their messages."""
    found = holds_awaiting_codes(UUID(each.ids["hold_id"]) for each in messages)
    gone_out = delivered_of([each.id for each in messages])
    holds = {}
    for each in messages:
        hold = found.get(UUID(each.ids["hold_id"]))
        is_newest = hold is not None and hold.otp_resends == int(each.ids["resend"])
        if hold is not None and is_newest and each.id not in gone_out:
            holds[each.id] = hold
    return holds


def appointments_confirmed(messages: Sequence[Received]) -> Mapping[int, Exception]:
    told, now = told_by_version(messages, of=_visits_of(messages)), timezone.now()

    def write(each: Received) -> Letter:
        by_practice = each.ids.get("booked_by") == "practice"
        return visits.confirmation(told[each.id], now=now, by_practice=by_practice)

    return _told(messages, told, write=write, what=text_messages.BOOKED)


def appointments_moved(messages: Sequence[Received]) -> Mapping[int, Exception]:
    found, now = _visits_of(messages), timezone.now()
    told = told_by_version(messages, of=found)

    def write(each: Received) -> Letter:
        previous = found.appointment(each.ids["previous_id"])
        return visits.moved(told[each.id], previous=previous, now=now)

    return _told(messages, told, write=write, what=text_messages.MOVED)


def appointments_updated(messages: Sequence[Received]) -> Mapping[int, Exception]:
    """What was agreed has changed. The mail shows the values before and after."""
    found, now = _visits_of(messages), timezone.now()
    told = told_by_version(messages, of=found)
    changed = [each for each in messages if each.id in told]
    before = in_versions(
        (found.appointment(each.ids["appointment_id"]), int(each.ids["version"]) - 1)
        for each in changed
    )
    previous = {each.id: visit for each, visit in zip(changed, before, strict=True)}

    def write(each: Received) -> Letter:
        return visits.updated(told[each.id], previous=previous[each.id], now=now)

    return _told(messages, told, write=write, what=text_messages.CHANGED)


def appointments_cancelled(messages: Sequence[Received]) -> Mapping[int, Exception]:
    """The mail depends on who cancelled the visit. Nothing changes after it, so the version of the
    message is the current one.
    """
    told, now = told_now(messages, of=_visits_of(messages)), timezone.now()

    def write(each: Received) -> Letter:
        visit = told[each.id].appointment
        if visit.changed_by_kind in PATIENT_SIDE:
            return visits.cancelled(told[each.id], now=now)
        return visits.called_off(told[each.id], next_free=_next_free(visit, now=now), now=now)

    return _told(messages, told, write=write, what=text_messages.CANCELLED)


def reminders_due(messages: Sequence[Received]) -> Mapping[int, Exception]:
    """Skips a reminder that comes when the next one is due or the visit has begun."""
    told, now = told_now(messages, of=_visits_of(messages)), timezone.now()
    due = {
        each.id: told[each.id]
        for each in messages
        if _is_reminder_due(told[each.id].appointment, kind=each.ids["kind"], now=now)
    }

    def write(each: Received) -> Letter:
        return visits.reminder(due[each.id], kind=each.ids["kind"], now=now)

    return _told(messages, due, write=write, what=text_messages.REMINDER)


def _is_reminder_due(visit: Appointment, *, kind: str, now: datetime) -> bool:
    hours = int(kind.removesuffix("h"))
    _earliest, latest = reminder_period(hours=hours, of=settings.REMINDER_HOURS)
    return visit.status == AppointmentStatus.CONFIRMED and now < visit.starts_at - latest


def visits_outdated(
    _message: Received, *, source: str, source_id: str, digest: str, by: str
) -> None:
    """Does nothing if somebody has changed the source again: nobody has agreed to tell patients of
    that.
    """
    found = find_source(kind=source, pk=int(source_id))
    if found is None or digest_of(found) != digest:
        log.warning("amendment_overtaken", source=source, source_id=source_id)
        return
    amend_visits(source=found, by=Actor("staff", int(by)), now=timezone.now())


def visits_rearranged(_message: Received, *, rearrangement_id: str) -> None:
    """Does nothing the second time: no visit of the decision waits any more."""
    carry_out(rearrangement_id=int(rearrangement_id), now=timezone.now())


def other_times_offered(messages: Sequence[Received]) -> Mapping[int, Exception]:
    """Skips times that are chosen, given back or over."""
    told, now = told_now(messages, of=_visits_of(messages)), timezone.now()

    offered = offered_times(int(each.ids["item_id"]) for each in messages)

    def write(each: Received) -> Letter | None:
        offer = offered[int(each.ids["item_id"])]
        status = told[each.id].appointment.status
        if status != AppointmentStatus.CONFIRMED or not offer.times:
            return None
        return visits.other_times(told[each.id], offer=offer, now=now)

    return _mailed(messages, write)


def slots_released(
    _message: Received,
    *,
    doctor_id: str,  # noqa: ARG001 - whose, is for reading
    slot_ids: str,
) -> None:
    """Does nothing the second time: the slots are held for somebody, or nobody wants them."""
    offer_released(slot_ids=[int(each) for each in slot_ids.split(",")], now=timezone.now())


def time_offered(message: Received, *, hold_id: str) -> None:
    """Skips an offer that is answered or over: it would only disappoint. An offer that ended before
    its mail went out does not count as one the patient had; see `past_of` of the waitlist.
    """
    offer = Hold.objects.select_related("doctor", "clinic", "visit_type__doctor")
    offer = offer.annotate(**JUDGED)
    hold = offer.filter(pk=UUID(hold_id), state__in=[HoldState.HELD, HoldState.EXPIRED]).first()
    if hold is None:
        return
    if hold.state == HoldState.HELD and not hold.is_over:
        send_email(offers.offer_of(hold), message_id=message.id)
    elif not was_delivered(message.id):
        log.warning("offer_ended_unsent", hold_id=hold_id)


def _visits_of(messages: Sequence[Received]) -> Visits:
    names = ("appointment_id", "previous_id")
    return Visits(each.ids[name] for each in messages for name in names if name in each.ids)


def _told(
    messages: Sequence[Received],
    told: Mapping[int, Told],
    *,
    write: Callable[[Received], Letter],
    what: Promise,
) -> dict[int, Exception]:
    """Mails what `write` gives for each message in `told`. Patients without an e-mail address get
    an SMS that says `what` has happened. Without a number either, the practice tells them itself.
    """
    wanted = [each for each in messages if each.id in told]
    by_mail = [each for each in wanted if told[each.id].contact.channel == "email"]
    texts = {
        each.id: text_messages.visit(told[each.id], what=what)
        for each in wanted
        if told[each.id].contact.channel == "sms"
    }
    return _mailed(by_mail, write) | send_texts(texts)


def _mailed(
    messages: Sequence[Received], write: Callable[[Received], Letter | None]
) -> dict[int, Exception]:
    """Sends what `write` gives for each message, if anything. A mail that cannot be written keeps
    no other waiting.
    """
    letters: dict[int, Letter] = {}
    failed: dict[int, Exception] = {}
    for each in messages:
        try:
            letter = write(each)
        except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
            failed[each.id] = error
        else:
            if letter is not None:
                letters[each.id] = letter
    return failed | send_emails(letters)


def _next_free(appointment: Appointment, *, now: datetime) -> list[VisitTime]:
    """Of the same doctor and visit type. Empty if the doctor is gone."""
    if not (appointment.doctor.is_active and appointment.visit_type.is_active):
        return []
    free, _on_hold = times_of_doctor(
        doctor=appointment.doctor,
        visit_type=appointment.visit_type,
        start=now,
        end=now + LOOKS_AHEAD,
        now=now,
    )
    return free[:OFFERED_INSTEAD]

"""Handles a message about a visit: checks the current state, and sends a mail or none.

A message may come late and may come twice. A message about a visit names its version. The mail
describes exactly that state, with the number of that state for calendars. The other receivers check
in the current state whether their mail is still true. The delivery's record makes sure that nothing
is mailed twice.
"""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.utils import timezone

from bookings.appointments.selectors.amendments import digest_of, find_source
from bookings.appointments.selectors.appointments import appointment_of_hold
from bookings.appointments.selectors.versions import in_version
from bookings.appointments.services.amendments import amend_visits
from bookings.engine.selectors import IS_OVER, JUDGED
from bookings.holding.services.codes import destination_of
from bookings.models import Appointment, Hold, HoldState
from bookings.notifications import text_messages
from bookings.notifications.letters import codes, offers, visits
from bookings.rules import reminder_period
from bookings.states import CALLED_OFF, PATIENT_SIDE, AppointmentStatus
from bookings.waitlist.services.offers import offer_released
from docbook.audit.services import Actor
from docbook.notify.sms import SmsFailed
from docbook.outbox.deliveries import was_delivered
from docbook.outbox.selectors import is_waiting
from doctors.rules import VisitTime
from doctors.selectors.slots import times_of_doctor

log = structlog.get_logger(__name__)

OFFERED_INSTEAD = 3
LOOKS_AHEAD = timedelta(days=28)


def code_requested(message_id: int, *, hold_id: str, resend: str) -> None:
    """Skips a code that no longer opens anything: a newer one is on its way, or none."""
    waiting = Hold.objects.filter(~IS_OVER, state=HoldState.HELD, otp_resends=int(resend))
    hold = waiting.select_related("doctor", "clinic").filter(pk=UUID(hold_id)).first()
    if hold is None or was_delivered(message_id):
        return
    to = destination_of(hold)
    if to.channel == "sms" and _texted(hold, to=to.address, message_id=message_id):
        return
    codes.send_code(hold, message_id=message_id)


def _texted(hold: Hold, *, to: str, message_id: int) -> bool:
    """Somebody is waiting: if the SMS is not sent at once, the code goes by mail."""
    try:
        text_messages.send_code(hold, to=to, message_id=message_id)
    except SmsFailed as error:
        log.warning("sms_failed", error=type(error).__name__)
        return False
    return True


def appointment_confirmed(message_id: int, *, appointment_id: str, version: str = "") -> None:
    appointment = _as_told(appointment_id, version=version)
    if appointment is not None:
        visits.send_confirmation(appointment, now=timezone.now(), message_id=message_id)


def appointment_moved(
    message_id: int, *, appointment_id: str, previous_id: str, version: str = ""
) -> None:
    appointment, previous = _as_told(appointment_id, version=version), _appointment(previous_id)
    if appointment is not None:
        visits.send_moved(appointment, previous=previous, now=timezone.now(), message_id=message_id)


def appointment_updated(message_id: int, *, appointment_id: str, version: str) -> None:
    """What was agreed has changed. The mail shows the values before and after."""
    appointment = _as_told(appointment_id, version=version)
    if appointment is not None:
        previous = in_version(_appointment(appointment_id), int(version) - 1)
        visits.send_updated(
            appointment, previous=previous, now=timezone.now(), message_id=message_id
        )


def appointment_cancelled(
    message_id: int,
    *,
    appointment_id: str,
    version: str = "",  # noqa: ARG001 - nothing changes after it
) -> None:
    """The mail depends on who cancelled the visit."""
    appointment, now = _appointment(appointment_id), timezone.now()
    if appointment.changed_by_kind in PATIENT_SIDE:
        visits.send_cancelled(appointment, now=now, message_id=message_id)
    else:
        next_free = _next_free(appointment, now=now)
        visits.send_called_off(appointment, next_free=next_free, now=now, message_id=message_id)


def visits_outdated(*, source: str, source_id: str, digest: str, by: str) -> None:
    """Does nothing if somebody has changed the source again: nobody has agreed to tell patients of
    that.
    """
    found = find_source(kind=source, pk=int(source_id))
    if found is None or digest_of(found) != digest:
        log.warning("amendment_overtaken", source=source, source_id=source_id)
        return
    amend_visits(source=found, by=Actor("staff", int(by)), now=timezone.now())


def slots_released(*, doctor_id: str, slot_ids: str) -> None:  # noqa: ARG001 - whose, is for reading
    """Does nothing the second time: the slots are held for somebody, or nobody wants them."""
    offer_released(slot_ids=[int(each) for each in slot_ids.split(",")], now=timezone.now())


def time_offered(message_id: int, *, hold_id: str) -> None:
    """Skips an offer that is answered or over: it would only disappoint. An offer that ended before
    its mail went out does not count as one the patient had; see `past_of` of the waitlist.
    """
    offer = Hold.objects.select_related("doctor", "clinic", "visit_type__doctor")
    offer = offer.annotate(**JUDGED)
    hold = offer.filter(pk=UUID(hold_id), state__in=[HoldState.HELD, HoldState.EXPIRED]).first()
    if hold is None:
        return
    if hold.state == HoldState.HELD and not hold.is_over:
        offers.send_offer(hold, message_id=message_id)
    elif not was_delivered(message_id):
        log.warning("offer_ended_unsent", hold_id=hold_id)


def appointment_reminder(message_id: int, *, appointment_id: str, kind: str) -> None:
    """Skips a reminder that comes when the next one is due or the visit has begun."""
    appointment, now = _appointment(appointment_id), timezone.now()
    hours = int(kind.removesuffix("h"))
    _earliest, latest = reminder_period(hours=hours, of=settings.REMINDER_HOURS)
    is_on = appointment.status == AppointmentStatus.CONFIRMED
    if is_on and now < appointment.starts_at - latest:
        visits.send_reminder(appointment, kind=kind, now=now, message_id=message_id)


def _as_told(appointment_id: str, *, version: str) -> Appointment | None:
    """The visit in the version of the message. None if there is nothing left to tell: the visit has
    begun, or the mail of its move, which names both times, was sent before.

    Messages of the previous release name no version. Then a changed visit is left to the mail about
    its change.
    """
    appointment = _appointment(appointment_id)
    if appointment.status == AppointmentStatus.CONFIRMED:
        return in_version(appointment, int(version or appointment.version))
    if not version or appointment.status not in CALLED_OFF:
        return None
    if appointment.replaced_by and not is_waiting(
        "appointment.moved", about=appointment.replaced_by
    ):
        return None
    return in_version(appointment, int(version))


def _appointment(appointment_id: str) -> Appointment:
    return appointment_of_hold(Hold.objects.get(pk=UUID(appointment_id)))


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

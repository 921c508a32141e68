"""Background work of bookings. Each task does nothing the second time."""

from functools import partial
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from bookings import emails
from bookings.models import Hold, HoldState
from bookings.selectors.appointments import appointment_of_hold
from bookings.selectors.holds import is_over
from bookings.services.changes import mark_missed
from bookings.services.holds import sweep_holds
from bookings.services.partitions import make_partitions
from bookings.services.retention import purge_ended_holds
from docbook.outbox.services import receive


@shared_task(name="bookings.send_code")
def send_code(message_id: int, handed_out: int) -> None:
    """Topic otp.requested: {hold_id, resend}."""
    receive(message_id, handed_out, handle=partial(_send_code, message_id))


@shared_task(name="bookings.send_confirmation")
def send_confirmation(message_id: int, handed_out: int) -> None:
    """Topic appointment.confirmed: {appointment_id}."""
    receive(message_id, handed_out, handle=partial(_send_confirmation, message_id))


@shared_task(name="bookings.send_cancellation")
def send_cancellation(message_id: int, handed_out: int) -> None:
    """Topic appointment.cancelled: {appointment_id}."""
    receive(message_id, handed_out, handle=partial(_send_cancellation, message_id))


@shared_task(name="bookings.sweep_holds")
def sweep() -> None:
    sweep_holds()


@shared_task(name="bookings.mark_missed")
def mark_missed_visits() -> None:
    mark_missed(now=timezone.now())


@shared_task(name="bookings.make_partitions")
def make_partitions_ahead() -> None:
    make_partitions(now=timezone.now())


@shared_task(name="bookings.purge_ended_holds")
def purge_holds() -> None:
    purge_ended_holds(now=timezone.now())


def _send_code(message_id: int, *, hold_id: str, resend: str) -> None:
    """A code that no longer opens anything is not sent: a newer one is on its way, or none."""
    waiting = Hold.objects.filter(pk=UUID(hold_id), state=HoldState.HELD, otp_resends=int(resend))
    hold = waiting.select_related("doctor", "clinic").first()
    if hold is not None and not is_over(hold.pk):
        emails.send_code(hold, message_id=message_id)


def _send_confirmation(message_id: int, *, appointment_id: str) -> None:
    hold = Hold.objects.get(pk=UUID(appointment_id))
    emails.send_confirmation(
        appointment_of_hold(hold), email=hold.email, now=timezone.now(), message_id=message_id
    )


def _send_cancellation(message_id: int, *, appointment_id: str) -> None:
    hold = Hold.objects.get(pk=UUID(appointment_id))
    emails.send_cancellation(
        appointment_of_hold(hold), email=hold.email, now=timezone.now(), message_id=message_id
    )

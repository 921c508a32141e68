"""Background work of bookings. Running a task twice does nothing more."""

from typing import Any

import structlog
from celery import shared_task
from django.conf import settings
from django.utils import timezone

from bookings.appointments.services.changes import mark_missed
from bookings.engine.services import sweep_holds
from bookings.holding.services.drafts import purge_drafts
from bookings.invariants import watch
from bookings.notifications import receivers
from bookings.notifications.services import publish_reminders
from bookings.schedule.numbers import services as numbers
from bookings.upkeep.gates import open_gates_without_hold
from bookings.upkeep.partitions import make_partitions
from bookings.upkeep.retention import purge_ended_holds, purge_ended_waits, purge_past_times
from bookings.waitlist.services.entries import end_booked_entries, end_passed_entries
from bookings.waitlist.services.look_over import offer_free_times
from docbook.observability import metrics
from docbook.outbox.receiving import one_by_one, receive

log = structlog.get_logger(__name__)


@shared_task(name="bookings.send_code")
def send_code(*copies: Any) -> None:
    """Topic otp.requested: {hold_id, resend}."""
    receive(copies, handle=receivers.codes_requested)


@shared_task(name="bookings.send_confirmation")
def send_confirmation(*copies: Any) -> None:
    """Topic appointment.confirmed: {appointment_id, version}."""
    receive(copies, handle=receivers.appointments_confirmed)


@shared_task(name="bookings.send_moved")
def send_moved(*copies: Any) -> None:
    """Topic appointment.moved: {appointment_id, version, previous_id}."""
    receive(copies, handle=receivers.appointments_moved)


@shared_task(name="bookings.send_cancellation")
def send_cancellation(*copies: Any) -> None:
    """Topic appointment.cancelled: {appointment_id, version}."""
    receive(copies, handle=receivers.appointments_cancelled)


@shared_task(name="bookings.send_updated")
def send_updated(*copies: Any) -> None:
    """Topic appointment.updated: {appointment_id, version}."""
    receive(copies, handle=receivers.appointments_updated)


@shared_task(name="bookings.amend_visits")
def amend_outdated_visits(*copies: Any) -> None:
    """Topic visits.outdated: {source, source_id, digest, by}."""
    receive(copies, handle=one_by_one(receivers.visits_outdated))


@shared_task(name="bookings.rearrange_visits")
def rearrange_visits(*copies: Any) -> None:
    """Topic visits.rearranged: {rearrangement_id}."""
    receive(copies, handle=one_by_one(receivers.visits_rearranged))


@shared_task(name="bookings.send_other_times")
def send_other_times(*copies: Any) -> None:
    """Topic times.offered: {appointment_id, item_id}."""
    receive(copies, handle=receivers.other_times_offered)


@shared_task(name="bookings.offer_released")
def offer_released(*copies: Any) -> None:
    """Topic slot.released: {doctor_id, slot_ids}, the ids of the slots separated by commas."""
    receive(copies, handle=one_by_one(receivers.slots_released))


@shared_task(name="bookings.send_offer")
def send_offer(*copies: Any) -> None:
    """Topic waitlist.offered: {hold_id}."""
    receive(copies, handle=one_by_one(receivers.time_offered))


@shared_task(name="bookings.look_over_waitlist")
def look_over_waitlist() -> None:
    now = timezone.now()
    end_passed_entries(now=now)
    end_booked_entries()
    offer_free_times(now=now)


@shared_task(name="bookings.send_reminder")
def send_reminder(*copies: Any) -> None:
    """Topic appointment.reminder: {appointment_id, kind}."""
    receive(copies, handle=receivers.reminders_due)


@shared_task(name="bookings.publish_reminders")
def publish_due_reminders() -> None:
    publish_reminders(hours=settings.REMINDER_HOURS, now=timezone.now())


@shared_task(name="bookings.sweep_holds")
def sweep() -> None:
    """Expired times, and drafts typed for them."""
    sweep_holds()
    purge_drafts(now=timezone.now())


@shared_task(name="bookings.mark_missed")
def mark_missed_visits() -> None:
    mark_missed(now=timezone.now())


@shared_task(name="bookings.count_today")
def count_today() -> None:
    numbers.count_today(now=timezone.now())
    numbers.add_refusals()


@shared_task(name="bookings.recount_days")
def recount_days() -> None:
    """Once a night: also finds late changes, and days without workers."""
    numbers.recount(now=timezone.now())


@shared_task(name="bookings.make_partitions")
def make_partitions_ahead() -> None:
    make_partitions(now=timezone.now())


@shared_task(name="bookings.purge_ended_holds")
def purge_holds() -> None:
    purge_ended_holds(now=timezone.now())
    purge_past_times(now=timezone.now())


@shared_task(name="bookings.check_invariants")
def look_at_invariants() -> None:
    """Checks what SQL and the newest seals can show, and the gate; for /metrics and for the log."""
    if gates := open_gates_without_hold():
        log.error("gates_without_hold", gates=gates)
    metrics.publish_gates_without_hold(gates)
    watch.look_at_changes()


@shared_task(name="bookings.check_all_invariants")
def look_at_all_invariants() -> None:
    """Once a night: also checks data that has not changed for long."""
    watch.look_at_everything()


@shared_task(name="bookings.purge_ended_waits")
def purge_waits() -> None:
    purge_ended_waits(now=timezone.now())

"""What happens on a waitlist, for tests that begin half-way."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from bookings.engine.services import sweep_holds
from bookings.models import Hold, WaitlistEntry
from bookings.tasks import offer_released as offer_released_task
from bookings.tasks import send_offer as send_offer_task
from bookings.waitlist.services.offers import offer_released
from docbook.outbox.models import OutboxMessage
from doctors.models import Slot, VisitType
from tests.bookings.acts import let_expire
from tests.factories import (
    make_clinic,
    make_doctor,
    make_patient,
    make_slots,
    make_visit_type,
    make_waitlist_entry,
    tomorrow_at,
)


def in_daylight(*, days: int = 0) -> datetime:
    """The next noon (UTC): within a day, and outside quiet hours in Utrecht."""
    noon = tomorrow_at(12, days=days)
    return noon if noon - timedelta(days=days) > timezone.now() else noon + timedelta(days=1)


def awaited(*, count: int = 1, slots: int = 1, **fields: Any) -> tuple[VisitType, list[Slot]]:
    """A doctor in Utrecht with free times in three days, from 09:00 UTC on."""
    doctor = make_doctor(**({"clinic": make_clinic(), "min_notice_minutes": 0} | fields))
    visit_type = make_visit_type(doctor=doctor, slots=slots)
    return visit_type, make_slots(doctor=doctor, starts_at=tomorrow_at(days=3), count=count)


def in_line(visit_type: VisitType, *, count: int = 3, **fields: Any) -> list[WaitlistEntry]:
    """This many patients, in the order in which they joined."""
    came = timezone.now() - timedelta(hours=count)
    line = []
    for number in range(count):
        entry = make_waitlist_entry(
            doctor=visit_type.doctor,
            visit_type=visit_type,
            patient=make_patient(),
            **fields,
        )
        entry.created_at = came + timedelta(hours=number)
        entry.save()
        line.append(entry)
    return line


def release(*slots: Slot, now: datetime | None = None) -> list[Hold]:
    """The times are free again, and the waitlist is told."""
    return offer_released(slot_ids=[slot.pk for slot in slots], now=now or in_daylight())


def run_out(offer: Hold) -> None:
    """Its mail arrives, fifteen minutes pass without an answer, and the sweeper runs."""
    hear_of_offers()
    run_out_unsent(offer)


def run_out_unsent(offer: Hold) -> None:
    let_expire(offer)
    sweep_holds()


def hear_of_offers() -> None:
    """A worker receives every message about offers."""
    for message in OutboxMessage.objects.filter(topic="waitlist.offered", done_at=None):
        send_offer_task([message.pk, message.handed_out])


def hear_of_releases() -> int:
    """A worker receives every message about released times; returns how many there were."""
    messages = list(OutboxMessage.objects.filter(topic="slot.released", done_at=None))
    for message in messages:
        offer_released_task([message.pk, message.handed_out])
    return len(messages)

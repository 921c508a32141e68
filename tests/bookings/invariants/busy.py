"""A database in which everything has happened that can happen to a booking."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.test import override_settings
from django.utils import timezone
from django_redis import get_redis_connection

from bookings.actors.holder import Holder
from bookings.actors.practice_member import PracticeMember
from bookings.appointments.services.amendments import amend_visits
from bookings.appointments.services.changes import (
    cancel_appointment,
    mark_arrived,
    mark_completed,
    mark_no_show,
    undo,
)
from bookings.engine.services import release_hold, sweep_holds
from bookings.holding.services.confirmation import confirm_booking
from bookings.models import Appointment, Hold
from bookings.waitlist.services.offers import accept_offer, decline_offer
from docbook.audit.services import SYSTEM, Actor, record
from docbook.errors import DomainError
from docbook.http.models import IdempotencyRecord
from docbook.outbox.models import OutboxDelivery, OutboxMessage
from doctors.models import Slot, VisitType
from tests.bookings.acts import (
    as_patient,
    attempt,
    book,
    bookable,
    code_of,
    guest,
    let_expire,
    take,
    wrong_code,
)
from tests.bookings.waitlist.acts import awaited, in_line, release
from tests.factories import (
    make_admin,
    make_appointment,
    make_patient,
    make_secretary,
    make_slots,
    make_visit_type,
)


@dataclass
class Busy:
    """One doctor's full week, by what happened to each time."""

    visit_type: VisitType
    slots: list[Slot]
    live: Hold
    released: Hold
    confirmed: Appointment
    cancelled: Appointment
    moved: Appointment
    moved_to: Appointment
    offered: Appointment
    amended: Appointment
    imported: Appointment


class _Day:
    """Gives out a doctor's slots one after the other."""

    def __init__(self) -> None:
        self.visit_type, self.slots = bookable(count=30)
        self.secretary = PracticeMember(make_secretary(doctor=self.visit_type.doctor))
        self._next = iter(self.slots)

    def slot(self) -> Slot:
        return next(self._next)

    def held(self, holder: Holder | None = None) -> Hold:
        return attempt(self.slot(), visit_type=self.visit_type, holder=holder or patient())

    def booked(self, holder: Holder | None = None) -> Appointment:
        return book(self.slot(), visit_type=self.visit_type, holder=holder or patient())


def patient() -> Holder:
    return as_patient(make_patient())


def busy() -> Busy:
    day = _Day()
    visit = Busy(
        visit_type=day.visit_type,
        slots=day.slots,
        live=day.held(),
        released=_released(day),
        confirmed=day.booked(),
        cancelled=_cancelled(day),
        offered=_offered(),
        amended=_amended(),
        imported=imported(starts_at=timezone.now() - timedelta(days=3)),
        **_moved(day),
    )
    _what_came_to_nothing(day)
    _what_became_of_visits(day)
    _long_visit(day)
    _cancelled_after_it_began(day)
    _answers()
    all_is_told()
    return visit


def open_gates() -> None:
    """They open after a commit, and the busy database is made in a transaction without one."""
    get_redis_connection("default").flushdb()


def all_is_told() -> None:
    """Worker and mail server have done their work."""
    now = timezone.now()
    waiting = list(OutboxMessage.objects.filter(done_at=None))
    OutboxDelivery.objects.bulk_create(
        OutboxDelivery(message=message, channel="email", delivered_at=now) for message in waiting
    )
    OutboxMessage.objects.filter(done_at=None).update(done_at=now)


def imported(*, starts_at: datetime) -> Appointment:
    """A visit that the audit records as agreed elsewhere."""
    visit_type, _none = bookable(count=0)
    slots = make_slots(doctor=visit_type.doctor, starts_at=starts_at)
    visit = make_appointment(slots=slots, visit_type=visit_type)
    record(
        action="appointment.imported",
        by=SYSTEM,
        on=("appointment", visit.pk),
        after={"status": visit.status, "version": visit.version},
    )
    return visit


def _amended() -> Appointment:
    """Its visit type has another name, and its patient was told."""
    visit_type, (slot,) = bookable(count=1)
    visit = book(slot, visit_type=visit_type, holder=patient())
    visit_type.name = "Another name"
    visit_type.save()
    staff = Actor("staff", make_admin().pk)
    assert amend_visits(source=visit_type, by=staff, now=timezone.now()) == 1
    visit.refresh_from_db()
    return visit


def _released(day: _Day) -> Hold:
    holder = patient()
    return release_hold(hold_id=day.held(holder).pk, holder=holder)


def _cancelled(day: _Day) -> Appointment:
    holder = patient()
    visit = day.booked(holder)
    doctor = visit.doctor
    doctor.change_notice_minutes = 0
    doctor.save()
    return cancel_appointment(
        appointment_id=visit.pk, by=holder, version=visit.version, now=timezone.now()
    )


def _what_came_to_nothing(day: _Day) -> None:
    take(day.slot(), visit_type=day.visit_type, holder=guest())
    swept = day.held()
    let_expire(swept)
    sweep_holds()
    overtaken = day.held()
    let_expire(overtaken)
    open_gates()
    attempt(Slot.objects.get(pk=overtaken.slot_ids[0]), visit_type=day.visit_type, holder=guest())
    _locked(day)
    let_expire(day.held())


def _locked(day: _Day) -> None:
    holder = patient()
    hold = day.held(holder)
    for _ in range(5):
        try:
            confirm_booking(hold_id=hold.pk, holder=holder, code=wrong_code(hold))
        except DomainError:
            continue


def _what_became_of_visits(day: _Day) -> None:
    day.booked(guest())
    missed, came = day.booked(), day.booked()
    for act, visit in (
        (mark_no_show, missed),
        (undo, missed),
        (mark_arrived, came),
        (mark_completed, came),
    ):
        visit.refresh_from_db()
        act(appointment_id=visit.pk, by=day.secretary, version=visit.version, now=timezone.now())


def _long_visit(day: _Day) -> None:
    """Two slots, followed by two that are kept free."""
    long = make_visit_type(doctor=day.visit_type.doctor, slots=2, buffer_slots=2)
    first = day.slot()
    for _ in range(3):
        day.slot()
    book(first, visit_type=long, holder=patient())


def _cancelled_after_it_began(day: _Day) -> None:
    visit = imported(starts_at=timezone.now() - timedelta(minutes=5))
    cancel_appointment(
        appointment_id=visit.pk,
        by=PracticeMember(make_secretary(doctor=visit.doctor)),
        version=visit.version,
        now=timezone.now(),
        reason="The doctor was called away.",
    )


def _answers() -> None:
    for key, status in (("first", 201), ("second", 422)):
        IdempotencyRecord.objects.create(
            user_id=1, key=key, route="startBooking", fingerprint="f", status=status, body="{}"
        )


def _moved(day: _Day) -> dict[str, Appointment]:
    holder = patient()
    old, hold = day.booked(holder), day.held(holder)
    Hold.objects.filter(pk=hold.pk).update(replaces=old.pk)
    new = confirm_booking(hold_id=hold.pk, holder=holder, code=code_of(hold))
    old.refresh_from_db()
    return {"moved": old, "moved_to": new}


@override_settings(WAITLIST_QUIET_HOURS=(time(0), time(0)))
def _offered() -> Appointment:
    """One offer was declined, the next one accepted: its link is proof enough, without a code."""
    visit_type, slots = awaited(count=2)
    first, second = in_line(visit_type, count=2)
    [declined] = release(slots[0])
    decline_offer(offer_id=declined.pk, patient=first.patient)
    open_gates()
    [offer] = release(slots[0])
    release(slots[1])
    return accept_offer(offer_id=offer.pk, patient=second.patient)

"""Who is there, what they have, and what each can do: the real services, with real rows."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from unittest.mock import patch
from uuid import uuid4

from django.test import override_settings
from django.utils import timezone
from django_redis import get_redis_connection
from uuid_utils.compat import uuid7

from accounts.guesses import STRANGERS
from accounts.models import CodeGuesses, User
from bookings.actors.holder import Holder
from bookings.actors.practice_member import PracticeMember
from bookings.appointments.selectors import alternatives
from bookings.appointments.services.changes import cancel_appointment, mark_arrived
from bookings.appointments.services.moves import move_appointment
from bookings.engine import calls as engine
from bookings.engine import slot_gate
from bookings.engine.calls import ConfirmCall, HoldCall
from bookings.engine.services import release_hold, sweep_holds
from bookings.holding.services import confirmation, holds
from bookings.holding.services.codes import resend_code
from bookings.holding.services.confirmation import confirm_booking
from bookings.holding.services.holds import hold_slot
from bookings.models import Appointment, Hold, WaitlistEntry
from bookings.waitlist.services.entries import leave_waitlist
from bookings.waitlist.services.offers import accept_offer, offer_released
from docbook.http import throttling
from doctors.models import Doctor, Slot, VisitType
from proof.races.clock import let_time_pass
from tests.api.client import Api
from tests.bookings import acts
from tests.factories import (
    make_clinic,
    make_doctor,
    make_patient,
    make_secretary,
    make_slots,
    make_visit_type,
    make_waitlist_entry,
    tomorrow_at,
)

Act = Callable[[], object]

# Nobody waits for a clock: what has expired was written so, and nothing else does.
_SETTINGS = {
    "HOLD_SECONDS": 3600,
    "OFFER_SECONDS": 3600,
    "WAITLIST_QUIET_HOURS": (time.min, time.min),
}


@contextmanager
def as_two_processes() -> Iterator[None]:
    """The callers share nothing but the database: no gate in front of it, as without Redis, and no
    lock inside a process. What a process remembers is forgotten before each schedule.
    """
    with ExitStack() as changed:
        changed.enter_context(override_settings(**_SETTINGS))
        unknown = slot_gate.Passage.UNKNOWN
        changed.enter_context(patch.object(slot_gate, "enter", lambda **_: unknown))
        nobody_waits = [nullcontext()] * len(alternatives._turns)
        changed.enter_context(patch.object(alternatives, "_turns", nobody_waits))
        yield


def forget() -> None:
    alternatives._kept.clear()
    get_redis_connection("default").flushdb()
    throttling.forget_counts_of_this_process()


@dataclass(frozen=True)
class AfterAWhile:
    """Every hold that was there has expired when the act begins."""

    act: Act

    def __call__(self) -> object:
        let_time_pass()
        return self.act()


@dataclass(frozen=True)
class Together:
    """Calls that go to the database as one, as in a web process. Those that would have to wait for
    the other caller are made alone afterwards.
    """

    calls: tuple[HoldCall | ConfirmCall, ...]

    def __call__(self) -> tuple[str, ...]:
        answers = engine._decide_together(self.calls)
        return tuple(
            alone(call) if answer is None else answer.outcome
            for call, answer in zip(self.calls, answers, strict=True)
        )


def alone(call: HoldCall | ConfirmCall) -> str:
    (answer,) = engine._decide([call])
    return str(answer.outcome)


@dataclass
class Practice:
    """A doctor with four free times, in three days, and a secretary."""

    doctor: Doctor
    short: VisitType
    long: VisitType  # two slots
    with_break: VisitType  # one slot, and one kept free after it
    slots: list[Slot]
    secretary: PracticeMember


@dataclass
class Stage:
    """Two doctors with the same hours, and patients. Times are numbered from 0."""

    ana: User = field(default_factory=lambda: make_patient(first_name="Ana"))
    ben: User = field(default_factory=lambda: make_patient(first_name="Ben"))
    cleo: User = field(default_factory=lambda: make_patient(first_name="Cleo"))
    a: Practice = field(default_factory=lambda: _practice())  # noqa: PLW0108 - defined below
    b: Practice = field(default_factory=lambda: _practice())  # noqa: PLW0108

    @property
    def people(self) -> dict[object, str]:
        """Ids, and how the picture calls them."""
        return {each.pk: each.first_name for each in (self.ana, self.ben, self.cleo)}

    # What was there before.

    def takes_a_day(self, most: int) -> None:
        """The first doctor sees no more patients a day than this."""
        Doctor.objects.filter(pk=self.a.doctor.pk).update(most_visits_a_day=most)

    def kept(
        self, who: User, at: int, *, by: Practice | None = None, wrong: int = 0, long: bool = False
    ) -> Hold:
        """A hold whose code was sent half a minute ago."""
        practice = by or self.a
        visit_type = practice.long if long else practice.short
        hold = acts.attempt(
            practice.slots[at], visit_type=visit_type, holder=Holder(patient=who), email=who.address
        )
        return _ripe(hold, wrong=wrong)

    def lapsed(self, hold: Hold) -> Hold:
        """Its time is over, and no sweeper has come."""
        acts.let_expire(hold)
        return hold

    def visit(
        self, who: User, at: int, *, by: Practice | None = None, long: bool = False
    ) -> Appointment:
        practice = by or self.a
        visit_type = practice.long if long else practice.short
        holder = Holder(patient=who)
        return acts.book(
            practice.slots[at], visit_type=visit_type, holder=holder, email=who.address
        )

    def moving(
        self, visit: Appointment, to: int, *, by: Practice | None = None, wrong: int = 0
    ) -> Hold:
        """The patient's attempt to move the visit, with its code."""
        hold = acts.hold_instead(visit, (by or self.a).slots[to], email=visit.patient.address)
        return _ripe(hold, wrong=wrong)

    def waits(
        self, who: User, *, by: Practice | None = None, moves: Appointment | None = None
    ) -> WaitlistEntry:
        practice = by or self.a
        return make_waitlist_entry(
            patient=who,
            doctor=practice.doctor,
            visit_type=practice.short,
            replaces=moves.pk if moves else None,
        )

    def offered(
        self, who: User, at: int, *, moves: Appointment | None = None, wrong: int = 0
    ) -> Hold:
        self.waits(who, moves=moves)
        [offer] = offer_released(slot_ids=[self.a.slots[at].pk], now=timezone.now())
        return _ripe(offer, wrong=wrong)

    def kept_by_guest(self, at: int, *, email: str) -> Hold:
        holder = Holder(guest_key=uuid4())
        hold = acts.attempt(self.a.slots[at], visit_type=self.a.short, holder=holder, email=email)
        return _ripe(hold, wrong=0)

    def guessed(self, hold: Hold, count: int) -> None:
        """Strangers have tried so many wrong codes against the mailbox."""
        name, _policy = STRANGERS
        CodeGuesses.objects.create(
            target=hold.guess_target, guesser=name, count=count, since=timezone.now()
        )

    def across_the_months_end(self) -> tuple[Practice, Practice]:
        """Two practices whose first slot is the last of the month, UTC."""
        soon = timezone.now() + timedelta(days=2)
        following = (soon.replace(day=1) + timedelta(days=40)).replace(day=1)
        first = datetime(following.year, following.month, 1, tzinfo=UTC) - timedelta(minutes=20)
        return _practice(starts_at=first), _practice(starts_at=first)

    # What somebody does.

    def hold(
        self,
        who: User,
        at: int,
        *,
        by: Practice | None = None,
        reason: VisitType | None = None,
        address: int | None = None,
    ) -> Act:
        practice = by or self.a
        visit_type = reason or practice.short
        return lambda: hold_slot(
            slot_id=practice.slots[at].pk,
            visit_type_id=visit_type.pk,
            holder=Holder(patient=who),
            address=address,
            now=timezone.now(),
        )

    def hold_together(self, *wanted: tuple[User, int]) -> Act:
        return Together(
            tuple(
                holds._call_of(
                    Holder(patient=who),
                    hold_id=uuid7(),
                    slot_id=self.a.slots[at].pk,
                    visit_type_id=self.a.short.pk,
                    address=None,
                    replaces=None,
                )
                for who, at in wanted
            )
        )

    def confirm_together(self, *held: Hold) -> Act:
        return Together(
            tuple(
                confirmation._call_of(
                    hold_id=hold.pk, holder=_holder(hold), code=acts.code_of(hold), guessers=None
                )
                for hold in held
            )
        )

    def hold_by_api(self, who: User, at: int, *, key: str) -> Act:
        body = {"slotId": self.a.slots[at].pk, "visitTypeId": self.a.short.pk}
        return lambda: Api(who).post("bookings", body, Idempotency_Key=key)

    def confirm(self, hold: Hold) -> Act:
        code, holder = acts.code_of(hold), _holder(hold)
        return lambda: confirm_booking(hold_id=hold.pk, holder=holder, code=code)

    def wrong_code(self, hold: Hold) -> Act:
        code, holder = acts.wrong_code(hold), _holder(hold)
        return lambda: confirm_booking(hold_id=hold.pk, holder=holder, code=code)

    def resend(self, hold: Hold) -> Act:
        holder = _holder(hold)
        return lambda: resend_code(hold_id=hold.pk, holder=holder, now=timezone.now())

    def release(self, hold: Hold) -> Act:
        holder = _holder(hold)
        return lambda: release_hold(hold_id=hold.pk, holder=holder)

    def sweep(self) -> Act:
        return sweep_holds

    def after_a_while(self, act: Act) -> Act:
        return AfterAWhile(act)

    def cancel(self, visit: Appointment) -> Act:
        holder = Holder(patient=visit.patient)
        return lambda: cancel_appointment(
            appointment_id=visit.pk, by=holder, version=1, now=timezone.now()
        )

    def move_for_them(self, visit: Appointment, to: int, *, by: Practice | None = None) -> Act:
        practice = by or self.a
        return lambda: move_appointment(
            appointment_id=visit.pk,
            slot_id=practice.slots[to].pk,
            by=practice.secretary,
            version=1,
            reason="The doctor operates",
            now=timezone.now(),
        )

    def mark(self, visit: Appointment) -> Act:
        return lambda: mark_arrived(
            appointment_id=visit.pk, by=self.a.secretary, version=1, now=timezone.now()
        )

    def offer(self, at: int, *, by: Practice | None = None) -> Act:
        slot_ids = [(by or self.a).slots[at].pk]
        return lambda: offer_released(slot_ids=slot_ids, now=timezone.now())

    def accept(self, offer: Hold) -> Act:
        patient = offer.patient
        assert patient is not None  # noqa: S101 - nobody else waits
        return lambda: accept_offer(offer_id=offer.pk, patient=patient)

    def leave(self, entry: WaitlistEntry) -> Act:
        return lambda: leave_waitlist(entry_id=entry.pk, patient=entry.patient)


def _practice(*, starts_at: datetime | None = None) -> Practice:
    doctor = make_doctor(
        clinic=make_clinic(), min_notice_minutes=0, change_notice_minutes=0, horizon_days=90
    )
    return Practice(
        doctor=doctor,
        short=make_visit_type(doctor=doctor),
        long=make_visit_type(doctor=doctor, slots=2),
        with_break=make_visit_type(doctor=doctor, buffer_slots=1),
        slots=make_slots(doctor=doctor, starts_at=starts_at or tomorrow_at(days=3), count=4),
        secretary=PracticeMember(make_secretary(doctor=doctor)),
    )


def _ripe(hold: Hold, *, wrong: int) -> Hold:
    """Half a minute old, so that another code may be sent; with some wrong codes before."""
    acts.allow_resend(hold)
    Hold.objects.filter(pk=hold.pk).update(otp_attempts=wrong)
    return hold


def _holder(hold: Hold) -> Holder:
    return Holder(patient=hold.patient, guest_key=hold.guest_key)

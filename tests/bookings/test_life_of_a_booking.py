"""Whatever people do in whatever order, rows and refusals match a model of a few lines."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import pytest
from django.db import transaction
from django.test import TestCase
from django.utils import timezone
from django_redis import get_redis_connection
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from bookings.actors.holder import Holder
from bookings.actors.practice_member import PracticeMember
from bookings.appointments.services.changes import cancel_appointment, mark_arrived, undo
from bookings.appointments.services.moves import move_appointment
from bookings.engine.services import release_hold, sweep_holds
from bookings.holding.services.codes import request_code, resend_code
from bookings.holding.services.confirmation import confirm_booking
from bookings.holding.services.holds import hold_slot
from bookings.invariants.checks import check_invariants
from bookings.models import Appointment, Hold
from docbook.errors import DomainError
from doctors.models import Slot
from tests.bookings.acts import (
    allow_resend,
    as_patient,
    bookable,
    code_of,
    details,
    let_expire,
    open_gate,
    wrong_code,
)
from tests.factories import make_patient, make_slots, make_user, tomorrow_at

SLOTS = 3
MOST_HELD = 3

# The life of an attempt: held (lapsed once its time is over, robbed once the practice has put
# somebody there), then over; or booked, and then arrived or back, or ended.
ROW_OF_HOLD = {
    "held": {"held"},
    "lapsed": {"held"},
    "robbed": {"held"},
    "over": {"released", "expired"},
    "booked": {"confirmed"},
    "arrived": {"confirmed"},
    "cancelled": {"confirmed"},
    "rescheduled": {"confirmed"},
}
KEEPS_THE_SLOT = {"held": "held", "lapsed": "held", "booked": "booked", "arrived": "booked"}
STATUS = {"booked": "confirmed"}


@dataclass(eq=False)
class Attempt:
    """The model of one."""

    id: UUID
    holder: Holder
    slot: Slot
    replaces: "Attempt | None"
    state: str = "held"
    has_code: bool = False
    tries: int = 0
    resends: int = 0

    @property
    def is_a_visit(self) -> bool:
        return self.state not in ("held", "lapsed", "robbed", "over")

    @property
    def can_confirm(self) -> bool:
        movable = self.replaces is None or self.replaces.state == "booked"
        return self.state == "held" and self.has_code and movable


class LifeOfABooking(RuleBasedStateMachine):
    attempts = Bundle("attempts")

    def __init__(self) -> None:
        super().__init__()
        self.world = transaction.atomic()
        self.world.__enter__()
        get_redis_connection("default").flushdb()
        self.visit_type, _none = bookable(count=0, change_notice_minutes=0)
        self.slots = make_slots(
            doctor=self.visit_type.doctor, starts_at=tomorrow_at(days=3), count=SLOTS
        )
        self.patients = [as_patient(make_patient()) for _ in range(2)]
        self.practice = PracticeMember(make_user(is_staff=True))
        self.known: list[Attempt] = []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.world.__exit__(None, None, None)

    # -- holds

    @rule(target=attempts, who=st.integers(0, 1), where=st.integers(0, SLOTS - 1))
    def hold(self, who: int, where: int) -> Attempt | None:
        return self._hold(self.patients[who], self.slots[where], replaces=None)

    @rule(target=attempts, old=attempts, where=st.integers(0, SLOTS - 1))
    def hold_to_move(self, old: Attempt | None, where: int) -> Attempt | None:
        if old is None:
            return None
        return self._hold(old.holder, self.slots[where], replaces=old)

    @rule(attempt=attempts)
    def give_details(self, attempt: Attempt | None) -> None:
        if attempt is None:
            return
        with self._allowed(attempt.state == "held"):
            request_code(
                hold_id=attempt.id, holder=attempt.holder, details=details(), now=timezone.now()
            )
            attempt.has_code = True

    @rule(attempt=attempts)
    def ask_again(self, attempt: Attempt | None) -> None:
        if attempt is None:
            return
        allow_resend(Hold.objects.get(pk=attempt.id)) if attempt.has_code else None
        possible = attempt.state == "held" and attempt.has_code and attempt.resends < 3
        with self._allowed(possible):
            resend_code(hold_id=attempt.id, holder=attempt.holder, now=timezone.now())
            attempt.resends += 1

    @rule(attempt=attempts)
    def release(self, attempt: Attempt | None) -> None:
        if attempt is None:
            return
        with self._allowed(not attempt.is_a_visit):
            release_hold(hold_id=attempt.id, holder=attempt.holder)
            attempt.state = "over"

    @rule(attempt=attempts)
    def time_passes(self, attempt: Attempt | None) -> None:
        if attempt is not None and attempt.state == "held":
            let_expire(Hold.objects.get(pk=attempt.id))
            # The gate in Redis expires with it, by itself.
            open_gate(Hold.objects.get(pk=attempt.id))
            attempt.state = "lapsed"

    @rule()
    def sweep(self) -> None:
        lapsed = [each for each in self.known if each.state in ("lapsed", "robbed")]
        with TestCase.captureOnCommitCallbacks(execute=True):
            assert sweep_holds() == len(lapsed)
        for attempt in lapsed:
            attempt.state = "over"

    # -- codes

    @rule(attempt=attempts)
    def right_code(self, attempt: Attempt | None) -> None:
        if attempt is None:
            return
        with self._allowed(attempt.is_a_visit or attempt.can_confirm):
            found = self._confirm(attempt, code_of(Hold.objects.get(pk=attempt.id)))
            if attempt.state == "held":
                attempt.state = "booked"
                if attempt.replaces:
                    attempt.replaces.state = "rescheduled"
            assert (found.pk, found.status) == (
                attempt.id,
                STATUS.get(attempt.state, attempt.state),
            )

    @rule(attempt=attempts)
    def wrong_code(self, attempt: Attempt | None) -> None:
        if attempt is None or attempt.is_a_visit:
            return
        with self._allowed(False):
            self._confirm(attempt, wrong_code(Hold.objects.get(pk=attempt.id)))
        if attempt.state == "held" and attempt.has_code:
            attempt.tries += 1
            attempt.state = "over" if attempt.tries == 5 else "held"

    # -- visits

    @rule(attempt=attempts)
    def cancel(self, attempt: Attempt | None) -> None:
        if attempt is None:
            return
        with self._allowed(attempt.state in ("booked", "cancelled")):
            cancel_appointment(
                appointment_id=attempt.id,
                by=attempt.holder,
                version=self._version(attempt),
                now=timezone.now(),
            )
            attempt.state = "cancelled"

    @rule(target=attempts, old=attempts, where=st.integers(0, SLOTS - 1))
    def move_by_the_practice(self, old: Attempt | None, where: int) -> Attempt | None:
        if old is None:
            return None
        slot, attempt = self.slots[where], None
        with self._allowed(old.state == "booked" and not self._taken(slot)):
            found = move_appointment(
                appointment_id=old.id,
                slot_id=slot.pk,
                by=self.practice,
                version=self._version(old),
                reason="The doctor operates",
                now=timezone.now(),
            )
            for each in self.known:
                if each.slot is slot and each.state == "lapsed":
                    each.state = "robbed"
            old.state = "rescheduled"
            attempt = Attempt(found.pk, old.holder, slot, old, state="booked", has_code=True)
            self.known.append(attempt)
        return attempt

    @rule(attempt=attempts)
    def arrive(self, attempt: Attempt | None) -> None:
        self._mark(attempt, mark_arrived, possible=("booked", "arrived"), end="arrived")

    @rule(attempt=attempts)
    def undo(self, attempt: Attempt | None) -> None:
        self._mark(attempt, undo, possible=("arrived",), end="booked")

    # -- what must hold after every step

    @invariant()
    def rows_are_as_the_model_says(self) -> None:
        for attempt in self.known:
            row = Hold.objects.get(pk=attempt.id)
            assert row.state in ROW_OF_HOLD[attempt.state]
            assert (row.otp_attempts, row.otp_resends) == (attempt.tries, attempt.resends)
        visits = {
            each.id: STATUS.get(each.state, each.state) for each in self.known if each.is_a_visit
        }
        assert dict(Appointment.objects.values_list("pk", "status")) == visits
        kept = {
            each.slot.pk: (KEEPS_THE_SLOT[each.state], each.id)
            for each in self.known
            if each.state in KEEPS_THE_SLOT
        }
        rows = {
            pk: (state, hold)
            for pk, state, hold in Slot.objects.values_list("pk", "state", "hold_id")
        }
        assert rows == {slot.pk: kept.get(slot.pk, ("open", None)) for slot in self.slots}

    @invariant()
    def no_promise_is_broken(self) -> None:
        assert [
            f"{each.code} {each.finding}" for each in check_invariants() if each.is_broken
        ] == []

    # -- parts of the rules

    def _hold(self, holder: Holder, slot: Slot, *, replaces: Attempt | None) -> Attempt | None:
        held = [each for each in self.known if each.state == "held" and each.holder is holder]
        movable = replaces is None or replaces.state == "booked"
        attempt = None
        with self._allowed(not self._taken(slot) and movable and len(held) < MOST_HELD):
            hold = hold_slot(
                slot_id=slot.pk,
                visit_type_id=self.visit_type.pk,
                holder=holder,
                now=timezone.now(),
                replaces=replaces.id if replaces else None,
            )
            for each in self.known:
                if each.slot is slot and each.state == "lapsed":
                    each.state = "over"
            attempt = Attempt(hold.pk, holder, slot, replaces)
            self.known.append(attempt)
        return attempt

    def _taken(self, slot: Slot) -> bool:
        keeps = ("held", "booked", "arrived")
        return any(each.slot is slot and each.state in keeps for each in self.known)

    def _mark(
        self,
        attempt: Attempt | None,
        mark: Callable[..., Appointment],
        *,
        possible: tuple[str, ...],
        end: str,
    ) -> None:
        if attempt is None:
            return
        with self._allowed(attempt.state in possible):
            mark(
                appointment_id=attempt.id,
                by=self.practice,
                version=self._version(attempt),
                now=timezone.now(),
            )
            attempt.state = end

    def _confirm(self, attempt: Attempt, code: str) -> Appointment:
        return confirm_booking(hold_id=attempt.id, holder=attempt.holder, code=code)

    def _version(self, attempt: Attempt) -> int:
        found = Appointment.objects.filter(pk=attempt.id).values_list("version", flat=True)
        return found.first() or 1

    @contextmanager
    def _allowed(self, possible: bool) -> Iterator[None]:
        """Done if the model says so, otherwise refused; actions after the commit follow."""
        refused = False
        with TestCase.captureOnCommitCallbacks(execute=True):
            try:
                yield
            except DomainError:
                refused = True
        assert refused != possible


@pytest.mark.django_db(transaction=True)
def test_the_life_of_bookings_is_that_of_the_model() -> None:
    run_state_machine_as_test(
        LifeOfABooking, settings=settings(max_examples=8, stateful_step_count=20)
    )

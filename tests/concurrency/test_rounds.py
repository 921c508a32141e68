"""Two callers meet at one hold: one legal outcome in each of two hundred rounds."""

from collections import Counter
from datetime import timedelta
from functools import partial
from itertools import cycle
from threading import Barrier

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from psycopg.errors import DeadlockDetected

from bookings.actors.holder import Holder
from bookings.engine.services import release_hold, sweep_holds
from bookings.holding.services.confirmation import confirm_booking
from bookings.models import Appointment, Hold
from doctors.models import Slot, VisitType
from tests.bookings.acts import as_patient, attempt, bookable, code_of, guest, take
from tests.concurrency.rounds import ROUNDS, broken_promises, callers, ends
from tests.concurrency.rush import rush
from tests.factories import make_doctor, make_patient, make_slots, make_visit_type, tomorrow_at

pytestmark = pytest.mark.django_db(transaction=True)

MILLISECOND = timedelta(milliseconds=1)


def three_slots(*, against_time: bool) -> tuple[VisitType, list[Slot]]:
    """In order of time. Their ids ascend with it, or against it."""
    doctor = make_doctor()
    starts = [tomorrow_at(9, 20 * number) for number in range(3)]
    order = reversed(starts) if against_time else starts
    slots = [slot for start in order for slot in make_slots(doctor=doctor, starts_at=start)]
    slots.sort(key=lambda slot: slot.starts_at)
    return make_visit_type(doctor=doctor, slots=2), slots


@pytest.mark.parametrize("against_time", [False, True])
def test_visits_that_cross_in_one_slot_never_wait_for_each_other(against_time: bool) -> None:
    visit_type, slots = three_slots(against_time=against_time)

    with callers() as meet:
        for number in range(ROUNDS):
            acts = [
                partial(take, slot, visit_type=visit_type, holder=guest()) for slot in slots[:2]
            ]
            results = meet(acts[:: 1 if number % 2 else -1])

            assert ends(results) in (["Hold", "SlotHeld"], ["Hold", "SlotTaken"]), number
            (hold,) = [each for each in results if isinstance(each, Hold)]
            release_hold(hold_id=hold.pk, holder=Holder(guest_key=hold.guest_key))

    assert broken_promises() == []


def test_slots_taken_one_by_one_in_crossing_order_end_in_a_deadlock() -> None:
    """The negative control: no order of ids, and each waits for what the other has."""
    _visit_type, slots = bookable(count=2)
    both_have_one = Barrier(2, timeout=60)

    def take_both(ids: list[int]) -> None:
        first, second = ids
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '10s'")
            cursor.execute("SELECT FROM doctors_slot WHERE id = %s FOR UPDATE", [first])
            both_have_one.wait()
            cursor.execute("SELECT FROM doctors_slot WHERE id = %s FOR UPDATE", [second])

    ids = [slot.pk for slot in slots]
    results = rush(take_both, [ids, ids[::-1]])

    (error,) = [each for each in results if each is not None]
    assert isinstance(error.__cause__, DeadlockDetected)


def an_attempt(slot: Slot, *, visit_type: VisitType) -> tuple[Hold, Holder]:
    """Each time by another patient, so their limits do not interfere."""
    patient = make_patient()
    holder = as_patient(patient)
    return attempt(slot, visit_type=visit_type, holder=holder, email=patient.email), holder


def test_of_a_release_and_a_confirmation_one_is_made_and_one_is_told() -> None:
    visit_type, slots = bookable(count=ROUNDS)

    with callers() as meet:
        for number, slot in enumerate(slots):
            hold, holder = an_attempt(slot, visit_type=visit_type)
            acts = [
                partial(release_hold, hold_id=hold.pk, holder=holder),
                partial(confirm_booking, hold_id=hold.pk, holder=holder, code=code_of(hold)),
            ]
            results = ends(meet(acts[:: 1 if number % 2 else -1]))

            legal = ["AlreadyConfirmed", "Appointment"], ["Hold", "HoldExpired"]
            assert results in legal, number
            slot.refresh_from_db()
            assert slot.state == ("booked" if "Appointment" in results else "open"), number

    assert broken_promises() == []


def test_from_one_look_without_a_lock_a_hold_would_end_twice() -> None:
    """The negative control: both have seen the hold as held, and both act on it."""
    visit_type, (slot, *_rest) = bookable()
    hold, _holder = an_attempt(slot, visit_type=visit_type)
    both_have_looked = Barrier(2, timeout=60)

    def look_then_write(state: str) -> int:
        with transaction.atomic():
            assert Hold.objects.get(pk=hold.pk).state == "held"
            both_have_looked.wait()
            return Hold.objects.filter(pk=hold.pk).update(state=state)

    assert rush(look_then_write, ["released", "confirmed"]) == [1, 1]


def test_of_an_expiry_and_a_confirmation_one_is_made_and_one_finds_nothing_to_do() -> None:
    visit_type, slots = bookable(count=ROUNDS)
    # Around the instant when both come; the last is long after it.
    margins = cycle([-1, 0, 1, 2, 4, 6, 8, 12, 2000])
    seen: Counter[str] = Counter()

    with callers() as meet:
        for slot, margin in zip(slots, margins, strict=False):
            hold, holder = an_attempt(slot, visit_type=visit_type)
            confirm = partial(confirm_booking, hold_id=hold.pk, holder=holder, code=code_of(hold))
            _end_in(hold, margin * MILLISECOND)
            confirmed, _swept = meet([confirm, sweep_holds])
            hold.refresh_from_db()
            slot.refresh_from_db()
            end = (type(confirmed).__name__, hold.state, slot.state)
            # It may expire after the sweep has looked and before the confirmation has.
            assert end in {
                ("Appointment", "confirmed", "booked"),
                ("HoldExpired", "expired", "open"),
                ("HoldExpired", "held", "held"),
            }, margin
            seen[end[0]] += 1

    sweep_holds()
    assert broken_promises() == []
    assert set(seen) == {"Appointment", "HoldExpired"}
    assert Appointment.objects.count() == seen["Appointment"]


def _end_in(hold: Hold, margin: timedelta) -> None:
    end = Now() + margin
    with transaction.atomic():
        Hold.objects.filter(pk=hold.pk).update(expires_at=end)
        Slot.objects.filter(pk__in=hold.slot_ids).update(held_until=end)

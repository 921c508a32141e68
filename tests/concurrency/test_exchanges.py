"""One time in exchange for another: both acts happen, or neither, even in a rush."""

from collections import Counter

import pytest
from django.utils import timezone
from django_redis import get_redis_connection

from bookings.actors.holder import Holder
from bookings.engine import slot_gate
from bookings.errors import HoldLimit, SlotHeld, SlotTaken
from bookings.holding.services.holds import hold_slot
from bookings.models import Hold, HoldState
from docbook.errors import NotFound
from doctors.models import Slot, VisitType
from tests.bookings.acts import as_patient, attempt, book, bookable, code_of, guest, key_of, take
from tests.concurrency.rush import rush
from tests.factories import make_patient

pytestmark = pytest.mark.django_db(transaction=True)

FEW = 8


def exchange(old: Hold, slot: Slot, *, visit_type: VisitType, holder: Holder) -> Hold:
    return hold_slot(
        slot_id=slot.pk,
        visit_type_id=visit_type.pk,
        holder=holder,
        instead_of=old.pk,
        now=timezone.now(),
    )


def live() -> set[tuple[int, ...]]:
    held = Hold.objects.filter(state=HoldState.HELD)
    return {tuple(slot_ids) for slot_ids in held.values_list("slot_ids", flat=True)}


@pytest.mark.parametrize("gate", ["closed", "gone"])
def test_of_those_who_give_theirs_for_one_time_the_losers_keep_what_they_had(
    gate: str, monkeypatch
) -> None:
    if gate == "gone":
        monkeypatch.setattr(slot_gate, "enter", lambda **_: slot_gate.Passage.UNKNOWN)
    visit_type, slots = bookable(count=FEW + 1)
    wanted, mine = slots[-1], slots[:-1]
    holders = [guest() for _ in mine]
    old = [
        take(slot, visit_type=visit_type, holder=holder)
        for slot, holder in zip(mine, holders, strict=True)
    ]
    outcomes = rush(
        lambda n: exchange(old[n], wanted, visit_type=visit_type, holder=holders[n]),
        list(range(FEW)),
    )
    assert Counter(type(each) for each in outcomes) == {Hold: 1, SlotHeld: FEW - 1}
    winner = next(n for n, each in enumerate(outcomes) if isinstance(each, Hold))
    assert live() == {(slot.pk,) for slot in slots} - {(mine[winner].pk,)}
    held = Slot.objects.filter(state="held")
    assert set(held.values_list("pk", flat=True)) == {slot_ids[0] for slot_ids in live()}


def test_gates_follow_the_exchange() -> None:
    visit_type, slots = bookable()
    holder = guest()
    old = take(slots[0], visit_type=visit_type, holder=holder)
    exchange(old, slots[1], visit_type=visit_type, holder=holder)
    redis = get_redis_connection("default")
    assert redis.keys("lock:slot:*") == [f"lock:slot:{slots[1].pk}".encode()]
    take(slots[0], visit_type=visit_type, holder=guest())


def test_longer_visit_takes_the_place_of_a_shorter_one_at_the_same_start() -> None:
    visit_type, slots = bookable()
    longer = VisitType.objects.create(doctor=visit_type.doctor, name="Long", slots=2, price_cents=1)
    holder = guest()
    old = take(slots[0], visit_type=visit_type, holder=holder)
    new = exchange(old, slots[0], visit_type=longer, holder=holder)
    assert new.slot_ids == [slots[0].pk, slots[1].pk]
    assert live() == {tuple(new.slot_ids)}
    assert slot_gate.locks() == {slots[0].pk: key_of(holder)}


def test_time_that_is_lost_to_a_visit_leaves_the_old_one_kept_with_its_code() -> None:
    visit_type, slots = bookable()
    holder = as_patient(make_patient())
    old = attempt(slots[0], visit_type=visit_type, holder=holder)
    book(slots[1], visit_type=visit_type, holder=guest())
    with pytest.raises(SlotTaken):
        exchange(old, slots[1], visit_type=visit_type, holder=holder)
    before = Hold.objects.get(pk=old.pk)
    assert (before.state, before.expires_at, code_of(before)) == (
        HoldState.HELD,
        old.expires_at,
        code_of(old),
    )
    assert slot_gate.locks() == {slots[0].pk: key_of(holder)}


def test_limit_of_times_kept_counts_the_one_that_is_given_for_it(settings) -> None:
    settings.LIVE_HOLDS_PER_GUEST = 1
    visit_type, slots = bookable()
    holder = guest()
    old = take(slots[0], visit_type=visit_type, holder=holder)
    with pytest.raises(HoldLimit):
        take(slots[1], visit_type=visit_type, holder=holder)
    assert exchange(old, slots[1], visit_type=visit_type, holder=holder).slot_ids == [slots[1].pk]


def test_what_became_a_visit_is_in_nobodys_way_and_stays() -> None:
    visit_type, slots = bookable()
    holder = as_patient(make_patient())
    visit = book(slots[0], visit_type=visit_type, holder=holder)
    exchange(Hold.objects.get(pk=visit.pk), slots[2], visit_type=visit_type, holder=holder)
    assert Hold.objects.get(pk=visit.pk).state == HoldState.CONFIRMED
    assert live() == {(slots[2].pk,)}


def test_time_of_somebody_else_is_not_given_for_it() -> None:
    visit_type, slots = bookable()
    foreign = take(slots[0], visit_type=visit_type, holder=guest())
    with pytest.raises(NotFound):
        exchange(foreign, slots[1], visit_type=visit_type, holder=guest())
    assert live() == {(slots[0].pk,)}
    assert set(slot_gate.locks()) == {slots[0].pk}

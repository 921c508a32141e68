"""Keeping a time: for whom, how many, for how long, and how it comes back."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from django_redis import get_redis_connection

from bookings.errors import HoldExpired, HoldLimit, SlotHeld, SlotTaken
from bookings.holder import Holder
from bookings.models import Hold, HoldState
from bookings.services.releases import release_hold, sweep_holds
from bookings.tasks import sweep
from docbook.audit.models import AuditEvent
from docbook.errors import NotFound
from doctors.models import Mode, Slot, SlotState
from tests.bookings.acts import (
    as_patient,
    ask_for_code,
    attempt,
    book,
    bookable,
    guest,
    let_expire,
    take,
)
from tests.bookings.traces import traces
from tests.factories import (
    make_appointment,
    make_clinic,
    make_patient,
    make_slots,
    make_visit_type,
    tomorrow_at,
)

pytestmark = pytest.mark.django_db


def states(slots: list[Slot]) -> list[str]:
    found = Slot.objects.in_bulk([slot.pk for slot in slots])
    return [found[slot.pk].state for slot in slots]


def actions(hold: Hold) -> list[str]:
    events = AuditEvent.objects.filter(object_id=str(hold.pk)).order_by("id")
    return list(events.values_list("action", flat=True))


def test_held_time_is_kept_for_five_minutes_by_hold_and_slot_alike() -> None:
    visit_type, slots = bookable()
    before = timezone.now()
    hold = take(slots[0], visit_type=visit_type, holder=guest())
    slots[0].refresh_from_db()
    assert (slots[0].state, slots[0].hold_id) == (SlotState.HELD, hold.pk)
    assert slots[0].held_until == hold.expires_at
    assert timedelta(minutes=4, seconds=58) < hold.expires_at - before < timedelta(minutes=5.1)
    assert actions(hold) == ["hold.created"]


def test_guest_keeps_one_time_and_is_refused_the_second() -> None:
    visit_type, slots = bookable()
    holder = guest()
    take(slots[0], visit_type=visit_type, holder=holder)
    before = traces()
    with pytest.raises(HoldLimit) as refusal:
        take(slots[1], visit_type=visit_type, holder=holder)
    assert refusal.value.limit == 1
    assert traces() == before


def test_patient_keeps_three_times_and_is_refused_the_fourth() -> None:
    visit_type, slots = bookable()
    holder = as_patient(make_patient())
    for slot in slots[:3]:
        take(slot, visit_type=visit_type, holder=holder)
    with pytest.raises(HoldLimit) as refusal:
        take(slots[3], visit_type=visit_type, holder=holder)
    assert refusal.value.limit == 3
    assert states(slots) == ["held", "held", "held", "open"]


def test_limits_of_one_holder_do_not_touch_another() -> None:
    visit_type, slots = bookable()
    for slot in slots:
        take(slot, visit_type=visit_type, holder=guest())
    assert states(slots) == ["held"] * 4


@pytest.mark.parametrize("ended_by", ["expiry", "release", "confirmation"])
def test_hold_that_is_over_does_not_count_against_the_limit(ended_by: str) -> None:
    visit_type, slots = bookable()
    holder = guest()
    if ended_by == "confirmation":
        book(slots[0], visit_type=visit_type, holder=holder)
    else:
        hold = take(slots[0], visit_type=visit_type, holder=holder)
        if ended_by == "expiry":
            let_expire(hold)
        else:
            release_hold(hold_id=hold.pk, holder=holder)
    assert take(slots[1], visit_type=visit_type, holder=holder).state == HoldState.HELD


def test_expired_hold_is_taken_over_without_a_sweeper_and_marked() -> None:
    visit_type, slots = bookable()
    lapsed = take(slots[0], visit_type=visit_type, holder=guest())
    let_expire(lapsed)
    _open_gates()
    following = take(slots[0], visit_type=visit_type, holder=guest())
    lapsed.refresh_from_db()
    slots[0].refresh_from_db()
    assert lapsed.state == HoldState.EXPIRED
    assert actions(lapsed) == ["hold.created", "hold.expired"]
    assert slots[0].hold_id == following.pk


def test_long_visit_takes_all_its_slots_and_gives_all_back() -> None:
    visit_type, slots = bookable(slots=3)
    holder = guest()
    hold = take(slots[1], visit_type=visit_type, holder=holder)
    assert states(slots) == ["open", "held", "held", "held"]
    assert hold.ends_at - hold.starts_at == timedelta(minutes=60)
    release_hold(hold_id=hold.pk, holder=holder)
    assert states(slots) == ["open"] * 4


def test_long_visit_whose_last_slot_is_held_takes_none() -> None:
    visit_type, slots = bookable(slots=3)
    short = make_visit_type(doctor=visit_type.doctor)
    take(slots[3], visit_type=short, holder=guest())
    before = traces()
    with pytest.raises(SlotHeld):
        take(slots[1], visit_type=visit_type, holder=guest())
    assert traces() == before


def test_long_visit_whose_last_slot_is_booked_takes_none() -> None:
    visit_type, slots = bookable(slots=3)
    make_appointment(slots=slots[2:3])
    before = traces()
    with pytest.raises(SlotTaken):
        take(slots[0], visit_type=visit_type, holder=guest())
    assert traces() == before


@pytest.mark.parametrize("obstacle", ["gap", "other clinic", "other mode"])
def test_long_visit_needs_adjacent_slots_of_one_clinic_and_mode(obstacle: str) -> None:
    visit_type, (slot,) = bookable(slots=2, count=1)
    more = {
        "gap": {"starts_at": slot.ends_at + timedelta(minutes=20)},
        "other clinic": {"starts_at": slot.ends_at, "clinic": make_clinic()},
        "other mode": {"starts_at": slot.ends_at, "mode": Mode.VIDEO},
    }[obstacle]
    make_slots(doctor=slot.doctor, **more)
    with pytest.raises(SlotTaken):
        take(slot, visit_type=visit_type, holder=guest())
    assert not Hold.objects.exists()


def test_refusal_names_three_free_times_and_not_the_one_that_is_gone() -> None:
    visit_type, slots = bookable(count=6)
    make_appointment(slots=slots[1:2])
    with pytest.raises(SlotTaken) as refusal:
        take(slots[1], visit_type=visit_type, holder=guest())
    assert [time.slot_id for time in refusal.value.alternatives] == [s.pk for s in slots[2:5]]


def test_released_time_is_free_for_the_next_patient(django_capture_on_commit_callbacks) -> None:
    visit_type, slots = bookable()
    holder = guest()
    hold = take(slots[0], visit_type=visit_type, holder=holder)
    with django_capture_on_commit_callbacks(execute=True):
        release_hold(hold_id=hold.pk, holder=holder)
    assert actions(hold) == ["hold.created", "hold.released"]
    assert take(slots[0], visit_type=visit_type, holder=guest()).state == HoldState.HELD


def test_release_of_a_released_hold_changes_nothing() -> None:
    visit_type, slots = bookable()
    holder = guest()
    hold = take(slots[0], visit_type=visit_type, holder=holder)
    release_hold(hold_id=hold.pk, holder=holder)
    before = traces()
    assert release_hold(hold_id=hold.pk, holder=holder).state == HoldState.RELEASED
    assert traces() == before


def test_late_release_does_not_open_the_time_of_the_next_patient() -> None:
    visit_type, slots = bookable()
    late = guest()
    lapsed = take(slots[0], visit_type=visit_type, holder=late)
    let_expire(lapsed)
    _open_gates()
    following = take(slots[0], visit_type=visit_type, holder=guest())
    release_hold(hold_id=lapsed.pk, holder=late)
    slots[0].refresh_from_db()
    assert (slots[0].state, slots[0].hold_id) == (SlotState.HELD, following.pk)


def test_confirmed_visit_is_not_released() -> None:
    visit_type, slots = bookable()
    holder = guest()
    appointment = book(slots[0], visit_type=visit_type, holder=holder)
    before = traces()
    with pytest.raises(HoldExpired):
        release_hold(hold_id=appointment.pk, holder=holder)
    assert traces() == before


@pytest.mark.parametrize("stranger", ["guest", "patient", "patient of the same browser"])
def test_stranger_releases_nothing(stranger: str) -> None:
    visit_type, slots = bookable()
    owner = as_patient(make_patient())
    hold = take(slots[0], visit_type=visit_type, holder=owner)
    other = {
        "guest": guest(),
        "patient": as_patient(make_patient()),
        "patient of the same browser": Holder(patient=make_patient(), guest_key=uuid4()),
    }[stranger]
    before = traces()
    with pytest.raises(NotFound):
        release_hold(hold_id=hold.pk, holder=other)
    assert traces() == before


def test_guest_who_signs_in_half_way_keeps_the_hold() -> None:
    visit_type, slots = bookable()
    browser = guest()
    hold = take(slots[0], visit_type=visit_type, holder=browser)
    signed_in = Holder(patient=make_patient(), guest_key=browser.guest_key)
    ask_for_code(hold, holder=signed_in)
    hold.refresh_from_db()
    assert hold.patient == signed_in.patient
    with pytest.raises(NotFound):
        release_hold(hold_id=hold.pk, holder=Holder(make_patient(), browser.guest_key))


def test_guest_who_signs_in_half_way_counts_their_guest_hold_as_theirs() -> None:
    visit_type, slots = bookable()
    browser = guest()
    take(slots[0], visit_type=visit_type, holder=browser)
    signed_in = Holder(patient=make_patient(), guest_key=browser.guest_key)
    for slot in slots[1:3]:
        take(slot, visit_type=visit_type, holder=signed_in)
    with pytest.raises(HoldLimit):
        take(slots[3], visit_type=visit_type, holder=signed_in)


def test_sweeper_marks_what_is_over_and_leaves_the_rest() -> None:
    visit_type, slots = bookable()
    over, alive = (take(slot, visit_type=visit_type, holder=guest()) for slot in slots[:2])
    confirmed = book(slots[2], visit_type=visit_type, holder=guest())
    let_expire(over)
    assert sweep_holds() == 1
    assert states(slots) == ["open", "held", "booked", "open"]
    assert actions(over) == ["hold.created", "hold.expired"]
    assert AuditEvent.objects.get(action="hold.expired").actor_kind == "system"
    alive.refresh_from_db()
    assert alive.state == HoldState.HELD
    assert Hold.objects.get(pk=confirmed.pk).state == HoldState.CONFIRMED
    assert sweep_holds() == 0


def test_sweeper_spares_a_hold_that_was_renewed_between_look_and_lock(monkeypatch) -> None:
    visit_type, slots = bookable()
    hold = attempt(slots[0], visit_type=visit_type, holder=guest())
    monkeypatch.setattr("bookings.services.releases.lapsed_hold_ids", lambda *, limit: [hold.pk])
    before = traces()
    sweep()
    assert traces() == before


def test_sweeper_does_not_take_the_time_from_whoever_took_it_over() -> None:
    visit_type, slots = bookable()
    lapsed = take(slots[0], visit_type=visit_type, holder=guest())
    let_expire(lapsed)
    _open_gates()
    following = take(slots[0], visit_type=visit_type, holder=guest())
    assert sweep_holds() == 0
    slots[0].refresh_from_db()
    assert (slots[0].state, slots[0].hold_id) == (SlotState.HELD, following.pk)


def test_time_of_a_whole_day_ahead_is_held_at_its_first_and_last_moment() -> None:
    visit_type, slots = bookable(count=1)
    late = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(23, 40))
    for slot in (*slots, *late):
        assert take(slot, visit_type=visit_type, holder=guest()).starts_at == slot.starts_at


def _open_gates() -> None:
    """After five minutes Redis has forgotten its locks as well."""
    get_redis_connection("default").flushdb()


@pytest.mark.django_db(transaction=True)
def test_rest_of_a_lapsed_long_hold_is_opened_when_one_of_its_slots_is_claimed() -> None:
    visit_type, slots = bookable(slots=2)
    short = make_visit_type(doctor=visit_type.doctor, slots=1)
    let_expire(take(slots[0], visit_type=visit_type, holder=guest()))
    get_redis_connection("default").flushdb()  # the gate lapses with the hold
    take(slots[1], visit_type=short, holder=guest())
    assert Slot.objects.get(pk=slots[0].pk).state == SlotState.OPEN

"""Holding a time: for which holder, how many, for how long, and how it is given back."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone
from django_redis import get_redis_connection
from structlog.testing import capture_logs

from bookings.actors.holder import Holder
from bookings.engine import slot_gate
from bookings.engine.services import release_hold, sweep_holds
from bookings.errors import (
    HoldExpired,
    HoldLimit,
    OutsideBookingWindow,
    PatientBusy,
    SlotHeld,
    SlotTaken,
)
from bookings.holding.services.holds import OfferTerms, hold_slot
from bookings.models import Hold, HoldState
from bookings.tasks import sweep
from docbook.audit.models import AuditEvent
from docbook.errors import FieldError, NotFound
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
    make_doctor,
    make_patient,
    make_slots,
    make_visit_type,
    make_waitlist_entry,
    tomorrow_at,
)
from tests.sentences import is_a_sentence

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


@pytest.mark.parametrize("who", ["guest", "patient", "waitlist", "who moves a visit"])
def test_hold_that_is_answered_is_the_row_that_was_written(who: str) -> None:
    visit_type, slots = bookable()
    entry = make_waitlist_entry(doctor=visit_type.doctor, visit_type=visit_type)
    patient = as_patient(entry.patient)
    visit = book(slots[3], visit_type=visit_type, holder=patient)
    hold = hold_slot(
        slot_id=slots[0].pk,
        visit_type_id=visit_type.pk,
        holder=guest() if who == "guest" else patient,
        replaces=visit.pk if who == "who moves a visit" else None,
        offer=OfferTerms(entry.pk, timedelta(minutes=15)) if who == "waitlist" else None,
        address=4711,
        now=timezone.now(),
    )
    written = Hold.objects.get(pk=hold.pk)
    names = {field.attname for field in Hold._meta.concrete_fields} - {"created_at"}
    if who == "waitlist":  # with who it is for: the database knows them
        names -= {"first_name", "last_name", "email", "phone", "code_sent_at"}
    assert {name: getattr(hold, name) for name in names} == {
        name: getattr(written, name) for name in names
    }


@pytest.mark.parametrize(
    ("limit", "is_refused"),
    [
        ({"min_notice_minutes": 24 * 60, "horizon_days": 5}, False),
        ({"min_notice_minutes": 5 * 24 * 60}, True),
        ({"horizon_days": 1}, True),
    ],
)
def test_time_is_held_neither_too_late_nor_too_early(limit, is_refused: bool) -> None:
    visit_type, _none = bookable(count=0, **limit)
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3))
    if is_refused:
        with pytest.raises(OutsideBookingWindow):
            take(slots[0], visit_type=visit_type, holder=guest())
    else:
        take(slots[0], visit_type=visit_type, holder=guest())


def test_patient_who_is_busy_at_that_time_is_told_with_which_visit() -> None:
    patient = as_patient(make_patient())
    visit_type, slots = bookable()
    visit = book(slots[0], visit_type=visit_type, holder=patient)
    other, other_slots = bookable()
    with pytest.raises(PatientBusy) as refusal:
        take(other_slots[0], visit_type=other, holder=patient)
    assert refusal.value.appointment == visit


def test_patient_who_is_busy_twice_at_that_time_is_told_with_the_earlier_visit() -> None:
    patient = make_patient()
    visit_type, slots = bookable(slots=3)
    later, earlier = (
        make_appointment(
            slots=make_slots(doctor=make_doctor(), starts_at=slots[number].starts_at),
            patient=patient,
        )
        for number in (2, 0)
    )
    with pytest.raises(PatientBusy) as refusal:
        take(slots[0], visit_type=visit_type, holder=as_patient(patient))
    assert later.starts_at > earlier.starts_at
    assert refusal.value.appointment == earlier


def test_times_that_touch_on_either_side_keep_nobody_busy() -> None:
    patient = as_patient(make_patient())
    visit_type, _none = bookable(count=0)
    before, middle, after = make_slots(
        doctor=visit_type.doctor, starts_at=tomorrow_at(days=2), count=3
    )
    book(middle, visit_type=visit_type, holder=patient)
    for slot in (before, after):
        assert take(slot, visit_type=visit_type, holder=patient)


@pytest.mark.parametrize("status", ["confirmed", "arrived", "completed", "no_show"])
def test_visit_that_was_not_called_off_keeps_its_patient_busy(status: str) -> None:
    patient = make_patient()
    visit_type, slots = bookable()
    visit = make_appointment(slots=bookable()[1][:1], patient=patient, status=status)
    with pytest.raises(PatientBusy) as refusal:
        take(slots[0], visit_type=visit_type, holder=as_patient(patient))
    assert refusal.value.appointment == visit


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


@pytest.mark.parametrize("unknown", ["slot", "visit_type"])
def test_unknown_time_and_unknown_reason_are_named_in_a_sentence(unknown: str) -> None:
    visit_type, slots = bookable()
    if unknown == "slot":
        slots[0].delete()
    else:
        visit_type.is_active = False
        visit_type.save()
    with pytest.raises(FieldError) as refusal:
        hold_slot(
            slot_id=slots[0].pk or 9_999_999,
            visit_type_id=visit_type.pk,
            holder=guest(),
            now=timezone.now(),
        )
    assert (refusal.value.field, refusal.value.field_code) == (unknown, "unknown")
    assert is_a_sentence(refusal.value.message)


def test_time_that_is_gone_for_good_is_unknown_also_behind_a_closed_gate() -> None:
    visit_type, slots = bookable()
    get_redis_connection("default").set(f"lock:slot:{slots[0].pk}", "somebody else")
    Slot.objects.filter(pk=slots[0].pk).delete()
    with pytest.raises(FieldError) as refusal:
        take(slots[0], visit_type=visit_type, holder=guest())
    assert refusal.value.field == "slot"


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
    event = AuditEvent.objects.get(action="hold.released")
    assert (event.object_type, event.actor_kind) == ("hold", "guest")
    assert (event.before, event.after) == ({"state": "held"}, {"state": "released"})
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


def test_sweeper_that_is_asked_about_one_doctor_leaves_the_others() -> None:
    (mine, slots), (other, other_slots) = bookable(), bookable()
    holds = [
        take(slots[0], visit_type=mine, holder=guest()),
        take(other_slots[0], visit_type=other, holder=guest()),
    ]
    for hold in holds:
        let_expire(hold)
    assert sweep_holds(doctor_id=mine.doctor_id) == 1
    assert [Hold.objects.get(pk=hold.pk).state for hold in holds] == ["expired", "held"]


@pytest.mark.django_db(transaction=True)
def test_hold_that_meets_a_stale_one_sweeps_its_own_doctor_only() -> None:
    """The slots have forgotten the stale hold; the constraint has not."""
    (mine, slots), (other, other_slots) = bookable(), bookable()
    holds = [
        take(slots[0], visit_type=mine, holder=guest()),
        take(other_slots[0], visit_type=other, holder=guest()),
    ]
    for hold in holds:
        let_expire(hold)
    Slot.objects.filter(pk=slots[0].pk).update(state="open", hold_id=None, held_until=None)
    _open_gates()
    assert take(slots[0], visit_type=mine, holder=guest()).state == "held"
    assert [Hold.objects.get(pk=hold.pk).state for hold in holds] == ["expired", "held"]


def test_exchange_for_a_time_that_somebody_else_holds_gives_nothing_back(monkeypatch) -> None:
    """Without the gate, the database refuses after the old time was given back."""
    monkeypatch.setattr(slot_gate, "enter", lambda **_: slot_gate.Passage.UNKNOWN)
    visit_type, slots = bookable()
    holder = guest()
    old = take(slots[0], visit_type=visit_type, holder=holder)
    take(slots[1], visit_type=visit_type, holder=guest())
    with pytest.raises(SlotHeld):
        hold_slot(
            slot_id=slots[1].pk,
            visit_type_id=visit_type.pk,
            holder=holder,
            instead_of=old.pk,
            now=timezone.now(),
        )
    assert Hold.objects.get(pk=old.pk).state == "held"


def test_sweeper_spares_a_hold_that_was_renewed_between_look_and_lock(monkeypatch) -> None:
    visit_type, slots = bookable()
    hold = attempt(slots[0], visit_type=visit_type, holder=guest())
    monkeypatch.setattr("bookings.engine.services.lapsed_hold_ids", lambda **_query: [hold.pk])
    before = traces()
    sweep()
    assert sweep_holds() == 0
    assert traces() == before


def test_sweeper_does_not_take_the_time_from_its_new_holder() -> None:
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


def test_live_hold_that_only_the_database_sees_is_the_same_refusal() -> None:
    """This should never happen. If it does, the constraint on holds refuses, and nobody
    sees a 500.
    """
    visit_type, slots = bookable()
    hold = take(slots[0], visit_type=visit_type, holder=guest())
    Slot.objects.filter(pk=slots[0].pk).update(state="open", hold_id=None, held_until=None)
    _open_gates()
    before = traces()
    with pytest.raises(SlotHeld) as refusal:
        take(slots[0], visit_type=visit_type, holder=guest())
    assert refusal.value.starts_at == hold.starts_at
    assert refusal.value.alternatives
    assert traces() == before


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


@pytest.mark.django_db(transaction=True)
def test_hold_that_somebody_works_on_just_now_does_not_stop_the_sweep() -> None:
    visit_type, slots = bookable()
    busy, over = (take(slot, visit_type=visit_type, holder=guest()) for slot in slots[:2])
    let_expire(busy)
    let_expire(over)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'")
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT FROM doctors_slot WHERE id = %s FOR UPDATE", [slots[0].pk])
            with capture_logs() as logs:
                assert sweep_holds() == 1
            cursor.execute("ROLLBACK")  # a closed connection keeps its locks for a moment more
    finally:
        other.close()
        connection.close()  # with its time-out
    assert logs == [{"event": "hold_not_ended", "log_level": "warning", "hold_id": str(busy.pk)}]
    assert states(slots) == ["held", "open", "open", "open"]
    assert sweep_holds() == 1

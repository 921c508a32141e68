"""Search, cards, picker, API, waitlist, alternatives and hold all call the same set bookable.

The oracle here is written separately, in plain Python, from the promise. A visit can start where
enough free slots for its type follow each other at one clinic, together with the time kept free
after it. The start is after the notice, on one of the days of the horizon on that clinic's clock,
which does not have as many visits as the doctor wants.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bookings.appointments.selectors.alternatives import _kept, next_free_times
from bookings.engine import slot_gate
from bookings.errors import OutsideBookingWindow, SlotHeld, SlotTaken
from bookings.holding.services.holds import hold_slot
from bookings.waitlist.selectors import free_times_near
from doctors.models import Clinic, Doctor, Slot, VisitType
from doctors.selectors.search import DoctorSearch, search_doctors
from doctors.views.cards import doctor_cards
from doctors.views.picker import build_picker
from doctors.views.picker_page import PickerQuery
from tests.api.client import Api
from tests.bookings.acts import guest, key_of
from tests.factories import make_clinic, make_doctor, make_visit_type, make_waitlist_entry

pytestmark = pytest.mark.django_db

ZONES = (
    *("Europe/Amsterdam", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati"),
    "America/Havana",
)
# Zones whose clocks change at midnight: it comes twice there, or never.
AT_MIDNIGHT = ("America/Havana", "Atlantic/Azores", "Asia/Beirut", "Africa/Cairo")
# Nights when the clocks of Amsterdam and of New York change.
NIGHTS = ((3, 28), (10, 31), (3, 14), (11, 7))
states = st.sampled_from(["open", "open", "open", "lapsed", "held", "booked", "blocked"])
cells = st.tuples(
    st.booleans(),
    st.integers(0, 2),
    st.sampled_from(["any", "any", "video"]),
    states,
    st.sampled_from([None, None, None, 0, 1]),
)
blocks = st.tuples(
    st.sampled_from(["soon", "edge", "night"]), st.integers(0, 30), st.lists(cells, max_size=5)
)
reasons = st.tuples(
    st.integers(1, 3), st.integers(0, 2), st.sampled_from(["in_person", "video"]), st.booleans()
)


@dataclass
class World:
    doctor: Doctor
    slots: list[Slot]
    reasons: list[VisitType]
    now: datetime

    def starts(self, reason: VisitType) -> list[Slot]:
        """The oracle."""
        return [slot for slot in self.slots if reason.is_active and self.can_start(slot, reason)]

    def can_start(self, first: Slot, reason: VisitType) -> bool:
        at = self.slots.index(first)
        visit, after = self.slots[at : at + reason.slots], self.slots[at + reason.slots :]
        end, needed = first.starts_at, list(visit)
        for slot in visit:
            if slot.starts_at != end or is_for(slot) != is_for(first):
                return False
            end = slot.ends_at
        for slot in after[: reason.buffer_slots]:
            if slot.starts_at != end or slot.state == "blocked":
                break
            needed.append(slot)
            end = slot.ends_at
        zone = ZoneInfo(first.clinic.time_zone)
        last = self.now.astimezone(zone).date() + timedelta(days=self.doctor.horizon_days - 1)
        return (
            len(visit) == reason.slots
            and first.mode in ("any", reason.mode)
            and (first.visit_types is None or reason.pk in first.visit_types)
            and not self.is_full(day_of(first))
            and all(self.is_free(slot) for slot in needed)
            and first.starts_at >= self.now + timedelta(minutes=self.doctor.min_notice_minutes)
            and day_of(first) <= last
        )

    def is_full(self, day: date) -> bool:
        """Each booked or held slot here is a visit of its own."""
        most = self.doctor.most_visits_a_day
        visits = [
            slot
            for slot in self.slots
            if slot.state in ("booked", "held") and not self.is_free(slot) and day_of(slot) == day
        ]
        return most is not None and len(visits) >= most

    def is_free(self, slot: Slot) -> bool:
        lapsed = slot.held_until is not None and slot.held_until <= self.now
        return slot.state == "open" or lapsed


def is_for(slot: Slot) -> tuple[Any, ...]:
    return slot.clinic_id, slot.mode, slot.visit_types


def day_of(slot: Slot) -> date:
    return slot.starts_at.astimezone(ZoneInfo(slot.clinic.time_zone)).date()


def ids(slots: list[Slot]) -> set[int]:
    return {slot.pk for slot in slots}


@st.composite
def plans(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "zones": draw(st.lists(st.sampled_from(ZONES), min_size=1, max_size=3)),
        "notice": draw(st.sampled_from([0, 60, 3 * 24 * 60])),
        "horizon": draw(st.sampled_from([1, 3, 60, 365])),
        "most": draw(st.sampled_from([None, None, 1, 2])),
        "blocks": draw(st.lists(blocks, min_size=1, max_size=3)),
        "reasons": draw(st.lists(reasons, min_size=1, max_size=2)),
    }


def begin_of(kind: str, hours: int, *, horizon: int, now: datetime) -> datetime:
    """In the next days, around the end of the horizon, or in a night when clocks change."""
    hour = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    if kind == "edge":
        return hour + timedelta(days=horizon, hours=hours - 30)
    if kind == "night":
        nights = [datetime(now.year + n, m, d, tzinfo=UTC) for n in (0, 1) for m, d in NIGHTS]
        return min(night for night in nights if night > now) + timedelta(hours=hours % 8)
    return hour + timedelta(hours=hours)


def build(plan: dict[str, Any]) -> World:
    now = timezone.now()
    clinics = [
        make_clinic(name=f"Clinic {n}", city=f"City {n}", time_zone=zone)
        for n, zone in enumerate(plan["zones"])
    ]
    doctor = make_doctor(
        clinic=clinics[0],
        slot_minutes=30,
        min_notice_minutes=plan["notice"],
        horizon_days=plan["horizon"],
        most_visits_a_day=plan["most"],
    )
    types = [
        make_visit_type(doctor=doctor, slots=n, buffer_slots=kept, mode=mode, is_active=not off)
        for n, kept, mode, off in plan["reasons"]
    ]
    made: dict[datetime, Slot] = {}
    for kind, hours, grid in plan["blocks"]:
        moment = begin_of(kind, hours, horizon=plan["horizon"], now=now)
        for gap, clinic, mode, state, only in grid:
            moment += timedelta(minutes=30) if gap else timedelta(0)
            if moment > now and moment not in made:
                where = clinics[clinic % len(clinics)]
                those = None if only is None else [types[only % len(types)].pk]
                made[moment] = slot_at(moment, doctor, where, mode, state, those)
            moment += timedelta(minutes=30)
    return World(doctor, [made[at] for at in sorted(made)], types, timezone.now())


def slot_at(
    moment: datetime,
    doctor: Doctor,
    clinic: Clinic,
    mode: str,
    state: str,
    visit_types: list[int] | None = None,
) -> Slot:
    until = {"lapsed": timedelta(minutes=-1), "held": timedelta(minutes=5)}.get(state)
    return Slot.objects.create(
        doctor=doctor,
        clinic=clinic,
        mode=mode,
        visit_types=visit_types,
        starts_at=moment,
        ends_at=moment + timedelta(minutes=30),
        state="held" if until else state,
        hold_id=uuid4() if state in ("lapsed", "held", "booked") else None,
        held_until=timezone.now() + until if until else None,
    )


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(plans())
def test_every_door_calls_the_same_times_bookable(plan: dict[str, Any]) -> None:
    with transaction.atomic():
        world = build(plan)
        for reason in world.reasons:
            compare_days(world, reason)
            compare_lists(world, reason)
            compare_hold(world, reason)
        compare_search(world)
        transaction.set_rollback(True)


@pytest.mark.parametrize("zone", AT_MIDNIGHT)
def test_horizon_ends_with_a_day_also_where_midnight_comes_twice_or_never(zone: str) -> None:
    tested = 0
    for night in changes_of(zone):
        days = (night - timezone.now().astimezone(ZoneInfo(zone)).date()).days
        for horizon in (days, days + 1):
            if 1 <= horizon <= 365:
                world = world_of_a_night(zone, night, horizon=horizon)
                [reason] = world.reasons
                assert 0 < len(world.starts(reason)) <= len(world.slots)
                assert (len(world.starts(reason)) == len(world.slots)) is (horizon > days)
                compare_days(world, reason)
                compare_lists(world, reason)
                compare_hold(world, reason)
                tested += 1
    assert tested >= 2


def changes_of(zone: str) -> list[date]:
    """The days of the coming year whose night is longer or shorter than the one before."""
    today, place = timezone.now().astimezone(ZoneInfo(zone)).date(), ZoneInfo(zone)
    noons = [
        datetime(day.year, day.month, day.day, 12, tzinfo=place)
        for day in (today + timedelta(days=n) for n in range(366))
    ]
    pairs = pairwise(noons)
    return [after.date() for before, after in pairs if before.utcoffset() != after.utcoffset()]


def world_of_a_night(zone: str, night: date, *, horizon: int) -> World:
    """Times every half hour, from two hours before that midnight until four after it."""
    clinic = make_clinic(time_zone=zone)
    doctor = make_doctor(clinic=clinic, slot_minutes=30, min_notice_minutes=0, horizon_days=horizon)
    noon = datetime(night.year, night.month, night.day, 12, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    begin = noon - timedelta(hours=14)
    moments = [begin + timedelta(minutes=30 * n) for n in range(12)]
    reason = make_visit_type(doctor=doctor, slots=1)
    made = [slot_at(each, doctor, clinic, "any", "open") for each in moments]
    return World(doctor, made, [reason], timezone.now())


def compare_days(world: World, reason: VisitType) -> None:
    """Picker and API, on every day with a slot."""
    starts = world.starts(reason)
    doctor = Doctor.objects.get(pk=world.doctor.pk)
    for day in sorted({day_of(slot) for slot in world.slots}) if reason.is_active else ():
        right = {slot.pk for slot in starts if day_of(slot) == day}
        query = {"date": day.isoformat(), "visit_type": reason.pk, "limit": 100}
        items = Api().get(f"doctors/{doctor.pk}/slots", query).json()["items"]
        assert {item["slotId"] for item in items} == right
        assert all(item["startsAt"].startswith(day.isoformat()) for item in items)
        picker = build_picker(
            doctor=doctor,
            query=PickerQuery(visit_type_id=reason.pk, date=day),
            now=world.now,
            own_holds={},
        )
        if picker.date == day:
            chips = [
                (chip.slot_id, at.place.id)
                for at in picker.places
                for part in at.parts
                for chip in part.times
                if chip.state == "free"
            ]
            assert dict(chips) == {slot.pk: slot.clinic_id for slot in starts if slot.pk in right}
        else:
            assert not right
        cells = [cell for month in picker.months for week in month.weeks for cell in week if cell]
        assert all(cell.free == len(right) for cell in cells if cell.iso == day.isoformat())


def compare_lists(world: World, reason: VisitType) -> None:
    """What is offered instead, and what somebody on the waitlist can get."""
    starts = world.starts(reason)
    if world.slots and reason.is_active:
        first = world.slots[0]
        _kept.clear()
        found = next_free_times(slot_id=first.pk, visit_type_id=reason.pk, now=world.now)
        near = [
            slot.pk
            for slot in starts
            if slot != first and slot.starts_at < first.starts_at + timedelta(days=14)
        ]
        assert found is not None
        assert [time.slot_id for time in found.times] == near[:3]
    entry = make_waitlist_entry(
        doctor=world.doctor,
        visit_type=reason,
        from_on=world.now.date() - timedelta(days=2),
        until_on=world.now.date() + timedelta(days=400),
    )
    assert {time.slot_id for time, _reason in free_times_near(entry, now=world.now)} == ids(starts)


def compare_hold(world: World, reason: VisitType) -> None:
    held = {slot.pk for slot in world.slots if can_be_held(slot, reason=reason)}
    assert held == ids(world.starts(reason))


def can_be_held(slot: Slot, *, reason: VisitType) -> bool:
    if not reason.is_active:
        return False
    holder = guest()
    try:
        with transaction.atomic():
            hold_slot(slot_id=slot.pk, visit_type_id=reason.pk, holder=holder, now=timezone.now())
            transaction.set_rollback(True)
    except (OutsideBookingWindow, SlotHeld, SlotTaken):
        return False
    slot_gate.leave(slot_id=slot.pk, holder_keys=[key_of(holder)])  # Redis knows no rollback
    return True


def compare_search(world: World) -> None:
    """By day, city and mode, with the first time and its clock; the card says the same."""
    starts = [(slot, reason) for reason in world.reasons for slot in world.starts(reason)]
    wishes = [DoctorSearch(), DoctorSearch(mode="video")]
    wishes += [DoctorSearch(city=slot.clinic.city) for slot in world.slots[:1]]
    wishes += [DoctorSearch(available_on=day) for day in {day_of(slot) for slot in world.slots}]
    for wish in wishes:
        fitting = [
            slot
            for slot, reason in starts
            if wish.mode in ("", reason.mode) and wish.city in ("", slot.clinic.city)
        ]
        on_day = [slot for slot in fitting if wish.available_on in (None, day_of(slot))]
        found = list(search_doctors(search=wish, now=world.now))
        if wish.available_on:
            assert bool(found) == bool(on_day)
        for doctor in found:
            first = min(fitting, key=lambda slot: slot.starts_at, default=None)
            assert doctor.next_free_at == (first.starts_at if first else None)
            assert doctor.next_free_zone == (first.clinic.time_zone if first else None)
            if first:
                days = [wish.available_on or day_of(first)]
                (card,) = doctor_cards([doctor], days=days, search=wish, now=world.now)
                assert card.visit_type is not None
                right = [slot for slot in world.starts(card.visit_type) if slot in fitting]
                shown = [slot for slot in right if day_of(slot) == days[0]]
                assert shown
                assert len(shown) == len(card.days[0].times) + card.days[0].more
                assert [t.place.id for t in card.days[0].times] == [
                    slot.clinic_id for slot in shown[: len(card.days[0].times)]
                ]

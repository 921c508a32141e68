"""What a picker shows as free can be held: the rules in Python and those of the database agree."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bookings.actors.holder import Holder
from bookings.appointments.selectors.appointments import times_to_move_to
from bookings.errors import SlotHeld, SlotTaken
from bookings.holding.services.holds import hold_slot
from bookings.models import Appointment
from doctors.models import Mode, Slot, SlotState, VisitType
from doctors.selectors.slots import times_of_doctor
from tests.bookings.acts import guest
from tests.factories import make_appointment, make_clinic, make_doctor, make_visit_type, tomorrow_at

pytestmark = pytest.mark.django_db

# A gap before it, its clinic, its mode, its state.
slots = st.tuples(
    st.booleans(), st.booleans(), st.sampled_from(["any", "video"]), st.sampled_from(SlotState)
)
grids = st.lists(slots, min_size=1, max_size=7)


def make_grid(grid: list[tuple[bool, bool, str, str]], *, visit_type: VisitType) -> list[Slot]:
    doctor, other = visit_type.doctor, make_clinic()
    step, moment, made = timedelta(minutes=doctor.slot_minutes), tomorrow_at(days=2), []
    for gap, elsewhere, mode, state in grid:
        moment += step if gap else timedelta(0)
        taken = state in ("held", "booked")
        made.append(
            Slot.objects.create(
                doctor=doctor,
                clinic=other if elsewhere else doctor.clinic,
                mode=mode,
                starts_at=moment,
                ends_at=moment + step,
                state=state,
                hold_id=uuid4() if taken else None,
                held_until=tomorrow_at() if state == "held" else None,
            )
        )
        moment += step
    return made


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(grids, st.integers(1, 3), st.integers(0, 2))
def test_shown_as_free_and_held_are_the_same(grid, length, kept_free) -> None:
    with transaction.atomic():
        visit_type = make_visit_type(
            doctor=make_doctor(), slots=length, buffer_slots=kept_free, mode=Mode.VIDEO
        )
        made = make_grid(grid, visit_type=visit_type)
        now = timezone.now()
        free, on_hold = times_of_doctor(
            doctor=visit_type.doctor,
            visit_type=visit_type,
            start=now,
            end=now + timedelta(days=9),
            now=now,
        )
        outcomes = {slot.pk: outcome_of(slot, visit_type=visit_type) for slot in made}
        assert {time.slot_id for time in free} == ids(outcomes, "kept")
        assert {time.slot_id for time in on_hold} == ids(outcomes, SlotHeld)
        transaction.set_rollback(True)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(grids, st.integers(1, 3), st.integers(0, 2), st.integers(0, 6))
def test_what_a_move_is_shown_is_what_it_can_hold(grid, length, kept_free, begins) -> None:
    with transaction.atomic():
        visit_type = make_visit_type(
            doctor=make_doctor(), slots=length, buffer_slots=kept_free, mode=Mode.VIDEO
        )
        made = make_grid(grid, visit_type=visit_type)
        own = made[begins % len(made) :][: length + kept_free]
        visit = make_appointment(slots=own, visit_type=visit_type)
        now = timezone.now()
        free = times_to_move_to(visit, start=now, end=now + timedelta(days=9), now=now)
        outcomes = {
            slot.pk: outcome_of(slot, visit_type=visit_type, moves=visit)
            for slot in made
            if slot.starts_at != visit.starts_at
        }
        assert {time.slot_id for time in free} == ids(outcomes, "kept")
        transaction.set_rollback(True)


def outcome_of(slot: Slot, *, visit_type: VisitType, moves: Appointment | None = None) -> object:
    """As the only caller: a held time is given back at once."""
    holder = Holder(patient=moves.patient) if moves else guest()
    try:
        with transaction.atomic():
            hold_slot(
                slot_id=slot.pk,
                visit_type_id=visit_type.pk,
                holder=holder,
                replaces=moves.pk if moves else None,
                now=timezone.now(),
            )
            transaction.set_rollback(True)
    except (SlotTaken, SlotHeld) as refusal:
        return type(refusal)
    return "kept"


def ids(outcomes: dict[int, object], outcome: object) -> set[int]:
    return {pk for pk, found in outcomes.items() if found == outcome}

"""Visits move while others want their times: one legal outcome in two hundred rounds."""

from functools import partial

import pytest
from django.utils import timezone

from bookings.actors.holder import Holder
from bookings.actors.practice_member import PracticeMember
from bookings.appointments.services.changes import cancel_appointment
from bookings.appointments.services.moves import move_appointment
from bookings.errors import SlotHeld, SlotTaken
from bookings.holding.services.confirmation import confirm_booking
from bookings.models import Appointment, Hold
from doctors.models import Slot, VisitType
from tests.bookings.acts import as_patient, book, bookable, code_of, hold_instead
from tests.concurrency.rounds import ROUNDS, broken_promises, callers, ends
from tests.factories import make_patient, make_secretary, make_slots, tomorrow_at

# Now and then one after the other: then the second gets what the first has left.
IN_TURN = 10

pytestmark = pytest.mark.django_db(transaction=True)


def practice(*, rounds: int, slots: int, length: int = 1) -> tuple[VisitType, list[list[Slot]]]:
    """For each round, this many slots of its own, far enough ahead to be changed."""
    visit_type, _none = bookable(count=0, slots=length, change_notice_minutes=0, horizon_days=90)
    first = tomorrow_at(0, days=3)
    grid = make_slots(doctor=visit_type.doctor, starts_at=first, count=rounds * slots)
    return visit_type, [grid[n : n + slots] for n in range(0, len(grid), slots)]


def a_visit(slot: Slot, *, visit_type: VisitType) -> Appointment:
    patient = make_patient()
    return book(slot, visit_type=visit_type, holder=as_patient(patient), email=patient.email)


def confirm(hold: Hold, visit: Appointment) -> Appointment:
    holder = Holder(patient=visit.patient)
    return confirm_booking(hold_id=hold.pk, holder=holder, code=code_of(hold))


def move(visit: Appointment, slot: Slot) -> Appointment:
    return confirm(hold_instead(visit, slot), visit)


def move_for_them(visit: Appointment, slot: Slot, by: PracticeMember) -> Appointment:
    return move_appointment(
        appointment_id=visit.pk,
        slot_id=slot.pk,
        by=by,
        version=1,
        reason="The doctor operates",
        now=timezone.now(),
    )


def status(visit: Appointment) -> str:
    return Appointment.objects.values_list("status", flat=True).get(
        pk=visit.pk, starts_at=visit.starts_at
    )


def test_two_who_want_each_others_times_both_keep_their_own() -> None:
    """Nobody gives up a time before the new one is confirmed, so there is nothing to swap."""
    visit_type, ((one, other),) = practice(rounds=1, slots=2)
    first, second = (a_visit(slot, visit_type=visit_type) for slot in (one, other))

    with callers() as meet:
        for number in range(ROUNDS):
            acts = [partial(move, first, other), partial(move, second, one)]
            results = meet(acts[:: 1 if number % 2 else -1])
            assert ends(results) == ["SlotTaken", "SlotTaken"], number

    assert [status(first), status(second)] == ["confirmed", "confirmed"]
    assert Hold.objects.count() == 2
    assert broken_promises() == []


def test_of_two_moves_in_a_ring_with_one_free_time_both_or_one_are_made() -> None:
    """The first goes to the free time; the second gets what the first leaves, or keeps its own."""
    visit_type, rounds = practice(rounds=ROUNDS, slots=3)

    with callers() as meet:
        for number, (one, other, free) in enumerate(rounds):
            first, second = (a_visit(slot, visit_type=visit_type) for slot in (one, other))
            acts = [partial(move, first, free), partial(move, second, one)]
            in_turn = number % IN_TURN == 0
            to_free, to_first = [act() for act in acts] if in_turn else meet(acts)

            assert isinstance(to_free, Appointment), (number, to_free)
            assert not in_turn or isinstance(to_first, Appointment), (number, to_first)
            assert isinstance(to_first, Appointment | SlotTaken | SlotHeld), (number, to_first)
            assert status(first) == "rescheduled"
            moved = isinstance(to_first, Appointment)
            assert status(second) == ("rescheduled" if moved else "confirmed"), number

    assert broken_promises() == []


def test_of_two_moves_of_one_visit_one_is_made() -> None:
    """An undecided patient holds two times. The second confirmation has nothing to move, and its
    time is given back.
    """
    visit_type, rounds = practice(rounds=ROUNDS, slots=3)

    with callers() as meet:
        for number, (old, *new) in enumerate(rounds):
            visit = a_visit(old, visit_type=visit_type)
            holds = [hold_instead(visit, slot) for slot in new]
            results = meet([partial(confirm, hold, visit) for hold in holds])

            assert ends(results) == ["Appointment", "NotChangeable"], number
            assert status(visit) == "rescheduled"
            states = sorted(
                Slot.objects.filter(pk__in=[each.pk for each in (old, *new)]).values_list(
                    "state", flat=True
                )
            )
            assert states == ["booked", "open", "open"], number

    assert broken_promises() == []


def test_of_a_cancellation_and_a_move_of_one_visit_one_is_made() -> None:
    visit_type, rounds = practice(rounds=ROUNDS, slots=2)

    with callers() as meet:
        for number, (old, new) in enumerate(rounds):
            visit = a_visit(old, visit_type=visit_type)
            hold = hold_instead(visit, new)
            cancel = partial(
                cancel_appointment,
                appointment_id=visit.pk,
                by=Holder(patient=visit.patient),
                version=1,
                now=timezone.now(),
            )
            acts = [cancel, partial(confirm, hold, visit)]
            results = meet(acts[:: 1 if number % 2 else -1])

            # The second one finds a visit of another status or another version.
            assert ends(results) in (
                ["Appointment", "NotChangeable"],
                ["Appointment", "VersionMismatch"],
            ), number
            end = status(visit)
            old.refresh_from_db()
            new.refresh_from_db()
            assert (end, old.state, new.state) in {
                ("cancelled", "open", "open"),
                ("rescheduled", "open", "booked"),
            }, number

    assert broken_promises() == []


@pytest.mark.parametrize("who", ["patients", "practice"])
def test_of_two_long_visits_that_move_up_in_a_row_the_first_always_does(who: str) -> None:
    """Each keeps one slot of its own, and the second wants one that the first gives up."""
    visit_type, rounds = practice(rounds=ROUNDS, slots=5, length=2)
    by = PracticeMember(make_secretary(doctor=visit_type.doctor))

    with callers() as meet:
        for number, slots in enumerate(rounds):
            visits = [a_visit(slots[at], visit_type=visit_type) for at in (1, 3)]
            pairs = list(zip(visits, (slots[0], slots[2]), strict=True))
            acts = [
                partial(move, *pair) if who == "patients" else partial(move_for_them, *pair, by)
                for pair in pairs
            ]
            in_turn = number % IN_TURN == 0
            first, second = [act() for act in acts] if in_turn else meet(acts)

            assert isinstance(first, Appointment), (number, first)
            assert not in_turn or isinstance(second, Appointment), (number, second)
            assert isinstance(second, Appointment | SlotTaken | SlotHeld), (number, second)

    assert broken_promises() == []


def test_of_a_move_by_the_practice_and_one_by_the_patient_one_is_made() -> None:
    visit_type, rounds = practice(rounds=ROUNDS, slots=3)
    by = PracticeMember(make_secretary(doctor=visit_type.doctor))

    with callers() as meet:
        for number, (old, wanted, given) in enumerate(rounds):
            visit = a_visit(old, visit_type=visit_type)
            hold = hold_instead(visit, wanted)
            acts = [partial(move_for_them, visit, given, by), partial(confirm, hold, visit)]
            results = meet(acts[:: 1 if number % 2 else -1])

            assert ends(results) in (
                ["Appointment", "NotChangeable"],
                ["Appointment", "VersionMismatch"],
            ), number
            wanted.refresh_from_db()
            given.refresh_from_db()
            end = (wanted.state, given.state)
            assert end in {("open", "booked"), ("booked", "open")}, number

    assert broken_promises() == []


def test_of_the_practice_and_a_patient_who_want_one_time_one_gets_it() -> None:
    visit_type, rounds = practice(rounds=ROUNDS, slots=2)
    by = PracticeMember(make_secretary(doctor=visit_type.doctor))

    with callers() as meet:
        for number, (old, wanted) in enumerate(rounds):
            visit, patient = a_visit(old, visit_type=visit_type), make_patient()
            take_it = partial(
                book,
                wanted,
                visit_type=visit_type,
                holder=as_patient(patient),
                email=patient.email,
            )
            acts = [partial(move_for_them, visit, wanted, by), take_it]
            results = meet(acts[:: 1 if number % 2 else -1])

            assert ends(results) in (
                ["Appointment", "SlotTaken"],
                ["Appointment", "SlotHeld"],
            ), (number, results)
            wanted.refresh_from_db()
            (got,) = (each for each in results if isinstance(each, Appointment))
            assert (wanted.state, wanted.hold_id) == ("booked", got.pk)

    assert broken_promises() == []

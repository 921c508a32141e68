"""Times, offers and answers that meet at one instant, with one legal outcome each."""

from collections import Counter
from datetime import time, timedelta
from threading import Event

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from bookings.engine.services import sweep_holds
from bookings.errors import HoldExpired
from bookings.models import Appointment, Hold, HoldState, WaitlistEntry
from bookings.waitlist.services import offers as offers_service
from bookings.waitlist.services.entries import WaitlistRequest, join_waitlist, leave_waitlist
from bookings.waitlist.services.look_over import offer_free_times
from bookings.waitlist.services.offers import accept_offer, decline_offer, offer_released
from docbook.outbox.models import OutboxMessage
from docbook.outbox.receiving import receive
from doctors.models import Slot
from tests.bookings.waitlist.acts import awaited, in_line
from tests.concurrency.rush import rush
from tests.factories import make_patient
from tests.outbox.relay import alone

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 200
FEW_ROUNDS = 20


@pytest.fixture(autouse=True)
def _no_quiet_hours(settings) -> None:
    settings.WAITLIST_QUIET_HOURS = (time(0), time(0))


def hear(slots: list[Slot]) -> list[Hold]:
    return offer_released(slot_ids=[slot.pk for slot in slots], now=timezone.now())


def begin_again(*, entries: list[WaitlistEntry], slots: list[Slot]) -> None:
    """As if nothing had been offered, taken or left yet."""
    Appointment.objects.all().delete()
    Hold.objects.all().delete()
    OutboxMessage.objects.all().delete()
    WaitlistEntry.objects.filter(pk__in=[entry.pk for entry in entries]).update(state="waiting")
    Slot.objects.filter(pk__in=[slot.pk for slot in slots]).update(
        state="open", hold_id=None, held_until=None
    )


def assert_consistent(*, entries: list[WaitlistEntry], slots: list[Slot]) -> None:
    """Slots, holds, appointments and entries agree."""
    live = {hold.pk: hold for hold in Hold.objects.filter(state=HoldState.HELD)}
    booked = set(Appointment.objects.values_list("pk", flat=True))
    for slot in Slot.objects.filter(pk__in=[slot.pk for slot in slots]):
        owner = {"held": live, "booked": booked, "open": {None}}[slot.state]
        assert slot.hold_id in owner
    for entry in WaitlistEntry.objects.filter(pk__in=[entry.pk for entry in entries]):
        theirs = Hold.objects.filter(waitlist_entry=entry)
        assert theirs.filter(state=HoldState.HELD).count() == (entry.state == "offered")
        assert theirs.filter(state=HoldState.CONFIRMED).count() == (entry.state == "fulfilled")


def end_in(seconds: float, *, offer: Hold) -> None:
    end = timezone.now() + timedelta(seconds=seconds)
    Slot.objects.filter(pk__in=offer.slot_ids).update(held_until=end)
    Hold.objects.filter(pk=offer.pk).update(expires_at=end)


def kinds(results: list[object]) -> list[str]:
    return sorted(type(result).__name__ for result in results)


def test_two_times_released_at_once_make_one_offer_for_the_only_one_who_waits() -> None:
    visit_type, slots = awaited(count=2)
    entries = in_line(visit_type, count=1)
    for _ in range(FEW_ROUNDS):
        results = rush(lambda slot: hear([slot]), slots)
        assert sorted(len(found) for found in results) == [0, 1]
        assert_consistent(entries=entries, slots=slots)
        begin_again(entries=entries, slots=slots)


def test_one_time_told_of_twice_at_once_is_offered_once_and_to_the_first() -> None:
    visit_type, slots = awaited()
    entries = in_line(visit_type, count=3)
    for _ in range(FEW_ROUNDS):
        results = rush(lambda _: hear(slots), list(range(4)))
        offers = [offer for found in results for offer in found]
        assert [offer.waitlist_entry_id for offer in offers] == [entries[0].pk]
        assert_consistent(entries=entries, slots=slots)
        begin_again(entries=entries, slots=slots)


def test_two_relays_that_deliver_one_message_offer_once() -> None:
    visit_type, slots = awaited()
    entries = in_line(visit_type, count=2)
    for _ in range(FEW_ROUNDS):
        message = OutboxMessage.objects.create(
            topic="slot.released",
            aggregate_id="times",
            payload={"slot_ids": str(slots[0].pk)},
            next_attempt_at=Now(),
        )

        def deliver(_copy: int, message: OutboxMessage = message) -> None:
            receive(
                [(message.pk, message.handed_out)],
                handle=alone(lambda slot_ids: hear([Slot(pk=int(slot_ids))])),
            )

        rush(deliver, [1, 2])
        message.refresh_from_db()
        assert message.done_at is not None
        assert Hold.objects.count() == 1
        assert_consistent(entries=entries, slots=slots)
        begin_again(entries=entries, slots=slots)


def test_message_and_look_over_at_once_make_one_offer_of_a_time() -> None:
    visit_type, slots = awaited()
    entries = in_line(visit_type, count=2)
    for _ in range(FEW_ROUNDS):
        rush(
            lambda act: act(),
            [lambda: hear(slots), lambda: offer_free_times(now=timezone.now())],
        )
        assert Hold.objects.count() == 1
        assert_consistent(entries=entries, slots=slots)
        begin_again(entries=entries, slots=slots)


def test_taken_or_run_out_but_never_both() -> None:
    """The clock decides, however often the sweeper runs in between."""
    visit_type, slots = awaited()
    entries = in_line(visit_type, count=1)
    patient, outcomes, left = entries[0].patient, Counter(), 0.05
    for _ in range(ROUNDS):
        (offer,) = hear(slots)
        answered = Event()

        def take(offer: Hold = offer, answered: Event = answered) -> Appointment:
            try:
                return accept_offer(offer_id=offer.pk, patient=patient)
            finally:
                answered.set()

        def sweep(answered: Event = answered) -> None:
            while not answered.is_set():
                sweep_holds()

        end_in(left, offer=offer)
        taken, _swept = rush(lambda act: act(), [take, sweep])
        assert isinstance(taken, Appointment | HoldExpired), taken
        outcomes[type(taken)] += 1
        # Close to the deciding instant, from either side.
        left *= 0.8 if isinstance(taken, Appointment) else 1.3
        sweep_holds()
        assert_consistent(entries=entries, slots=slots)
        offer.refresh_from_db()
        has_visit = isinstance(taken, Appointment)
        assert offer.state == (HoldState.CONFIRMED if has_visit else HoldState.EXPIRED)
        begin_again(entries=entries, slots=slots)
    assert len(outcomes) == 2, outcomes


def test_taken_or_passed_on_but_never_both() -> None:
    """The first takes the time while their other device lets it go, and the next is waiting."""
    visit_type, slots = awaited()
    entries = in_line(visit_type, count=2)
    patient, outcomes = entries[0].patient, Counter()
    for _ in range(ROUNDS):
        (offer,) = hear(slots)

        def pass_on(offer: Hold = offer) -> list[Hold]:
            decline_offer(offer_id=offer.pk, patient=patient)
            return hear(slots)

        def take(offer: Hold = offer) -> Appointment:
            return accept_offer(offer_id=offer.pk, patient=patient)

        taken, passed = rush(lambda act: act(), [take, pass_on])
        if isinstance(taken, Appointment):
            assert isinstance(passed, HoldExpired), passed
        else:
            assert isinstance(taken, HoldExpired), taken
            assert [each.waitlist_entry_id for each in passed] == [entries[1].pk]
        outcomes[type(taken)] += 1
        assert_consistent(entries=entries, slots=slots)
        begin_again(entries=entries, slots=slots)
    assert len(outcomes) == 2, outcomes


def test_who_leaves_while_something_is_offered_or_taken_is_out_or_has_a_visit() -> None:
    visit_type, slots = awaited()
    entries = in_line(visit_type, count=1)
    (entry,), patient = entries, entries[0].patient

    def leave() -> object:
        return leave_waitlist(entry_id=entry.pk, patient=patient)

    for _ in range(FEW_ROUNDS):
        rush(lambda act: act(), [leave, lambda: hear(slots)])
        entry.refresh_from_db()
        assert entry.state == "withdrawn"
        assert not Hold.objects.filter(state=HoldState.HELD).exists()
        begin_again(entries=entries, slots=slots)

        (offer,) = hear(slots)
        taken, _left = rush(
            lambda act: act(),
            [lambda offer=offer: accept_offer(offer_id=offer.pk, patient=patient), leave],
        )
        entry.refresh_from_db()
        has_visit = isinstance(taken, Appointment)
        assert entry.state == ("fulfilled" if has_visit else "withdrawn")
        assert_consistent(entries=entries, slots=slots)
        begin_again(entries=entries, slots=slots)


def test_joining_many_times_at_once_is_one_entry_and_no_more_than_the_limit(settings) -> None:
    settings.WAITLIST_ENTRIES_PER_PATIENT = 3
    visit_type, _slots = awaited()
    patient, today = make_patient(), timezone.now().date()

    def join(days: int) -> tuple[WaitlistEntry, bool]:
        wanted = WaitlistRequest(
            doctor_id=visit_type.doctor_id,
            visit_type_id=visit_type.pk,
            from_on=today,
            until_on=today + timedelta(days=days),
        )
        return join_waitlist(patient=patient, wanted=wanted, now=timezone.now())

    same = rush(join, [1] * 8)
    assert len({entry.pk for entry, _is_new in same}) == 1
    assert sum(is_new for _entry, is_new in same) == 1
    different = rush(join, list(range(2, 10)))
    assert kinds(different).count("tuple") == 2
    assert WaitlistEntry.objects.count() == 3


def test_without_its_lock_two_times_would_meet_one_entry(monkeypatch) -> None:
    """Negative control: then only the database refuses, with an error and not with a next
    in line.
    """
    visit_type, slots = awaited(count=2)
    entries = in_line(visit_type, count=1)
    monkeypatch.setattr(offers_service, "lock_waitlist_of", lambda _patient: None)
    seen = Counter()
    for _ in range(ROUNDS):
        seen.update(kinds(rush(lambda slot: hear([slot]), slots)))
        assert_consistent(entries=entries, slots=slots)
        begin_again(entries=entries, slots=slots)
        if seen["IntegrityError"]:
            return
    raise AssertionError(f"The race never appeared: {seen}")

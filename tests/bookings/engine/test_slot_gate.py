"""The gate protects the database from a stampede. It decides nothing, and bookings work
without it.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone
from django_redis import get_redis_connection

from bookings.actors.holder import Holder
from bookings.engine import slot_gate
from bookings.engine.services import release_hold
from bookings.engine.slot_gate import Passage
from bookings.errors import SlotHeld, SlotTaken
from bookings.models import Hold
from doctors.models import Slot, SlotState
from tests.api.client import Api
from tests.bookings.acts import (
    as_patient,
    ask_for_code,
    book,
    bookable,
    code_of,
    guest,
    key_of,
    take,
)
from tests.factories import make_appointment, make_patient
from tests.lost_redis import lost_redis

pytestmark = pytest.mark.django_db

HOLD = uuid4()


def locks() -> dict[str, str]:
    redis = get_redis_connection("default")
    return {key.decode(): redis.get(key).decode() for key in redis.keys("lock:slot:*")}


@pytest.fixture
def redis_gone(settings) -> Iterator[None]:
    with lost_redis(settings, "gone"):
        yield


def enter(mine: str, *, hold: UUID = HOLD, mark: str = "") -> Passage:
    return slot_gate.enter(slot_id=7, hold_id=hold, holder_keys=[mine], request_mark=mark)


def keep(mine: str, *, hold: UUID = HOLD) -> None:
    left = timedelta(minutes=5)
    slot_gate.keep(slot_id=7, hold_id=hold, holder_keys=[mine], left=left)


def test_hold_takes_the_gate_of_its_first_slot_for_five_minutes() -> None:
    visit_type, slots = bookable(slots=2)
    holder = guest()
    take(slots[0], visit_type=visit_type, holder=holder)
    assert locks() == {f"lock:slot:{slots[0].pk}": key_of(holder)}
    left = get_redis_connection("default").pttl(f"lock:slot:{slots[0].pk}")
    assert 295_000 < left <= 300_000


def test_second_at_the_gate_is_refused_before_the_database_is_touched(
    django_assert_num_queries,
) -> None:
    visit_type, slots = bookable()
    get_redis_connection("default").set(f"lock:slot:{slots[0].pk}", str(uuid4()))
    # What else is free: reason, slot, grid. No INSERT, no UPDATE, no lock.
    with django_assert_num_queries(3) as captured, pytest.raises(SlotHeld) as refusal:
        take(slots[0], visit_type=visit_type, holder=guest())
    assert all(q["sql"].lstrip().startswith("SELECT") for q in captured.captured_queries)
    assert [time.slot_id for time in refusal.value.alternatives] == [s.pk for s in slots[1:4]]


def test_rush_at_the_gate_asks_the_database_once_for_what_else_is_free(
    django_assert_num_queries,
) -> None:
    visit_type, slots = bookable()
    get_redis_connection("default").set(f"lock:slot:{slots[0].pk}", str(uuid4()))
    with django_assert_num_queries(3):
        for _ in range(20):
            with pytest.raises(SlotHeld):
                take(slots[0], visit_type=visit_type, holder=guest())
    assert int(get_redis_connection("default").get(slot_gate.CONFLICTS)) == 20


def test_request_that_was_answered_before_passes_the_gate_of_somebody_else() -> None:
    """A retry must get its own answer again, no matter who is at the gate by now."""
    assert enter("me", mark="m") is Passage.ENTERED
    slot_gate.leave(slot_id=7, hold_id=HOLD)
    assert enter("other") is Passage.ENTERED
    assert enter("me", mark="m") is Passage.BESIDE
    keep("other")
    assert enter("me") is Passage.REFUSED
    assert enter("me", mark="m") is Passage.BESIDE
    for _ in range(2):  # who was refused is refused again, with the same key too
        assert enter("me", mark="new") is Passage.REFUSED


def test_claim_alone_is_no_lock_and_ends_by_itself_after_two_seconds() -> None:
    """A request that is killed behind the gate blocks nobody for long."""
    enter("me")
    assert locks() == {}
    assert 0 < get_redis_connection("default").pttl("claim:slot:7") <= 2_000


def test_who_comes_while_somebody_is_asking_waits_for_what_becomes_of_it() -> None:
    first, second = uuid4(), uuid4()
    assert enter("me", hold=first) is Passage.ENTERED
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(enter, "other", hold=second)
        slot_gate.leave(slot_id=7, hold_id=first)  # the database has refused it
        assert waits.result() is Passage.ENTERED
        waits = pool.submit(enter, "third")
        keep("other", hold=second)
        assert waits.result() is Passage.REFUSED


def test_who_waits_in_vain_is_told_by_the_database() -> None:
    visit_type, slots = bookable()
    get_redis_connection("default").set(f"claim:slot:{slots[0].pk}", "of a request that was killed")
    assert take(slots[0], visit_type=visit_type, holder=guest()).slot_ids == [slots[0].pk]


def test_hold_that_is_given_back_before_its_gate_closes_leaves_it_open() -> None:
    """At that very instant, the practice cancels the visit that would move."""
    enter("me")
    slot_gate.leave(slot_id=7, hold_id=HOLD, holder_keys=["me"])
    keep("me")
    assert locks() == {}


def test_lock_ends_before_its_hold() -> None:
    enter("me")
    slot_gate.keep(slot_id=7, hold_id=HOLD, holder_keys=["me"], left=timedelta(seconds=1))
    assert (locks(), get_redis_connection("default").exists("claim:slot:7")) == ({}, 0)
    visit_type, slots = bookable(min_notice_minutes=0)
    soon = timezone.now() + timedelta(minutes=2)
    Slot.objects.filter(pk=slots[0].pk).update(starts_at=soon)
    take(slots[0], visit_type=visit_type, holder=guest())
    assert get_redis_connection("default").pttl(f"lock:slot:{slots[0].pk}") < 120_000


def test_claim_that_the_database_refuses_gives_the_gate_back() -> None:
    visit_type, slots = bookable()
    make_appointment(slots=slots[:1])
    with pytest.raises(Exception, match="slot-taken"):
        take(slots[0], visit_type=visit_type, holder=guest())
    assert locks() == {}


def test_only_the_holder_who_took_the_gate_opens_it() -> None:
    enter("me")
    keep("me")
    slot_gate.leave(slot_id=7, hold_id=HOLD, holder_keys=["other"])
    assert locks() == {"lock:slot:7": "me"}
    slot_gate.leave(slot_id=7, hold_id=HOLD, holder_keys=["other", "me"])
    assert locks() == {}


@pytest.mark.django_db(transaction=True)
def test_gate_follows_a_hold_that_is_renewed_and_the_guest_who_signs_in() -> None:
    visit_type, slots = bookable()
    browser, patient = guest(), make_patient()
    hold = take(slots[0], visit_type=visit_type, holder=browser)
    gate, redis = f"lock:slot:{slots[0].pk}", get_redis_connection("default")
    redis.pexpire(gate, 20_000)  # the details took four minutes and more
    signed_in = Holder(patient=patient, guest_key=browser.guest_key)
    with pytest.raises(SlotHeld) as own:  # the same tap again, now signed in
        take(slots[0], visit_type=visit_type, holder=signed_in)
    assert own.value.attempt_id == hold.pk
    ask_for_code(hold, holder=signed_in)
    assert locks() == {gate: key_of(as_patient(patient))}
    assert 295_000 < redis.pttl(gate) <= 300_000
    with pytest.raises(SlotHeld) as own:  # on their phone
        take(slots[0], visit_type=visit_type, holder=as_patient(patient))
    assert own.value.attempt_id == hold.pk
    release_hold(hold_id=hold.pk, holder=signed_in)
    assert locks() == {}


def test_holder_whose_request_died_behind_the_gate_gets_in_with_the_next_try() -> None:
    visit_type, slots = bookable()
    holder = guest()
    get_redis_connection("default").set(f"lock:slot:{slots[0].pk}", key_of(holder))
    assert take(slots[0], visit_type=visit_type, holder=holder).slot_ids == [slots[0].pk]


@pytest.mark.django_db(transaction=True)
def test_confirmed_visit_leaves_the_gate_so_that_the_next_hears_taken() -> None:
    visit_type, slots = bookable()
    book(slots[0], visit_type=visit_type, holder=guest())
    assert locks() == {}
    with pytest.raises(SlotTaken):
        take(slots[0], visit_type=visit_type, holder=guest())


def test_gate_that_forgot_its_lock_lets_nobody_into_a_held_time() -> None:
    visit_type, slots = bookable()
    take(slots[0], visit_type=visit_type, holder=guest())
    get_redis_connection("default").flushdb()
    with pytest.raises(SlotHeld):
        take(slots[0], visit_type=visit_type, holder=guest())
    assert Hold.objects.count() == 1


@pytest.mark.usefixtures("redis_gone")
def test_services_book_while_redis_is_gone() -> None:
    visit_type, slots = bookable()
    book(slots[0], visit_type=visit_type, holder=guest())
    with pytest.raises(Exception, match="slot-taken"):
        take(slots[0], visit_type=visit_type, holder=guest())


@pytest.mark.usefixtures("redis_gone")
def test_api_books_while_redis_is_gone() -> None:
    patient = make_patient()
    api = Api(patient)
    visit_type, slots = bookable()
    started = api.start(slot_id=slots[0].pk, visit_type_id=visit_type.pk)
    assert started.status_code == 201
    hold = Hold.objects.get(pk=started.json()["attemptId"])
    assert api.verify(hold.pk, code_of(hold)).status_code == 200


@pytest.mark.usefixtures("redis_gone")
def test_guest_books_on_the_pages_while_redis_is_gone() -> None:
    browser = Client()
    visit_type, slots = bookable()
    data = {"slot": slots[0].pk, "visit_type": visit_type.pk}
    page = browser.post("/book/", data).headers["Location"]
    hold = Hold.objects.get()
    names = {"first_name": "Saskia", "last_name": "Kuipers", "email": "saskia@example.test"}
    assert browser.post(page, names).status_code == 302
    assert browser.post(f"{page}code/", {"code": code_of(hold)}).status_code == 302
    assert Slot.objects.get(pk=slots[0].pk).state == SlotState.BOOKED


def test_confirmed_visit_is_safe_from_a_gate_that_lapsed() -> None:
    visit_type, slots = bookable()
    book(slots[0], visit_type=visit_type, holder=as_patient(make_patient()))
    get_redis_connection("default").flushdb()
    with pytest.raises(Exception, match="slot-taken"):
        take(slots[0], visit_type=visit_type, holder=guest())

"""The gate spares the database a stampede; it decides nothing, and bookings go on without it."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.conf import settings as current
from django.test import Client
from django_redis import get_redis_connection

from bookings.errors import SlotHeld, SlotTaken
from bookings.gateways import slot_gate
from bookings.gateways.slot_gate import Entry
from bookings.models import Hold
from devstack.ports import LOOPBACK, free_port
from doctors.models import Slot, SlotState
from tests.api.client import Api
from tests.bookings.acts import as_patient, book, bookable, code_of, guest, take
from tests.factories import make_appointment, make_patient

pytestmark = pytest.mark.django_db


def locks() -> dict[str, str]:
    redis = get_redis_connection("default")
    return {key.decode(): redis.get(key).decode() for key in redis.keys("lock:slot:*")}


@pytest.fixture
def redis_gone(settings) -> Iterator[None]:
    """A port at which nothing listens."""
    url = f"redis://{LOOPBACK}:{free_port()}/0"
    settings.CACHES = {"default": current.CACHES["default"] | {"LOCATION": url}}
    yield
    del settings.CACHES


def test_hold_takes_the_gate_of_its_first_slot_for_five_minutes() -> None:
    visit_type, slots = bookable(slots=2)
    holder = guest()
    take(slots[0], visit_type=visit_type, holder=holder)
    assert locks() == {f"lock:slot:{slots[0].pk}": holder.key}
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
    assert all(query["sql"].startswith("SELECT") for query in captured.captured_queries)
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
    """A retry must hear its own answer again, not who is at the gate by now."""
    mine, other = str(uuid4()), str(uuid4())
    assert slot_gate.enter(slot_id=7, holder_key=mine, request_mark="m") is Entry.ENTERED
    slot_gate.leave(slot_id=7, holder_key=mine)
    assert slot_gate.enter(slot_id=7, holder_key=other) is Entry.ENTERED
    assert slot_gate.enter(slot_id=7, holder_key=mine) is Entry.REFUSED
    assert slot_gate.enter(slot_id=7, holder_key=mine, request_mark="m") is Entry.INSIDE
    for _ in range(2):  # who was refused is refused again, with the same key too
        assert slot_gate.enter(slot_id=7, holder_key=mine, request_mark="new") is Entry.REFUSED


def test_claim_that_the_database_refuses_gives_the_gate_back() -> None:
    visit_type, slots = bookable()
    make_appointment(slots=slots[:1])
    with pytest.raises(Exception, match="slot-taken"):
        take(slots[0], visit_type=visit_type, holder=guest())
    assert locks() == {}


def test_only_the_holder_who_took_the_gate_opens_it() -> None:
    owner, other = uuid4(), uuid4()
    slot_gate.enter(slot_id=7, holder_key=str(owner))
    slot_gate.leave(slot_id=7, holder_key=str(other))
    assert locks() == {"lock:slot:7": str(owner)}
    slot_gate.leave(slot_id=7, holder_key=str(owner))
    assert locks() == {}


def test_holder_whose_request_died_behind_the_gate_gets_in_with_the_next_try() -> None:
    visit_type, slots = bookable()
    holder = guest()
    get_redis_connection("default").set(f"lock:slot:{slots[0].pk}", holder.key)
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

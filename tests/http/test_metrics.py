"""/metrics: the numbers, for callers with the token."""

from uuid import uuid4

import pytest
from django.test import Client, RequestFactory, override_settings
from django_redis import get_redis_connection

from bookings.actors.holder import Holder
from bookings.engine import slot_gate
from bookings.engine.services import release_hold
from bookings.models import Hold
from bookings.tasks import look_at_invariants
from bookings.upkeep.gates import open_gates_without_hold
from docbook.http.throttling import enforce, limit_of
from docbook.observability import metrics
from docbook.outbox.models import OutboxMessage
from doctors.models import Slot
from tests.bookings.acts import bookable, guest, take
from tests.lost_redis import lost_redis

TOKEN = "a-token-of-at-least-thirty-two-characters"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _token(settings) -> None:
    settings.METRICS_TOKEN = TOKEN


def scrape(token: str = TOKEN, **headers: str):
    return Client().get("/metrics", headers={"Authorization": f"Bearer {token}", **headers})


def values() -> dict[str, float]:
    lines = scrape().content.decode().splitlines()
    return {
        name: float(value)
        for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    }


@pytest.mark.parametrize("token", ["", "another", f"{TOKEN}x", "naïve"])
def test_stranger_finds_nothing_there(token):
    response = scrape(token)
    assert response.status_code == 404
    assert b"docbook_" not in response.content


@override_settings(METRICS_TOKEN="")
def test_without_a_token_nobody_may_read():
    assert scrape("").status_code == 404


def test_scraper_may_ask_by_an_address_that_is_no_host_of_ours():
    response = scrape(Host="10.1.2.3")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    assert response.headers["Cache-Control"] == "no-store"


def test_nobody_posts_to_metrics():
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert Client().post("/metrics", headers=headers).status_code == 405


def test_conflicts_at_the_gate_are_counted_over_all_processes():
    assert values()["booking_lock_conflicts_total"] == 0
    get_redis_connection("default").incr("count:booking_lock_conflicts_total", 3)
    assert values()["booking_lock_conflicts_total"] == 3


def test_before_the_first_look_no_invariant_is_said_to_hold():
    found = values()
    assert found["docbook_redis_up"] == 1
    assert not [name for name in found if name.startswith("docbook_invariant")]


def test_code_that_is_not_looked_at_any_more_is_gone():
    metrics.publish_violations({"I01": 0, "I99": 1}, of="everything")
    metrics.publish_violations({"I01": 2}, of="everything")
    assert values()['docbook_invariant_violations{invariant="I01"}'] == 2
    assert 'docbook_invariant_violations{invariant="I99"}' not in values()


def test_without_redis_the_scrape_is_answered(settings):
    settings.CACHES = settings.CACHES | {
        "default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}
    }
    assert values() == {"docbook_redis_up": 0}
    metrics.publish_violations({"I01": 0}, of="changes")


def count_somebody() -> None:
    enforce(limit_of("offer", RequestFactory().get("/")))


def test_what_passed_without_redis_is_counted_with_the_next_call_that_works(settings) -> None:
    count_somebody()  # what earlier tests have left
    get_redis_connection("default").flushdb()
    assert values()["docbook_passed_without_redis_total"] == 0
    with lost_redis(settings, "gone"):
        for _ in range(3):  # the first finds out, the others do not even ask
            count_somebody()
        passage = slot_gate.enter(slot_id=7, hold_id=uuid4(), holder_keys=["a"])
        assert passage is slot_gate.Passage.UNKNOWN
    assert values()["docbook_passed_without_redis_total"] == 0
    for _ in range(2):
        count_somebody()
    assert values()["docbook_passed_without_redis_total"] == 4


@pytest.mark.django_db(transaction=True)
def test_worker_publishes_what_it_has_found(caplog):
    visit_type, [slot, *_] = bookable()
    take(slot, visit_type=visit_type, holder=guest())
    OutboxMessage.objects.all().delete()
    Slot.objects.filter(pk=slot.pk).update(state="open", hold_id=None, held_until=None)
    look_at_invariants()
    found = values()
    codes = {name for name in found if name.startswith("docbook_invariant_violations")}
    assert len(codes) == 14
    assert found['docbook_invariant_violations{invariant="I05"}'] == 1
    assert sum(found[name] for name in codes) == 1
    assert found["docbook_invariants_checked_at"] > 1.7e9
    assert "invariant_broken" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_gate_that_nobody_stands_behind_is_counted_and_opened(caplog):
    visit_type, slots = bookable()
    for slot in slots[:2]:
        take(slot, visit_type=visit_type, holder=guest())
    given_back = Hold.objects.get(slot_ids=[slots[1].pk])
    redis, key = get_redis_connection("default"), f"guest:{given_back.guest_key}"
    release_hold(hold_id=given_back.pk, holder=Holder(guest_key=given_back.guest_key))
    redis.set(f"lock:slot:{slots[1].pk}", key)  # as if Redis had been away just then
    redis.set(f"lock:slot:{slots[2].pk}", "nobody we know")
    look_at_invariants()
    assert values()["docbook_gates_without_hold"] == 2
    assert "gates_without_hold" in caplog.text
    assert redis.keys("lock:slot:*") == [f"lock:slot:{slots[0].pk}".encode()]
    look_at_invariants()
    assert values()["docbook_gates_without_hold"] == 0


def test_without_redis_no_gate_is_found_and_none_is_counted(settings):
    settings.CACHES = settings.CACHES | {
        "default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}
    }
    assert open_gates_without_hold() == 0
    metrics.publish_gates_without_hold(0)

"""Two expansions of one doctor at once: the later one has the last word."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import time
from threading import Event

import pytest
from django.db import connection
from django.utils import timezone

from doctors.models import AvailabilityRule, Slot
from doctors.services import expansion
from tests.factories import make_doctor, make_rule

pytestmark = pytest.mark.django_db(transaction=True)


def expand(doctor):
    try:
        return expansion.expand_slots(doctor_ids=[doctor.pk], now=timezone.now())
    finally:
        connection.close()


@pytest.fixture
def doctor():
    doctor = make_doctor(horizon_days=5)
    make_rule(doctor=doctor, starts=time(9), ends=time(12))
    return doctor


class SlowReader:
    """The first expansion stops between reading the rules and writing the slots."""

    def __init__(self, monkeypatch) -> None:
        self.has_read, self.may_write = Event(), Event()
        self._present = expansion._present
        monkeypatch.setattr(expansion, "_present", self._stop_once)

    def _stop_once(self, *args, **kwargs):
        if not self.has_read.is_set():
            self.has_read.set()
            assert self.may_write.wait(timeout=60)
        return self._present(*args, **kwargs)


def waits_for_an_advisory_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return cursor.fetchone()[0] > 0


def until_done_or_waiting(run: Future) -> None:
    for _ in range(200):
        wait([run], timeout=0.05)
        if run.done() or waits_for_an_advisory_lock():
            return
    raise AssertionError("neither done nor waiting")


def race(doctor, monkeypatch) -> int:
    """An admin removes the rule while an expansion is running. Returns the slots that are left."""
    reader = SlowReader(monkeypatch)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(expand, doctor)
        assert reader.has_read.wait(timeout=60)
        AvailabilityRule.objects.all().delete()
        second = pool.submit(expand, doctor)
        until_done_or_waiting(second)
        reader.may_write.set()
        first.result(timeout=60)
        second.result(timeout=60)
    return Slot.objects.filter(doctor=doctor).count()


def test_a_rule_taken_away_during_an_expansion_stays_away(doctor, monkeypatch):
    assert race(doctor, monkeypatch) == 0


def test_without_the_lock_the_slots_of_a_removed_rule_come_back(doctor, monkeypatch):
    monkeypatch.setattr(expansion, "_begin", lambda _ids: None)
    assert race(doctor, monkeypatch) > 0


def test_many_expansions_at_once_make_each_slot_once(doctor):
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(expand, [doctor] * 6))
    assert sum(result.added for result in results) == Slot.objects.count() > 0
    assert sum(result.removed for result in results) == 0

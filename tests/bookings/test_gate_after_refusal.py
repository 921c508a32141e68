"""A refusal behind the gate leaves the gate open, and the mailbox its code."""

import pytest
from django.db import OperationalError
from django_redis import get_redis_connection

from bookings.errors import HoldLimit
from bookings.services import holds
from docbook.http import throttling
from tests.api.client import Api, problem
from tests.bookings.acts import bookable, guest, take
from tests.factories import make_patient

pytestmark = pytest.mark.django_db


def closed_gates() -> set[str]:
    return {key.decode() for key in get_redis_connection("default").keys("lock:slot:*")}


def test_patient_who_has_too_many_holds_closes_no_further_gate(settings) -> None:
    settings.LIVE_HOLDS_PER_GUEST = 1
    visit_type, slots = bookable()
    holder = guest()
    take(slots[0], visit_type=visit_type, holder=holder)
    with pytest.raises(HoldLimit):
        take(slots[2], visit_type=visit_type, holder=holder)
    assert closed_gates() == {f"lock:slot:{slots[0].pk}"}


def test_database_that_is_lost_behind_the_gate_leaves_it_open(monkeypatch) -> None:
    visit_type, slots = bookable()

    def lost(_call: object) -> None:
        raise OperationalError

    with monkeypatch.context() as broken:
        broken.setattr(holds, "call_hold", lost)
        with pytest.raises(OperationalError):
            take(slots[0], visit_type=visit_type, holder=guest())
    assert closed_gates() == set()
    take(slots[0], visit_type=visit_type, holder=guest())


def test_code_that_no_database_has_kept_counts_for_no_mailbox(monkeypatch) -> None:
    monkeypatch.setattr(throttling, "CODES_TO_A_MAILBOX", "1/h")
    visit_type, slots = bookable()
    api, wanted = Api(make_patient()), {"slot_id": slots[0].pk, "visit_type_id": visit_type.pk}

    def lost(_call: object) -> None:
        raise OperationalError

    with monkeypatch.context() as broken:
        broken.setattr(holds, "call_hold", lost)
        api.client.raise_request_exception = False  # a client gets an answer
        problem(api.start(**wanted), code="unavailable", status=503)
    assert api.start(**wanted).status_code == 201
    other = {**wanted, "slot_id": slots[1].pk}
    problem(api.start(**other), code="rate-limited", status=429)

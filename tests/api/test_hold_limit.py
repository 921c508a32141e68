"""How often times may be held through the API: counted before the body is read."""

from typing import Any

import pytest

from docbook.http.keyed_digest import mailbox_of
from docbook.http.throttling import count, limit_of
from tests.api.client import Api, problem
from tests.bookings.acts import bookable
from tests.factories import make_patient
from tests.limits import allow

pytestmark = pytest.mark.django_db
WRONG = [{"slotId": "x"}, {"nobody": "knows"}, {}, {"slotId": 1, "visitTypeId": 1, "reason": 5}]


@pytest.mark.parametrize("body", WRONG)
@pytest.mark.parametrize("limit", ["api_hold", "api_hold_user"])
def test_wrong_bodies_are_counted_before_they_are_looked_at(
    monkeypatch: pytest.MonkeyPatch, body: Any, limit: str
) -> None:
    allow(monkeypatch, **{limit: 2})
    api = Api(make_patient())
    answers = [api.post("bookings", body, Idempotency_Key=f"key-{n}") for n in range(3)]
    assert [each.status_code for each in answers] == [422, 422, 429]
    problem(answers[-1], code="rate-limited", status=429)


def test_body_that_cannot_be_read_is_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, api_hold=1)
    api = Api(make_patient())
    assert api.send("bookings", "{", Idempotency_Key="key-1").status_code == 400
    assert api.send("bookings", "{", Idempotency_Key="key-2").status_code == 429


@pytest.mark.parametrize("key", ["", "no-key"])
def test_what_is_refused_before_a_time_is_held_uses_up_no_code(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """Whether the body is wrong or the key is missing."""
    allow(monkeypatch, codes_to_owner=1)
    patient, (visit_type, slots) = make_patient(), bookable()
    api = Api(patient)
    good = {"slotId": slots[0].pk, "visitTypeId": visit_type.pk}
    for _ in range(3):
        if key:
            api.post("bookings", good)
        else:
            api.post("bookings", {}, Idempotency_Key="a-key")
    assert not count(limit_of("codes-to-owner", named=mailbox_of(patient.email)))

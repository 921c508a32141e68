"""A request for another code counts for the mailbox only if a code goes out."""

import pytest

from bookings.models import Hold
from bookings.models.holds import MAX_CODE_RESENDS
from docbook.outbox.models import OutboxMessage
from tests.api.client import Api, problem
from tests.bookings.acts import allow_resend, bookable
from tests.factories import make_patient
from tests.limits import allow

pytestmark = pytest.mark.django_db


def started(api: Api) -> Hold:
    visit_type, slots = bookable()
    response = api.start(slot_id=slots[0].pk, visit_type_id=visit_type.pk)
    return Hold.objects.get(pk=response.json()["attemptId"])


def test_refused_wishes_use_up_nothing(monkeypatch) -> None:
    allow(monkeypatch, codes_to_owner=3)
    api = Api(make_patient())
    hold = started(api)
    for _ in range(5):  # too soon after the last one
        problem(api.post(f"bookings/{hold.pk}/resend-otp"), code="rate-limited", status=429)
    allow_resend(hold)
    assert api.post(f"bookings/{hold.pk}/resend-otp").status_code == 202


def test_after_the_last_code_no_time_is_told_for_another_one() -> None:
    api = Api(make_patient())
    hold = started(api)
    for _ in range(MAX_CODE_RESENDS):
        allow_resend(hold)
        answer = api.post(f"bookings/{hold.pk}/resend-otp")
    assert (answer.status_code, answer.json()["otp"]["resendAt"]) == (202, None)


def test_codes_that_went_out_are_counted(monkeypatch) -> None:
    allow(monkeypatch, codes_to_owner=2)
    api = Api(make_patient())
    hold, answers = started(api), []
    for _ in range(2):
        allow_resend(hold)
        answers.append(api.post(f"bookings/{hold.pk}/resend-otp").status_code)
    assert answers == [202, 429]
    assert OutboxMessage.objects.filter(topic="otp.requested").count() == 2


def test_retry_with_its_key_sends_no_second_code() -> None:
    api = Api(make_patient())
    hold = started(api)
    allow_resend(hold)
    path = f"bookings/{hold.pk}/resend-otp"
    first = api.post(path, Idempotency_Key="k")
    again = api.post(path, Idempotency_Key="k")
    assert (again.status_code, again.content) == (202, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    hold.refresh_from_db()
    assert hold.otp_resends == 1
    assert OutboxMessage.objects.filter(topic="otp.requested").count() == 2


def test_wish_that_came_too_early_uses_up_no_key() -> None:
    api = Api(make_patient())
    hold = started(api)
    path = f"bookings/{hold.pk}/resend-otp"
    problem(api.post(path, Idempotency_Key="k"), code="rate-limited", status=429)
    allow_resend(hold)
    assert api.post(path, Idempotency_Key="k").status_code == 202

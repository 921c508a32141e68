"""After a whole journey through both doors, no name, address, phone, reason or code is anywhere it
is not needed: not in logs, queues, the audit trail or Redis.
"""

import re
from collections.abc import Iterator

import pytest
from celery import current_app
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.forms.models import model_to_dict
from django.test import Client
from django_redis import get_redis_connection

from bookings.models import Hold
from docbook.audit.models import AuditEvent
from docbook.http.models import IdempotencyRecord
from docbook.outbox.models import OutboxMessage
from tests.api.client import Api
from tests.bookings.acts import allow_resend, bookable, code_of, wrong_code
from tests.factories import PASSWORD, make_patient

PERSON = {
    "first_name": "Quirina",
    "last_name": "Zandvliet",
    "email": "quirina.z@private.test",
    "phone": "+31 6 1357 9246",
    "reason": "Itching behind the ear",
}

ADDRESSES = [PERSON["email"], "quirina.typo@private.test", "quirina.app@private.test"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def worker(monkeypatch) -> Iterator[list[tuple[str, list[object]]]]:
    """Runs tasks where they are sent, and keeps what was sent."""
    sent = []
    current_app.loader.import_default_modules()

    def send_task(name: str, args: list[object], **_options: object) -> None:
        sent.append((name, args))
        current_app.tasks[name](*args)

    monkeypatch.setattr(current_app, "send_task", send_task)
    return sent


def relay() -> None:
    call_command("relay_outbox", "--once")


def guest_on_the_pages() -> list[str]:
    """A guest books: a wrong code, a new code, another address, the right code. Returns the
    codes.
    """
    browser = Client()
    visit_type, slots = bookable()
    data = {"slot": slots[0].pk, "visit_type": visit_type.pk}
    page = browser.post("/book/", data).headers["Location"]
    browser.post(page, PERSON | {"email": ADDRESSES[1]})
    browser.post(page, PERSON)
    relay()
    hold = Hold.objects.latest("created_at")
    codes = [code_of(hold), wrong_code(hold)]
    browser.post(f"{page}code/", {"code": wrong_code(hold)})
    allow_resend(hold)
    browser.post(f"{page}resend/")
    relay()
    codes.append(code_of(hold))
    assert browser.post(f"{page}code/", {"code": code_of(hold)}).status_code == 302
    browser.get(f"/doctors/?q={PERSON['last_name']}")
    browser.get(f"/accounts/login/{PERSON['email']}")
    relay()
    return codes


def mobile_app() -> list[str]:
    """A patient books and sends a wrong code. Returns the codes."""
    names = {name: value for name, value in PERSON.items() if name != "reason"}
    patient = make_patient(**names | {"email": ADDRESSES[-1]})
    credentials = {"email": patient.email, "password": PASSWORD}
    assert Api().post("auth/token", credentials).status_code == 200
    visit_type, slots = bookable()
    caller = Api(patient)
    reason = PERSON["reason"]
    started = caller.start(slot_id=slots[1].pk, visit_type_id=visit_type.pk, reason=reason)
    hold = Hold.objects.get(pk=started.json()["attemptId"])
    codes = [code_of(hold), wrong_code(hold)]
    relay()
    assert caller.verify(hold.pk, wrong_code(hold)).status_code == 422
    assert caller.verify(hold.pk, code_of(hold)).status_code == 200
    relay()
    return codes


def leaks(text: str, *, secrets: list[str]) -> list[str]:
    """The secrets in the text; a code only if it is not part of a longer number."""
    return [
        secret
        for secret in secrets
        if re.search(rf"(?<![0-9a-f-]){re.escape(secret)}(?![0-9a-f-])", text, re.IGNORECASE)
    ]


def everything_in_redis() -> str:
    redis = get_redis_connection("default")
    values = [(key, redis.dump(key), redis.get(key)) for key in redis.scan_iter(count=1000)]
    return repr(values)


def test_traces_of_a_whole_journey_name_nobody_and_hold_no_code(worker, caplog, capfd) -> None:
    secrets = [*guest_on_the_pages(), *mobile_app(), *ADDRESSES]
    secrets += [PERSON[name] for name in ("first_name", "last_name", "phone", "reason")]
    assert len(mail.outbox) == 5
    places = {
        "logs": caplog.text + "".join(capfd.readouterr()),
        "queue": repr(worker),
        "outbox": repr([model_to_dict(row) for row in OutboxMessage.objects.all()]),
        "audit": repr([model_to_dict(row) for row in AuditEvent.objects.all()]),
        "answers kept for retries": repr(
            list(IdempotencyRecord.objects.values_list("body", "facts"))
        ),
        "redis": everything_in_redis(),
    }
    assert all(len(text) > 100 for text in places.values()), places
    found = {place: leaks(text, secrets=secrets) for place, text in places.items()}
    assert not any(found.values()), found


def test_search_for_leaks_finds_what_is_there() -> None:
    """The negative control of the test above."""
    found = leaks("to=Quirina.Z@private.test code: 123456", secrets=["quirina.z@private.test"])
    assert found == ["quirina.z@private.test"]
    assert leaks("code=123456", secrets=["123456"]) == ["123456"]
    assert leaks("id=9123456f", secrets=["123456"]) == []


def test_statement_that_fails_shows_nobodys_data_to_the_log_of_the_database() -> None:
    """It logs what it was sent: placeholders, and no details of the row."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid() AND %s <> ''",
            [PERSON["reason"]],
        )
        ((sent,),) = cursor.fetchall()
        cursor.execute("SHOW log_error_verbosity")
        (verbosity,) = cursor.fetchone()
    assert PERSON["reason"] not in sent
    assert "$1" in sent
    assert verbosity == "terse"

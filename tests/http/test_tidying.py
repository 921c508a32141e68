"""What requests leave behind is not kept forever."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from docbook.http.models import IdempotencyRecord
from docbook.http.tasks import purge_idempotency_records, purge_sessions

pytestmark = pytest.mark.django_db


def test_sessions_of_browsers_go_when_they_are_out_of_date():
    now = timezone.now()
    Session.objects.create(session_key="old", expire_date=now - timedelta(minutes=1))
    Session.objects.create(session_key="live", expire_date=now + timedelta(minutes=1))
    purge_sessions()
    assert [session.session_key for session in Session.objects.all()] == ["live"]


def test_answers_to_idempotency_keys_go_after_a_day():
    for key in ("old", "new"):
        IdempotencyRecord.objects.create(user_id=1, key=key, route="r", fingerprint="f")
    yesterday = timezone.now() - timedelta(hours=25)
    IdempotencyRecord.objects.filter(key="old").update(created_at=yesterday)
    purge_idempotency_records()
    assert [record.key for record in IdempotencyRecord.objects.all()] == ["new"]

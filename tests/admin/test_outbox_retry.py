"""Staff can have messages tried again that were given up or refused. They can change nothing else
about them.
"""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from docbook.outbox.models import OutboxDelivery, OutboxMessage
from tests.factories import make_user

pytestmark = pytest.mark.django_db
CHANGELIST = reverse("admin:outbox_outboxmessage_changelist")


def make_message(**fields) -> OutboxMessage:
    now = timezone.now()
    return OutboxMessage.objects.create(topic="t", aggregate_id="1", next_attempt_at=now, **fields)


def staff(*permissions: str):
    user = make_user(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


def retry(client, *messages: OutboxMessage):
    chosen = {"action": "retry", "_selected_action": [message.pk for message in messages]}
    return client.post(CHANGELIST, chosen, follow=True)


@pytest.fixture
def dead() -> OutboxMessage:
    return make_message(dead_at=timezone.now() - timedelta(hours=1), last_error="OSError")


def test_staff_who_may_change_messages_wake_the_dead_ones(client, dead):
    done = make_message(done_at=timezone.now())
    client.force_login(staff("view_outboxmessage", "change_outboxmessage"))
    page = retry(client, dead, done).content.decode()
    assert "1 message will be tried again." in page
    dead.refresh_from_db()
    done.refresh_from_db()
    assert dead.dead_at is None
    assert done.done_at is not None


def test_staff_find_and_wake_what_a_recipient_refused(client):
    done = make_message(done_at=timezone.now())
    refused = make_message(done_at=timezone.now(), is_refused=True)
    client.force_login(staff("view_outboxmessage", "change_outboxmessage"))
    shown = [
        client.get(CHANGELIST, {"stage": stage}).context["cl"] for stage in ("refused", "done")
    ]
    assert [list(each.queryset) for each in shown] == [[refused], [done]]
    assert "1 message will be tried again." in retry(client, refused, done).content.decode()
    refused.refresh_from_db()
    assert (refused.is_refused, refused.done_at) == (False, None)


def test_staff_who_may_only_look_wake_nothing_and_are_not_offered_it(client, dead):
    client.force_login(staff("view_outboxmessage"))
    retry(client, dead)
    dead.refresh_from_db()
    assert dead.dead_at is not None
    assert 'value="retry"' not in client.get(CHANGELIST).content.decode()


def test_nobody_edits_or_deletes_a_message(client, dead):
    client.force_login(make_user(is_staff=True, is_superuser=True))
    page = client.get(CHANGELIST).content.decode()
    assert 'value="retry"' in page
    assert 'value="delete_selected"' not in page
    change = reverse("admin:outbox_outboxmessage_change", args=[dead.pk])
    assert client.post(change, {"topic": "other"}).status_code == 403


def test_page_of_a_message_shows_by_which_channels_it_went_out(client):
    message = make_message(done_at=timezone.now())
    OutboxDelivery.objects.create(
        message=message, channel="pigeon", copies=2, delivered_at=timezone.now()
    )
    client.force_login(make_user(is_staff=True, is_superuser=True))
    change = reverse("admin:outbox_outboxmessage_change", args=[message.pk])
    page = client.get(change).content.decode()
    assert "pigeon" in page
    assert 'name="deliveries-0-copies"' not in page

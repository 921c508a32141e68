"""Ended sign-ins are not kept."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import RefreshSession
from accounts.tasks import purge_refresh_sessions
from accounts.tokens import start_session
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def sign_in(**fields) -> RefreshSession:
    start_session(user=make_user(), now=timezone.now())
    session = RefreshSession.objects.latest("created_at")
    RefreshSession.objects.filter(pk=session.pk).update(**fields)
    return session


def test_sign_ins_that_ended_or_ran_out_go_and_live_ones_stay():
    now = timezone.now()
    live = sign_in(expires_at=now + timedelta(minutes=1))
    sign_in(expires_at=now - timedelta(minutes=1))
    sign_in(ended_at=now - timedelta(minutes=1))
    purge_refresh_sessions()
    assert list(RefreshSession.objects.all()) == [live]

"""What somebody typed survives a sign-in, for fifteen minutes, and never meets another person."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from bookings.holding.services.drafts import (
    TERM,
    drop_draft,
    purge_drafts,
    read_draft,
    write_draft,
)
from bookings.models import Draft
from tests.factories import make_patient

pytestmark = pytest.mark.django_db
NOW = timezone.now()
TYPED = {"first_name": "Saskia", "reason": "A rash"}


def test_draft_of_a_guest_is_found_by_its_id_before_and_after_they_sign_in() -> None:
    draft = write_draft(draft_id=None, user_id=None, typed=TYPED, now=NOW)
    assert read_draft(draft_id=draft, user_id=None, now=NOW) == TYPED
    assert read_draft(draft_id=draft, user_id=make_patient().pk, now=NOW) == TYPED
    assert read_draft(draft_id=uuid4(), user_id=None, now=NOW) is None


def test_draft_of_a_patient_is_theirs_alone() -> None:
    patient = make_patient()
    draft = write_draft(draft_id=None, user_id=patient.pk, typed=TYPED, now=NOW)
    assert read_draft(draft_id=draft, user_id=patient.pk, now=NOW) == TYPED
    assert read_draft(draft_id=draft, user_id=make_patient().pk, now=NOW) is None
    assert read_draft(draft_id=draft, user_id=None, now=NOW) is None


def test_draft_ends_with_its_term_and_is_then_deleted() -> None:
    draft = write_draft(draft_id=None, user_id=None, typed=TYPED, now=NOW)
    later = write_draft(draft_id=None, user_id=None, typed=TYPED, now=NOW + timedelta(seconds=1))
    assert read_draft(draft_id=draft, user_id=None, now=NOW + TERM - timedelta(seconds=1)) == TYPED
    assert read_draft(draft_id=draft, user_id=None, now=NOW + TERM) is None
    assert purge_drafts(now=NOW + TERM) == 1
    assert [each.pk for each in Draft.objects.all()] == [later]


def test_new_draft_replaces_the_one_before_and_no_other() -> None:
    other = write_draft(draft_id=None, user_id=None, typed=TYPED, now=NOW)
    first = write_draft(draft_id=None, user_id=None, typed=TYPED, now=NOW)
    second = write_draft(draft_id=first, user_id=None, typed={"reason": "A cough"}, now=NOW)
    assert set(Draft.objects.values_list("pk", flat=True)) == {other, second}
    assert read_draft(draft_id=second, user_id=None, now=NOW) == {"reason": "A cough"}
    drop_draft(draft_id=second)
    assert [each.pk for each in Draft.objects.all()] == [other]

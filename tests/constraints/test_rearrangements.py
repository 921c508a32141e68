"""Decisions about visits outside a doctor's hours."""

import pytest
from django.utils import timezone

from bookings.models import RearrangedVisit, Rearrangement
from tests.constraints.registry import breaks
from tests.factories import make_appointment, make_doctor, make_slots, make_user


def decision(**fields):
    doctor = fields.pop("doctor", None) or make_doctor()
    given = {"choice": "cancel", "reason": "Ill", "decided_at": timezone.now()}
    return Rearrangement.objects.create(doctor=doctor, decided_by=make_user(), **(given | fields))


def item(**fields):
    visit = fields.pop("visit", None) or make_appointment(slots=make_slots(doctor=make_doctor()))
    of = fields.pop("rearrangement", None) or decision()
    return RearrangedVisit.objects.create(
        rearrangement=of, visit_id=visit.pk, **({"version": 1} | fields)
    )


@breaks("rearrangement_has_a_known_choice")
def test_a_decision_is_one_of_four():
    decision(choice="forget")


@breaks("rearrangement_names_a_colleague_to_hand_over")
def test_visits_are_handed_over_to_somebody():
    decision(choice="hand-over")


@breaks("rearrangement_names_a_colleague_to_hand_over")
def test_nobody_else_needs_a_colleague():
    decision(colleague=make_doctor())


@breaks("rearrangement_tells_patients_why")
def test_patients_are_told_why():
    decision(reason="")


@breaks("one_item_per_rearrangement_and_visit")
def test_a_decision_has_a_visit_once():
    first = item(state="done")
    item(visit=first.visit, rearrangement=first.rearrangement, state="done")


@breaks("one_waiting_rearrangement_per_visit")
def test_one_decision_at_a_time_waits_for_a_visit():
    item(visit=item().visit)


@breaks("rearranged_visit_says_why_it_failed")
def test_a_failure_says_why():
    item(state="failed")


@breaks("rearranged_visit_says_why_it_failed")
def test_what_did_not_fail_says_nothing():
    item(state="done", failure="slot-taken")


@breaks("rearranged_visit_has_a_known_state")
def test_an_item_waits_is_done_or_has_failed():
    item(state="lost")


@pytest.mark.django_db
def test_a_visit_may_be_decided_on_again():
    first = item(state="done")
    item(visit=first.visit)
    assert decision(choice="keep", reason="").pk

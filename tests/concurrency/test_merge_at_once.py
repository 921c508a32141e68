"""Two accounts are merged while somebody books for the one that goes, or changes its visits."""

from itertools import count
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import PatientMerge, User
from bookings.actors.practice_member import PracticeMember
from bookings.appointments.services.changes import cancel_appointment
from bookings.appointments.services.moves import move_appointment
from bookings.holding.services.confirmation import confirm_booking
from bookings.merging.services import merge_patients, undo_merge
from bookings.models import Appointment, Hold
from bookings.schedule.desk import services as desk
from docbook.audit.services import Actor
from docbook.errors import FieldError, VersionMismatch
from tests.bookings.acts import as_patient, ask_for_code, bookable, code_of, take
from tests.bookings.schedule.callers import make_practice
from tests.concurrency.rush import rush
from tests.factories import (
    make_appointment,
    make_doctor,
    make_patient,
    make_secretary,
    make_slots,
    tomorrow_at,
)

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 8
_days = count(3)


def merge(kept: User, merged: User) -> PatientMerge:
    return merge_patients(
        kept_id=kept.pk, merged_id=merged.pk, by=Actor("staff"), now=timezone.now()
    )


def visit_of(patient: User) -> Appointment:
    """At a time that no other visit has."""
    slots = make_slots(doctor=make_doctor(), starts_at=tomorrow_at(days=next(_days)))
    return make_appointment(slots=slots, patient=patient)


def visits_of(patient: User) -> int:
    holds = Hold.objects.filter(patient=patient, state="confirmed").count()
    assert Appointment.objects.filter(patient=patient).count() == holds
    return holds


def test_a_confirmation_comes_before_the_merge_or_the_merge_is_refused() -> None:
    for _ in range(ROUNDS):
        (visit_type, slots), kept, merged = bookable(), make_patient(), make_patient()
        holder = as_patient(merged)
        hold = ask_for_code(take(slots[0], visit_type=visit_type, holder=holder), holder=holder)

        def act(who: str, hold=hold, holder=holder, kept=kept, merged=merged) -> Any:
            if who == "staff":
                return merge(kept, merged)
            return confirm_booking(hold_id=hold.pk, holder=holder, code=code_of(hold))

        visit, done = rush(act, ["patient", "staff"])
        assert isinstance(visit, Appointment), visit
        if isinstance(done, PatientMerge):
            assert (visits_of(kept), visits_of(merged)) == (1, 0)
        else:
            assert done.field_code == "booking"
            assert (visits_of(kept), visits_of(merged)) == (0, 1)


def test_a_caller_is_booked_before_the_merge_or_not_at_all() -> None:
    for _ in range(ROUNDS):
        practice, kept, merged = make_practice(), make_patient(), make_patient()

        def act(who: str, to=practice, kept=kept, merged=merged) -> Any:
            return to.books(merged) if who == "secretary" else merge(kept, merged)

        booked, done = rush(act, ["secretary", "staff"])
        assert isinstance(done, PatientMerge), done
        assert isinstance(booked, Appointment | FieldError), booked
        assert visits_of(merged) == 0
        assert visits_of(kept) == isinstance(booked, Appointment)


def test_without_the_second_look_at_the_patient_a_visit_would_stay_behind(monkeypatch) -> None:
    """The negative control: the caller was found before the merge, and is booked after it."""
    practice, kept, merged = make_practice(), make_patient(), make_patient()
    merge(kept, merged)
    with pytest.raises(FieldError):
        practice.books(merged)
    monkeypatch.setattr(desk, "get_patient", lambda patient_id: User(pk=patient_id))
    practice.books(merged)
    assert visits_of(merged) == 1


def test_a_visit_that_the_practice_moves_meanwhile_does_not_stay_behind() -> None:
    for _ in range(ROUNDS):
        practice, kept, merged = make_practice(), make_patient(), make_patient()
        visit = practice.books(merged)

        def act(who: str, to=practice, visit=visit, kept=kept, merged=merged) -> Any:
            if who == "staff":
                return merge(kept, merged)
            return move_appointment(
                appointment_id=visit.pk,
                slot_id=to.slots[2].pk,
                by=to.secretary,
                version=1,
                reason="ill",
                now=timezone.now(),
            )

        moved, done = rush(act, ["secretary", "staff"])
        assert isinstance(done, PatientMerge), done
        assert isinstance(moved, Appointment | VersionMismatch), moved
        assert visits_of(merged) == 0
        assert visits_of(kept) == 1 + isinstance(moved, Appointment)


def test_of_two_merges_in_opposite_directions_one_is_made() -> None:
    for _ in range(ROUNDS):
        one, other = make_patient(), make_patient()
        visit_of(one), visit_of(other)
        answers = rush(lambda pair: merge(*pair), [(one, other), (other, one)])
        refused = [each for each in answers if isinstance(each, FieldError)]
        assert [each.field_code for each in refused] == ["closed"], answers
        assert sorted((visits_of(one), visits_of(other))) == [0, 2]


def test_a_cancellation_during_an_undo_is_kept() -> None:
    for _ in range(ROUNDS):
        kept, merged = make_patient(), make_patient()
        visit = visit_of(merged)
        done = merge(kept, merged)
        secretary = PracticeMember(make_secretary(doctor=visit.doctor))

        def act(who: str, done=done, visit=visit, secretary=secretary) -> Any:
            now = timezone.now()
            if who == "staff":
                return undo_merge(merge_id=done.pk, by=Actor("staff"), now=now)
            return cancel_appointment(
                appointment_id=visit.pk, by=secretary, version=1, now=now, reason="ill"
            )

        stay, cancelled = rush(act, ["staff", "secretary"])
        assert isinstance(cancelled, Appointment), cancelled
        assert (visits_of(kept), visits_of(merged)) == (stay, 1 - stay)

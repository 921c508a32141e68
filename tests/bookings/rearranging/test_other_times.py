"""Other times are held for a patient whose visit should move, and one tap moves it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import User
from bookings.appointments.selectors.undecided import Standing
from bookings.appointments.services.changes import cancel_appointment
from bookings.engine.services import sweep_holds
from bookings.errors import HoldExpired, PatientBusy
from bookings.invariants.checks import check_invariants
from bookings.models import Appointment, Choice, Hold, RearrangedVisit
from bookings.rearranging.services.offers import take_offered_time
from bookings.schedule.selectors import PresentHours
from docbook.audit.models import AuditEvent
from docbook.errors import NotFound
from docbook.outbox.models import OutboxMessage
from tests.bookings.acts import as_patient, attempt, book, let_expire, take
from tests.bookings.rearranging.scenes import DAYS, DayOff, day_off, works_through
from tests.factories import make_doctor, make_slots, make_visit_type, tomorrow_at

pytestmark = pytest.mark.django_db


def offered(scene: DayOff) -> tuple[RearrangedVisit, list[Hold]]:
    """For the first visit."""
    assert works_through(scene.decides(Choice.OFFER))[0] == ("done", "")
    item = RearrangedVisit.objects.get(visit=scene.visits[0].pk)
    return item, list(Hold.objects.filter(guest_key=item.offer_key).order_by("starts_at"))


def kept_promises() -> list[str]:
    return [str(each.finding) for each in check_invariants() if each.is_broken]


def test_the_three_nearest_free_times_are_held_for_two_days_and_mailed() -> None:
    scene = day_off(count=1)
    item, holds = offered(scene)
    assert [hold.slot_ids for hold in holds] == [[slot.pk] for slot in scene.later[:3]]
    for hold in holds:
        left = hold.expires_at - timezone.now()
        term = timedelta(seconds=settings.OTHER_TIMES_SECONDS)
        assert term - timedelta(minutes=1) < left <= term
        assert (hold.patient, hold.replaces) == (None, scene.visits[0].pk)
    assert Appointment.objects.get().status == "confirmed"
    (message,) = OutboxMessage.objects.filter(topic="times.offered")
    assert message.payload == {
        "appointment_id": str(scene.visits[0].pk),
        "item_id": str(item.pk),
    }
    events = AuditEvent.objects.filter(action="hold.offered")
    assert {(each.actor_kind, each.actor_id) for each in events} == {
        ("secretary", scene.by.user.pk)
    }
    assert kept_promises() == []


def test_no_time_is_held_beyond_the_visit_itself() -> None:
    scene = day_off(count=1)
    soon = scene.visits[0].starts_at - timedelta(hours=5)
    decision = scene.decides(Choice.OFFER)
    works_through(decision, now=soon)
    left = RearrangedVisit.objects.get().offered_until - timezone.now()
    assert timedelta(hours=4, minutes=59) < left <= timedelta(hours=5)


def test_each_patient_gets_times_of_their_own() -> None:
    scene = day_off(count=2)
    works_through(scene.decides(Choice.OFFER))
    held = Hold.objects.filter(state="held")
    assert held.count() == 6
    assert len({tuple(hold.slot_ids) for hold in held}) == 6


def test_times_within_the_time_off_are_not_offered_even_before_the_slots_are_gone() -> None:
    scene = day_off(count=1)
    make_slots(doctor=scene.doctor, starts_at=tomorrow_at(9, days=DAYS), count=3)
    _item, holds = offered(scene)
    assert {hold.starts_at.date() for hold in holds} == {tomorrow_at(days=DAYS + 1).date()}


def test_long_visits_get_times_that_do_not_overlap() -> None:
    scene = day_off(count=1, length=2)
    _item, holds = offered(scene)
    assert [hold.slot_ids for hold in holds] == [
        [slot.pk for slot in scene.later[n : n + 2]] for n in (0, 2, 4)
    ]


def test_times_at_which_the_patient_is_busy_are_not_offered() -> None:
    scene = day_off(count=1)
    other = make_visit_type(doctor=make_doctor())
    (slot,) = make_slots(doctor=other.doctor, starts_at=scene.later[0].starts_at)
    book(slot, visit_type=other, holder=as_patient(scene.visits[0].patient))
    _item, holds = offered(scene)
    assert [hold.slot_ids for hold in holds] == [[slot.pk] for slot in scene.later[1:4]]


def test_patient_without_an_address_is_offered_nothing_that_they_could_not_choose() -> None:
    scene = day_off(count=1)
    [visit] = scene.visits
    Hold.objects.filter(pk=visit.pk).update(email="")
    User.objects.filter(pk=visit.patient_id).update(email=None)
    decision = scene.decides(Choice.OFFER)
    assert works_through(decision) == [("failed", "no-address")]
    assert not Hold.objects.filter(replaces=visit.pk).exists()


def test_fewer_free_times_are_better_than_none() -> None:
    scene = day_off(count=1, later=2)
    _item, holds = offered(scene)
    assert len(holds) == 2


def test_offered_times_take_nothing_from_what_the_patient_may_hold() -> None:
    scene = day_off(count=1)
    offered(scene)
    patient = scene.visits[0].patient
    for number in range(settings.LIVE_HOLDS_PER_PATIENT):
        other = make_visit_type(doctor=make_doctor())
        (slot,) = make_slots(doctor=other.doctor, starts_at=tomorrow_at(9 + number, days=9))
        assert take(slot, visit_type=other, holder=as_patient(patient)).state == "held"


def test_the_time_that_the_patient_chooses_replaces_the_visit(
    django_capture_on_commit_callbacks,
) -> None:
    scene = day_off(count=1)
    item, holds = offered(scene)
    with django_capture_on_commit_callbacks(execute=True):
        new = take_offered_time(item=item, hold_id=holds[1].pk)
    old = Appointment.objects.get(pk=scene.visits[0].pk)
    assert (old.status, old.replaced_by, old.changed_by_kind) == ("rescheduled", new.pk, "patient")
    assert (new.starts_at, new.patient) == (scene.later[1].starts_at, old.patient)
    assert (new.patient_name, new.reason) == (old.patient_name, old.reason)
    assert Hold.objects.get(pk=new.pk).email == old.patient.email
    states = dict(Hold.objects.filter(guest_key=item.offer_key).values_list("pk", "state"))
    assert states == {
        holds[0].pk: "released",
        holds[1].pk: "confirmed",
        holds[2].pk: "released",
    }
    assert OutboxMessage.objects.filter(topic="appointment.moved").count() == 1
    assert kept_promises() == []


def test_the_link_moves_the_visit_when_patients_can_no_longer_change_it_themselves() -> None:
    scene = day_off(count=1)
    scene.doctor.change_notice_minutes = 30 * 24 * 60
    scene.doctor.save()
    item, holds = offered(scene)
    assert take_offered_time(item=item, hold_id=holds[0].pk).status == "confirmed"


def test_a_second_tap_gives_the_same_appointment() -> None:
    scene = day_off(count=1)
    item, holds = offered(scene)
    first = take_offered_time(item=item, hold_id=holds[0].pk)
    assert take_offered_time(item=item, hold_id=holds[0].pk).pk == first.pk
    assert Appointment.objects.count() == 2


def test_a_time_of_another_offer_or_of_nobody_is_not_found() -> None:
    scene = day_off(count=2)
    item, _holds = offered(scene)
    another = RearrangedVisit.objects.get(visit=scene.visits[1].pk)
    theirs = Hold.objects.filter(guest_key=another.offer_key).first()
    own = attempt(
        make_slots(doctor=scene.doctor, starts_at=tomorrow_at(12, days=5))[0],
        visit_type=scene.visit_type,
        holder=as_patient(scene.visits[0].patient),
    )
    for hold_id in (theirs.pk, own.pk, uuid4()):
        with pytest.raises(NotFound):
            take_offered_time(item=item, hold_id=hold_id)


def test_a_visit_that_the_patient_booked_meanwhile_is_not_overlapped() -> None:
    scene = day_off(count=1)
    item, holds = offered(scene)
    other = make_visit_type(doctor=make_doctor())
    (slot,) = make_slots(doctor=other.doctor, starts_at=holds[0].starts_at)
    book(slot, visit_type=other, holder=as_patient(scene.visits[0].patient))
    with pytest.raises(PatientBusy):
        take_offered_time(item=item, hold_id=holds[0].pk)


def test_without_an_answer_the_times_are_free_again_and_the_visit_is_on_the_list() -> None:
    scene = day_off(count=1)
    item, holds = offered(scene)
    (before,) = PresentHours(scene.doctor, timezone.now()).outside
    assert before.standing == Standing.ANSWER
    for hold in holds:
        let_expire(hold)
    assert sweep_holds() == 3
    with pytest.raises(HoldExpired):
        take_offered_time(item=item, hold_id=holds[0].pk)
    later = item.offered_until + timedelta(seconds=1)
    (after,) = PresentHours(scene.doctor, later).outside
    assert after.standing == Standing.OPEN
    assert kept_promises() == []


def test_if_the_visit_changes_first_the_times_are_given_back(
    django_capture_on_commit_callbacks,
) -> None:
    scene = day_off(count=1)
    _item, holds = offered(scene)
    with django_capture_on_commit_callbacks(execute=True):
        cancel_appointment(
            appointment_id=scene.visits[0].pk,
            by=scene.by,
            version=1,
            reason="Ill",
            now=timezone.now(),
        )
    assert {hold.state for hold in Hold.objects.filter(pk__in=[h.pk for h in holds])} == {
        "released"
    }

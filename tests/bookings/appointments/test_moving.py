"""A move is a hold that replaces: the old time is kept until the new one is confirmed."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import User
from bookings.errors import NotChangeable
from bookings.holding.services.confirmation import confirm_booking
from bookings.holding.services.holds import OfferTerms, hold_slot
from bookings.models import Appointment, Hold
from docbook.audit.models import AuditEvent
from docbook.errors import NotFound
from docbook.outbox.models import OutboxMessage
from doctors.models import Slot, VisitType
from tests.api.client import Api, pointers, problem
from tests.bookings.acts import (
    as_patient,
    book,
    bookable,
    code_of,
    hold_instead,
    let_expire,
    wrong_code,
)
from tests.bookings.traces import traces
from tests.factories import (
    make_doctor,
    make_patient,
    make_slots,
    make_visit_type,
    make_waitlist_entry,
    tomorrow_at,
)
from tests.sentences import is_a_sentence

pytestmark = pytest.mark.django_db


def booked(**doctor: object) -> tuple[User, Appointment, VisitType, list[Slot]]:
    """A visit three days ahead, and the doctor's other slots of that morning."""
    patient = make_patient()
    visit_type, _tomorrow = bookable(count=0, **doctor)
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3), count=4)
    visit = book(slots[0], visit_type=visit_type, holder=as_patient(patient))
    return patient, visit, visit_type, slots


def confirm(hold: Hold, patient: User) -> Appointment:
    return confirm_booking(hold_id=hold.pk, holder=as_patient(patient), code=code_of(hold))


def states(slots: list[Slot]) -> list[str]:
    found = Slot.objects.in_bulk([slot.pk for slot in slots])
    return [found[slot.pk].state for slot in slots]


def test_old_time_is_kept_while_the_new_one_is_held() -> None:
    _patient, visit, _visit_type, slots = booked()
    hold_instead(visit, slots[2])
    visit.refresh_from_db()
    assert (visit.status, states(slots)) == ("confirmed", ["booked", "open", "held", "open"])


def test_confirmation_gives_the_old_time_up_and_links_the_two() -> None:
    patient, old, _visit_type, slots = booked()
    new = confirm(hold_instead(old, slots[2]), patient)
    old.refresh_from_db()
    assert (old.status, old.version, old.replaced_by) == ("rescheduled", 2, new.pk)
    assert (old.changed_by_kind, old.changed_by) == ("patient", patient.pk)
    assert (new.status, new.version, new.replaces) == ("confirmed", 1, old.pk)
    assert states(slots) == ["open", "open", "booked", "open"]
    (event,) = AuditEvent.objects.filter(action="appointment.rescheduled")
    assert (event.object_id, event.after["replaced_by"]) == (str(old.pk), str(new.pk))
    (moved,) = OutboxMessage.objects.filter(topic="appointment.moved")
    assert moved.payload == {
        "appointment_id": str(new.pk),
        "version": "1",
        "previous_id": str(old.pk),
    }
    assert OutboxMessage.objects.filter(topic="appointment.confirmed").count() == 1


def test_move_to_a_time_that_overlaps_the_old_one_is_no_clash_with_oneself() -> None:
    """Like an offer of another doctor of the specialty, ten minutes into the visit that it
    moves.
    """
    patient, old, _visit_type, slots = booked()
    other = make_visit_type(doctor=make_doctor())
    entry = make_waitlist_entry(patient=patient, doctor=other.doctor, visit_type=other)
    start = slots[0].starts_at + timedelta(minutes=10)
    (slot,) = make_slots(doctor=other.doctor, starts_at=start)
    hold = hold_slot(
        slot_id=slot.pk,
        visit_type_id=other.pk,
        holder=as_patient(patient),
        replaces=old.pk,
        offer=OfferTerms(entry.pk, timedelta(minutes=15)),
        now=timezone.now(),
    )
    assert confirm(hold, patient).doctor == other.doctor
    old.refresh_from_db()
    assert old.status == "rescheduled"


def test_who_has_as_many_visits_ahead_as_allowed_moves_one_of_them(settings) -> None:
    settings.COMING_VISITS_PER_PATIENT = 1
    patient, old, _visit_type, slots = booked()
    hold = hold_instead(old, slots[2])
    assert confirm(hold, patient).replaces == old.pk


def test_time_is_not_held_in_place_of_somebody_elses_visit() -> None:
    _patient, old, visit_type, slots = booked()
    stranger = as_patient(make_patient())
    before = traces()
    with pytest.raises(NotFound):
        hold_slot(
            slot_id=slots[2].pk,
            visit_type_id=visit_type.pk,
            holder=stranger,
            replaces=old.pk,
            now=timezone.now(),
        )
    assert traces() == before


def test_wrong_code_of_a_move_is_counted_and_moves_nothing() -> None:
    patient, old, _visit_type, slots = booked()
    hold = hold_instead(old, slots[2])
    with pytest.raises(Exception, match="otp-invalid"):
        confirm_booking(hold_id=hold.pk, holder=as_patient(patient), code=wrong_code(hold))
    old.refresh_from_db()
    assert (old.status, states(slots)) == ("confirmed", ["booked", "open", "held", "open"])


def test_move_that_is_not_confirmed_in_time_leaves_the_old_visit() -> None:
    patient, old, _visit_type, slots = booked()
    hold = hold_instead(old, slots[2])
    let_expire(hold)
    before = traces()
    with pytest.raises(Exception, match="hold-expired"):
        confirm(hold, patient)
    assert traces() == before


def test_visit_that_was_changed_meanwhile_is_not_moved_and_the_new_time_stays_held() -> None:
    patient, old, _visit_type, slots = booked()
    hold = hold_instead(old, slots[2])
    Appointment.objects.filter(pk=old.pk).update(status="cancelled", version=2)
    before = traces()
    with pytest.raises(NotChangeable) as refusal:
        confirm(hold, patient)
    assert refusal.value.status == "cancelled"
    assert traces() == before


def test_old_time_is_announced_to_those_who_wait_for_the_doctor() -> None:
    patient, old, visit_type, slots = booked()
    make_waitlist_entry(doctor=visit_type.doctor, visit_type=visit_type)
    confirm(hold_instead(old, slots[2]), patient)
    assert OutboxMessage.objects.filter(topic="slot.released").count() == 1


class TestByTheApi:
    def test_move_keeps_the_reason_and_answers_with_the_chain(self) -> None:
        patient, old, visit_type, slots = booked()
        api = Api(patient)
        started = api.start(
            slot_id=slots[1].pk, visit_type_id=visit_type.pk, replaces=str(old.pk)
        ).json()
        hold = Hold.objects.get(pk=started["attemptId"])
        answer = api.verify(hold.pk, code_of(hold)).json()
        assert (answer["replaces"], answer["reason"]) == (str(old.pk), "A rash on the elbow")
        assert api.get(f"bookings/{old.pk}").json()["replacedBy"] == answer["id"]

    def test_visit_of_somebody_else_is_not_there_to_be_moved(self) -> None:
        _patient, old, visit_type, slots = booked()
        api, before = Api(make_patient()), traces()
        for replaces in (old.pk, uuid4()):
            answer = api.start(
                slot_id=slots[1].pk, visit_type_id=visit_type.pk, replaces=str(replaces)
            )
            problem(answer, code="not-found", status=404)
        assert traces() == before

    def test_visit_inside_the_notice_for_changes_is_not_moved(self) -> None:
        patient, old, visit_type, slots = booked(change_notice_minutes=5 * 24 * 60)
        before = traces()
        answer = Api(patient).start(
            slot_id=slots[1].pk, visit_type_id=visit_type.pk, replaces=str(old.pk)
        )
        problem(answer, code="change-window-passed", status=422)
        assert traces() == before


@pytest.mark.parametrize("other", ["doctor", "reason"])
def test_visit_moves_to_another_time_of_the_same_doctor_and_reason_only(other: str) -> None:
    patient, old, visit_type, slots = booked()
    if other == "doctor":
        visit_type, slots = bookable()
    else:
        visit_type = make_visit_type(doctor=old.doctor)
    before = traces()
    answer = Api(patient).start(
        slot_id=slots[1].pk, visit_type_id=visit_type.pk, replaces=str(old.pk)
    )
    problem(answer, code="validation", status=422)
    assert pointers(answer.json()) == ["/replaces"]
    assert is_a_sentence(answer.json()["errors"][0]["detail"])
    assert traces() == before

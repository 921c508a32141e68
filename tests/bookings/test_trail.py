"""What a booking leaves for later readers: every line of the audit, every message."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_redis import get_redis_connection

from bookings.engine.services import release_hold
from bookings.holding.services.codes import resend_code
from bookings.holding.services.confirmation import confirm_booking
from bookings.models import Appointment, Hold
from docbook.audit.models import AuditEvent
from docbook.observability import request_id
from docbook.outbox.models import OutboxMessage
from tests.api.client import Api
from tests.bookings.acts import (
    allow_resend,
    as_patient,
    attempt,
    book,
    bookable,
    code_of,
    guest,
    let_expire,
    take,
    wrong_code,
)
from tests.factories import make_patient, make_slots, make_waitlist_entry, tomorrow_at

pytestmark = pytest.mark.django_db

REQUEST = "7d3f0c52-11aa-4c5e-9f0e-2f6a51c0d9b4"


def lines(action: str) -> list[dict[str, Any]]:
    found = AuditEvent.objects.filter(action=action).order_by("id")
    assert all(timezone.now() - each.at < timedelta(minutes=5) for each in found)
    return list(
        found.values(
            "actor_kind", "actor_id", "object_type", "object_id", "before", "after", "request_id"
        )
    )


def messages(topic: str) -> list[dict[str, Any]]:
    """All of them ready to be sent for the first time."""
    found = OutboxMessage.objects.filter(topic=topic).order_by("id")
    assert all(each.next_attempt_at <= timezone.now() for each in found)
    assert all((each.attempts, each.handed_out, each.last_error) == (0, 0, "") for each in found)
    return list(found.values("aggregate_id", "payload"))


def line(hold: Hold, **fields: Any) -> dict[str, Any]:
    """For a hold of this patient, as the test's request asked for it."""
    return {
        "actor_kind": "patient",
        "actor_id": hold.patient_id,
        "object_type": "hold",
        "object_id": str(hold.pk),
        "before": {},
        "request_id": REQUEST,
    } | fields


def start(api: Api, visit_type: Any, slot: Any, **more: Any) -> Hold:
    body = {"slotId": slot.pk, "visitTypeId": visit_type.pk, **more}
    headers = {"Idempotency_Key": f"key-{slot.pk}", request_id.HEADER: REQUEST}
    assert api.post("bookings", body, **headers).status_code == 201
    return Hold.objects.latest("created_at")


def verify(api: Api, hold: Hold, code: str) -> int:
    body, headers = {"code": code}, {request_id.HEADER: REQUEST}
    return api.post(f"bookings/{hold.pk}/verify-otp", body, **headers).status_code


def test_hold_with_its_code_by_the_api() -> None:
    visit_type, slots = bookable(slots=2)
    hold = start(Api(make_patient()), visit_type, slots[0])
    ids = [slot.pk for slot in slots[:2]]
    assert lines("hold.created") == [line(hold, after={"state": "held", "slots": ids})]
    assert lines("hold.code_requested") == [line(hold, after={"resends": 0})]
    assert messages("otp.requested") == [
        {"aggregate_id": str(hold.pk), "payload": {"hold_id": str(hold.pk), "resend": "0"}}
    ]
    assert hold.code_sent_at == hold.created_at


def test_codes_on_the_pages() -> None:
    visit_type, slots = bookable()
    holder = guest()
    hold = attempt(slots[0], visit_type=visit_type, holder=holder)
    allow_resend(hold)
    hold = resend_code(hold_id=hold.pk, holder=holder, now=timezone.now())
    requests = [each["after"] for each in lines("hold.code_requested")]
    assert requests == [{"resends": 0}, {"resends": 1}]
    assert {each["actor_kind"] for each in lines("hold.code_requested")} == {"guest"}
    assert [each["payload"]["resend"] for each in messages("otp.requested")] == ["0", "1"]


def test_hold_of_the_api_knows_its_patient_from_the_account() -> None:
    patient = make_patient(first_name="Noor", last_name="Bakker", phone="+31655501234")
    visit_type, slots = bookable()
    hold = start(Api(patient), visit_type, slots[0], reason="A rash")
    assert (hold.patient, hold.guest_key) == (patient, None)
    assert (hold.first_name, hold.last_name) == ("Noor", "Bakker")
    assert (hold.email, hold.phone, hold.reason) == (patient.email, "+31655501234", "A rash")


def test_confirmation() -> None:
    api, (visit_type, slots) = Api(make_patient()), bookable()
    hold = start(api, visit_type, slots[0])
    assert verify(api, hold, code_of(hold)) == 200
    assert lines("appointment.confirmed") == [
        line(hold, object_type="appointment", after={"status": "confirmed", "version": 1})
    ]
    assert messages("appointment.confirmed") == [
        {
            "aggregate_id": str(hold.pk),
            "payload": {"appointment_id": str(hold.pk), "version": "1"},
        }
    ]


def test_move() -> None:
    patient, (visit_type, _none) = make_patient(), bookable(count=0)
    old_slot, slot = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3), count=2)
    old = book(old_slot, visit_type=visit_type, holder=as_patient(patient))
    api = Api(patient)
    hold = start(api, visit_type, slot, replaces=str(old.pk))
    assert verify(api, hold, code_of(hold)) == 200
    assert lines("appointment.rescheduled") == [
        line(
            hold,
            object_type="appointment",
            object_id=str(old.pk),
            before={"status": "confirmed", "version": 1},
            after={"status": "rescheduled", "version": 2, "replaced_by": str(hold.pk)},
        )
    ]
    assert lines("appointment.confirmed")[1:] == [
        line(
            hold,
            object_type="appointment",
            after={"status": "confirmed", "version": 1, "replaces": str(old.pk)},
        )
    ]
    assert messages("appointment.moved") == [
        {
            "aggregate_id": str(hold.pk),
            "payload": {
                "appointment_id": str(hold.pk),
                "version": "1",
                "previous_id": str(old.pk),
            },
        }
    ]
    old.refresh_from_db()
    made = Appointment.objects.get(pk=hold.pk)
    assert (old.changed_by_kind, old.changed_by, old.replaced_by) == (
        "patient",
        patient.pk,
        made.pk,
    )
    assert old.changed_at == made.created_at
    assert made.replaces == old.pk


def test_fifth_wrong_code() -> None:
    api, (visit_type, slots) = Api(make_patient()), bookable()
    hold = start(api, visit_type, slots[0])
    for _ in range(5):
        verify(api, hold, wrong_code(hold))
    assert lines("hold.released") == [
        line(hold, before={"state": "held"}, after={"state": "released"})
    ]
    slots[0].refresh_from_db()
    assert (slots[0].state, slots[0].hold_id, slots[0].held_until) == ("open", None, None)


def test_hold_that_somebody_takes_over() -> None:
    visit_type, slots = bookable()
    lapsed = take(slots[0], visit_type=visit_type, holder=guest())
    let_expire(lapsed)
    get_redis_connection("default").flushdb()  # the gate lapses with the hold
    start(Api(make_patient()), visit_type, slots[0])
    assert lines("hold.expired") == [
        line(
            lapsed,
            actor_kind="system",
            actor_id=None,
            before={"state": "held"},
            after={"state": "expired"},
        )
    ]


def test_time_that_is_free_again_where_somebody_waits() -> None:
    visit_type, slots = bookable(slots=2)
    make_waitlist_entry(doctor=visit_type.doctor, visit_type=visit_type)
    holder = guest()
    hold = take(slots[0], visit_type=visit_type, holder=holder)
    release_hold(hold_id=hold.pk, holder=holder)
    doctor, ids = visit_type.doctor_id, [slot.pk for slot in slots[:2]]
    assert messages("slot.released") == [
        {
            "aggregate_id": f"times-of-{doctor}",
            "payload": {"doctor_id": str(doctor), "slot_ids": f"{ids[0]},{ids[1]}"},
        }
    ]


def test_confirmation_by_a_guest_is_the_accounts_visit() -> None:
    visit_type, slots = bookable()
    holder = guest()
    hold = attempt(slots[0], visit_type=visit_type, holder=holder)
    visit = confirm_booking(hold_id=hold.pk, holder=holder, code=code_of(hold))
    hold.refresh_from_db()
    assert hold.patient == visit.patient
    (event,) = lines("appointment.confirmed")
    assert (event["actor_kind"], event["actor_id"]) == ("guest", visit.patient_id)
    assert (visit.patient_name, visit.reason) == ("Saskia Kuipers", "A rash on the elbow")
    assert visit.clinic == slots[0].clinic

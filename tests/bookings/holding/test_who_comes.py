"""Who comes to a visit, why, and on which number: as typed, and the same after each move."""

from typing import Any

import pytest

from accounts.models import User
from bookings.appointments.selectors.appointments import contact_of
from bookings.errors import NumberNeeded
from bookings.models import Appointment, Hold, WaitlistEntry
from bookings.waitlist.services.offers import accept_offer
from doctors.models import Mode, Slot, VisitType
from tests.api.client import Api, problem
from tests.bookings.acts import as_patient, ask_for_code, book, bookable, code_of, guest, take
from tests.bookings.traces import traces
from tests.bookings.waitlist.acts import in_line, release
from tests.factories import make_patient, make_slots, make_visit_type, tomorrow_at
from tests.pages.browser import signed_in

pytestmark = pytest.mark.django_db

# A parent has booked for a child.
CHILD = {"first_name": "Mia", "last_name": "de Wit", "phone": "030 555 0199", "reason": "Rash"}


def parent(**fields: Any) -> User:
    names = {"first_name": "Noor", "last_name": "Bakker", "phone": "030 555 0100"}
    return make_patient(**(names | fields))


def booked_for_a_child() -> tuple[User, Appointment, VisitType, list[Slot]]:
    patient = parent()
    visit_type, _tomorrow = bookable(count=0)
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3), count=3)
    visit = book(slots[2], visit_type=visit_type, holder=as_patient(patient), **CHILD)
    return patient, visit, visit_type, slots


def confirmed_by_the_api(patient: User, **asked: Any) -> Appointment:
    started = Api(patient).start(**asked)
    assert started.status_code == 201, started.content
    hold = Hold.objects.get(pk=started.json()["attemptId"])
    assert Api(patient).verify(hold.pk, code_of(hold)).status_code == 200
    return Appointment.objects.get(pk=hold.pk)


def who(visit: Appointment) -> tuple[str, str, str]:
    return visit.patient_name, visit.reason, contact_of(visit).phone


@pytest.mark.parametrize("door", ["page", "api", "offer"])
def test_childs_visit_is_the_childs_after_a_move(door: str) -> None:
    patient, visit, visit_type, slots = booked_for_a_child()
    assert who(visit) == ("Mia de Wit", "Rash", "030 555 0199")
    if door == "page":
        tap = {"slot": slots[0].pk, "visit_type": visit_type.pk, "replaces": visit.pk}
        browser = signed_in(patient)
        page = browser.post("/book/", tap).headers["Location"]
        browser.post(page, {"code": code_of(Hold.objects.get(replaces=visit.pk))})
    elif door == "api":
        asked = {"slot_id": slots[0].pk, "visit_type_id": visit_type.pk}
        confirmed_by_the_api(patient, **asked, replaces=str(visit.pk))
    else:
        in_line(visit_type, count=1, replaces=visit.pk)
        WaitlistEntry.objects.update(patient=patient)
        (offer,) = release(slots[0])
        accept_offer(offer_id=offer.pk, patient=patient)
    assert who(Appointment.objects.get(replaces=visit.pk)) == who(visit)


def test_move_by_the_api_can_say_another_reason_and_number() -> None:
    patient, visit, visit_type, slots = booked_for_a_child()
    moved = confirmed_by_the_api(
        patient,
        slot_id=slots[0].pk,
        visit_type_id=visit_type.pk,
        replaces=str(visit.pk),
        reason="Worse",
        phone="030 555 0177",
    )
    assert who(moved) == ("Mia de Wit", "Worse", "030 555 0177")


def visit_by_phone() -> tuple[VisitType, Slot]:
    first, slots = bookable()
    return make_visit_type(doctor=first.doctor, mode=Mode.PHONE), slots[0]


@pytest.mark.parametrize(
    ("typed", "of_the_account", "called"),
    [
        ("+31 30 555 0177", "", "+31 30 555 0177"),
        ("+31 30 555 0177", "030 555 0100", "+31 30 555 0177"),
        ("", "030 555 0100", "030 555 0100"),
    ],
)
def test_visit_by_phone_has_the_number_that_was_typed_or_the_accounts(
    typed: str, of_the_account: str, called: str
) -> None:
    visit_type, slot = visit_by_phone()
    asked = {"slot_id": slot.pk, "visit_type_id": visit_type.pk, "phone": typed}
    visit = confirmed_by_the_api(parent(phone=of_the_account), **asked)
    assert contact_of(visit).phone == called


def test_visit_by_phone_without_a_number_is_refused_at_its_field_and_holds_nothing() -> None:
    visit_type, slot = visit_by_phone()
    refused = Api(parent(phone="")).start(slot_id=slot.pk, visit_type_id=visit_type.pk)
    body = problem(refused, code="validation", status=422)
    assert [(each["pointer"], each["code"]) for each in body["errors"]] == [("/phone", "required")]
    assert not Hold.objects.exists()


@pytest.mark.parametrize(
    "typed", ["call me", "1234", "0" * 33, "030 555\n0100", "-----", "( ) ( )", "ext 12345"]
)
def test_number_that_nobody_could_dial_is_refused_at_its_field(typed: str) -> None:
    visit_type, slot = visit_by_phone()
    asked = {"slot_id": slot.pk, "visit_type_id": visit_type.pk, "phone": typed}
    body = problem(Api(parent()).start(**asked), code="validation", status=422)
    assert [each["pointer"] for each in body["errors"]] == ["/phone"]


@pytest.mark.parametrize("typed", ["     ", "-----", "1234"])
def test_page_refuses_the_same_numbers(typed: str) -> None:
    visit_type, slot = visit_by_phone()
    browser = signed_in(parent(phone=""))
    page = browser.post("/book/", {"slot": slot.pk, "visit_type": visit_type.pk})
    details = {"first_name": "Noor", "last_name": "Bakker", "phone": typed}
    assert browser.post(page.headers["Location"], details).status_code == 422
    assert not Hold.objects.filter(code_sent_at__isnull=False).exists()


def test_code_by_sms_goes_to_the_number_that_was_typed(settings) -> None:
    settings.CODE_CHANNEL = "sms"
    visit_type, slots = bookable()
    asked = {"slot_id": slots[0].pk, "visit_type_id": visit_type.pk, "phone": "+31 6 5550 1277"}
    otp = Api(parent(phone="+31 6 5550 1234")).start(**asked).json()["otp"]
    assert (otp["channel"], otp["sentTo"]) == ("sms", "•••• 77")


@pytest.mark.parametrize("who", ["guest", "patient"])
def test_details_without_a_number_send_no_code_for_a_visit_by_phone(who: str) -> None:
    """Even if a form let it pass."""
    visit_type, slot = visit_by_phone()
    holder = guest() if who == "guest" else as_patient(parent(phone=""))
    hold = take(slot, visit_type=visit_type, holder=holder)
    before = traces()
    with pytest.raises(NumberNeeded):
        ask_for_code(hold, holder=holder, phone="")
    assert traces() == before
    assert ask_for_code(hold, holder=holder, phone="030 555 0177").code_sent_at


def test_offer_that_was_taken_before_numbers_were_asked_for_is_answered_again() -> None:
    visit_type, slot = visit_by_phone()
    (entry,) = in_line(visit_type, count=1)
    (offer,) = release(slot)
    taken = accept_offer(offer_id=offer.pk, patient=entry.patient, phone="030 555 0177")
    Hold.objects.filter(pk=offer.pk).update(phone="")
    assert accept_offer(offer_id=offer.pk, patient=entry.patient) == taken

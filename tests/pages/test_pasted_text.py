"""Both doors accept what a phone, a PDF or another keyboard puts into a field."""

import pytest
from django.test import Client

from bookings.models import Hold
from doctors.models import Mode
from tests.api.client import Api
from tests.bookings.acts import bookable, code_of
from tests.factories import make_doctor, make_patient, make_slots, make_visit_type
from tests.pages.browser import signed_in

pytestmark = pytest.mark.django_db

PASTED = "\u202a+31\u00a06\u00a05550\u20111234\u202c"
MEANT = "+31 6 5550-1234"
DETAILS = {
    "first_name": "Sas\u00adkia",
    "last_name": "van\u00a0der\u200b Meer",
    "email": "\u200bsaskia@example.test\u00a0",
    "phone": PASTED,
    "reason": "A rash\u00a0on the elbow",
}


def held_on_a_page(browser: Client) -> tuple[Hold, str]:
    visit_type, slots = bookable()
    browser.post("/book/", {"slot": slots[0].pk, "visit_type": visit_type.pk})
    hold = Hold.objects.get()
    return hold, f"/book/{hold.pk}/"


def test_details_that_were_pasted_are_kept_as_they_were_meant() -> None:
    browser = signed_in()
    hold, page = held_on_a_page(browser)
    assert browser.post(page, DETAILS).status_code == 302
    hold.refresh_from_db()
    assert (hold.first_name, hold.last_name) == ("Saskia", "van der Meer")
    assert (hold.email, hold.phone) == ("saskia@example.test", MEANT)
    assert hold.reason == "A rash on the elbow"


def test_field_of_characters_that_nobody_sees_is_an_empty_one() -> None:
    browser = signed_in()
    _hold, page = held_on_a_page(browser)
    answer = browser.post(page, DETAILS | {"first_name": "\u200b\u2060\ufeff"})
    assert answer.status_code == 422
    assert 'id="id_first_name_error"' in answer.content.decode()


@pytest.mark.parametrize("paste", ["wide", "arabic", "marked"])
def test_code_is_taken_from_any_keyboard(paste: str) -> None:
    browser = signed_in()
    hold, page = held_on_a_page(browser)
    browser.post(page, DETAILS)
    digits = code_of(hold)
    pasted = {
        "wide": "".join(chr(0xFF10 + int(digit)) for digit in digits),
        "arabic": "".join(chr(0x0660 + int(digit)) for digit in digits),
        "marked": f"\u202a{digits[:3]}\u2009{digits[3:]}\u202c",
    }
    answer = browser.post(f"{page}code/", {"code": pasted[paste]})
    assert answer.status_code == 302
    assert Hold.objects.get().state == "confirmed"


def test_api_folds_the_same_fields() -> None:
    doctor = make_doctor()
    visit_type = make_visit_type(doctor=doctor, mode=Mode.PHONE)
    slots = make_slots(doctor=doctor)
    body = {"phone": PASTED, "reason": DETAILS["reason"]}
    api = Api(make_patient())
    answer = api.start(slot_id=slots[0].pk, visit_type_id=visit_type.pk, **body)
    assert answer.status_code == 201, answer.content
    hold = Hold.objects.get()
    assert (hold.phone, hold.reason) == (MEANT, "A rash on the elbow")
    digits = code_of(hold)
    assert api.verify(hold.pk, f"\u202a{digits[:3]}\u00a0{digits[3:]}\u202c").status_code == 200


def test_sign_in_takes_an_address_that_was_pasted() -> None:
    patient = make_patient()
    form = {"login": f"\u2060{patient.email}\u00a0", "password": "correct-horse-battery"}
    answer = signed_in().post("/accounts/login/", form)
    assert answer.status_code == 302

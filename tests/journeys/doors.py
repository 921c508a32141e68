"""The two doors of a booking, as its patient uses them, or somebody of the practice."""

import re
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.http import HttpResponse
from django.test import Client
from django.utils.html import strip_tags

from accounts.models import User
from bookings.engine.links import offer_token
from bookings.models import Hold
from tests.api.client import Api


@dataclass(frozen=True)
class Ask:
    """What the patient asks for: a time, or something about a hold or a visit."""

    step: str
    slot_id: int = 0
    visit_type_id: int = 0
    hold_id: UUID | None = None
    code: str = ""
    version: int = 1
    replaces: UUID | None = None
    act: str = ""
    reason: str = ""
    anyway: bool = False
    doctor_id: int = 0
    email: str = ""
    phone: str = ""


def by_api(ask: Ask, *, patient: User) -> HttpResponse:
    api = Api(patient)
    if ask.step == "start":
        more = {"replaces": str(ask.replaces)} if ask.replaces else {}
        return api.start(slot_id=ask.slot_id, visit_type_id=ask.visit_type_id, **more)
    if ask.step == "code":
        return api.verify(ask.hold_id, ask.code)
    if ask.step == "resend":
        return api.post(f"bookings/{ask.hold_id}/resend-otp")
    if ask.step == "accept":
        return api.post(f"waitlist/offers/{ask.hold_id}/accept", Idempotency_Key=str(uuid4()))
    if ask.step == "cancel":
        return api.cancel(ask.hold_id, version=ask.version)
    if ask.step == "mark":
        body = {"act": ask.act, "reason": ask.reason}
        return api.patch(f"bookings/{ask.hold_id}/mark", body, If_Match=f'"{ask.version}"')
    if ask.step == "practice move":
        body = {"slotId": ask.slot_id, "reason": ask.reason, "anyway": ask.anyway}
        headers = {"If-Match": f'"{ask.version}"', "Idempotency-Key": str(uuid4())}
        return api.post(f"bookings/{ask.hold_id}/move", body, **headers)
    if ask.step == "desk":
        ids = {"slotId": ask.slot_id, "visitTypeId": ask.visit_type_id}
        who = {"firstName": "Anna", "lastName": "Smit", "email": ask.email, "phone": ask.phone}
        path, key = f"doctors/{ask.doctor_id}/appointments", str(uuid4())
        return api.post(path, ids | who, Idempotency_Key=key)
    if ask.step == "reschedule":
        return api.times_to_move_to(ask.hold_id, version=ask.version)
    return api.delete(f"bookings/{ask.hold_id}")


def by_page(ask: Ask, *, patient: User, follow: bool = False) -> HttpResponse:
    browser = Client()
    browser.force_login(patient)
    if ask.step == "start":
        data = {"slot": ask.slot_id, "visit_type": ask.visit_type_id}
        return browser.post("/book/", data | ({"replaces": ask.replaces} if ask.replaces else {}))
    if ask.step == "accept":
        token = offer_token(Hold(pk=ask.hold_id))
        return browser.post(f"/waitlist/offers/{token}/accept/")
    if ask.step == "cancel":
        return browser.post(f"/appointments/{ask.hold_id}/cancel/", {"version": ask.version})
    if ask.step == "mark":
        data = {"act": ask.act, "reason": ask.reason, "version": ask.version}
        return browser.post(f"/schedule/visits/{ask.hold_id}/act/", data)
    if ask.step == "practice move":
        data = {"slot": ask.slot_id, "reason": ask.reason, "version": ask.version}
        data |= {"anyway": "on"} if ask.anyway else {}
        return browser.post(f"/schedule/visits/{ask.hold_id}/move/", data)
    if ask.step == "desk":
        return browser.post(f"/schedule/desk/?doctor={ask.doctor_id}", _at_the_desk(ask))
    if ask.step == "reschedule":
        return browser.get(f"/appointments/{ask.hold_id}/reschedule/")
    data = {"code": ask.code} if ask.step == "code" else {}
    return browser.post(f"/book/{ask.hold_id}/{ask.step}/", data, follow=follow)


def _at_the_desk(ask: Ask) -> dict[str, object]:
    return {
        "step": "book",
        "booking": uuid4(),
        "shown_for": f"{ask.visit_type_id} False None",
        "visit_type": ask.visit_type_id,
        "slot": f"{ask.slot_id}-{ask.visit_type_id}",
        "caller": "new",
        "first_name": "Anna",
        "last_name": "Smit",
        "email": ask.email,
        "phone": ask.phone,
    }


def words(response: HttpResponse) -> str:
    """The text of a page as a reader sees it."""
    return re.sub(r"\s+", " ", strip_tags(response.content.decode()))

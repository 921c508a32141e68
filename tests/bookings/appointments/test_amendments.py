"""A clinic that moves, or a visit type with another name, for booked visits."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.db import connection
from django.db.models import Value
from django.db.models.functions import Concat
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from icalendar import Calendar

from accounts.models import User
from bookings.appointments.selectors.amendments import outdated_visits
from bookings.appointments.services import amendments
from bookings.appointments.services.amendments import amend_visits, ask_to_amend
from bookings.appointments.services.changes import cancel_appointment
from bookings.invariants.checks import check_invariants
from bookings.models import Appointment
from docbook.audit.models import AuditEvent
from docbook.audit.services import Actor
from docbook.outbox.models import OutboxMessage
from doctors.models import Clinic, Doctor, Mode, VisitType
from tests.admin.test_admin import clinic_form, doctor_form
from tests.bookings.acts import as_patient, book
from tests.bookings.agreements import Booked, booked
from tests.bookings.receiving import receive
from tests.factories import (
    make_admin,
    make_appointment,
    make_patient,
    make_slots,
    make_user,
    make_visit_type,
    tomorrow_at,
)

pytestmark = pytest.mark.django_db

STAFF = Actor("staff", 1)


def clinic_of(made: Booked) -> Clinic:
    return Clinic.objects.get(pk=made.visit.clinic_id)


def moved_away(made: Booked, **fields: str) -> Clinic:
    new = {"street": "Neude 5", "postcode": "3512 AD"} | fields
    Clinic.objects.filter(pk=made.visit.clinic_id).update(**new)
    return clinic_of(made)


def amended(source: Clinic | VisitType) -> int:
    return amend_visits(source=source, by=STAFF, now=timezone.now())


def broken() -> list[str]:
    return [str(each.finding) for each in check_invariants() if each.is_broken]


def told() -> Any:
    receive("appointment.updated")
    return mail.outbox


def test_booked_visits_say_the_new_address_and_their_patients_are_told_once() -> None:
    made = booked()
    clinic = moved_away(made)
    assert made.json()["address"] == "Maliebaan 42, 3581 CR Utrecht"
    assert amended(clinic) == 1
    assert amended(clinic) == 0
    assert made.json()["address"] == "Neude 5, 3512 AD Utrecht"
    assert made.json()["version"] == 2
    (sent,) = told()
    assert sent.subject.startswith("Changed: ")
    html = re.sub(r"<[^>]+>", " ", str(sent.alternatives[0][0]))
    for text in (sent.body, html):
        assert "Neude 5" in text
        assert "Maliebaan 42" in text
    (file,) = sent.attachments
    calendar = Calendar.from_ical(file[1])
    (event,) = calendar.walk("VEVENT")
    assert (calendar["METHOD"], event["STATUS"], event["SEQUENCE"]) == ("REQUEST", "CONFIRMED", 1)
    assert event["DTSTART"].dt == made.visit.starts_at
    assert "Neude 5" in event["LOCATION"]
    assert broken() == []


def test_visit_elsewhere_at_the_same_time_keeps_its_address() -> None:
    made, other = booked(), booked()
    assert made.visit.starts_at == other.visit.starts_at
    assert amended(moved_away(made)) == 1
    assert other.json()["address"] == "Maliebaan 42, 3581 CR Utrecht"
    assert other.json()["version"] == 1


def test_nearest_visits_are_amended_first(monkeypatch) -> None:
    monkeypatch.setattr(amendments, "BATCH", 1)
    made = booked()
    sooner = make_appointment(
        slots=make_slots(
            doctor=made.visit.doctor, starts_at=tomorrow_at(), count=1, clinic=clinic_of(made)
        ),
        visit_type=made.visit.visit_type,
    )
    assert amended(moved_away(made)) == 1
    versions = Appointment.objects.order_by("starts_at").values_list("pk", "version")
    assert list(versions) == [(sooner.pk, 2), (made.visit.pk, 1)]


def test_audit_says_who_has_changed_what_from_what() -> None:
    made = booked()
    amended(moved_away(made))
    event = AuditEvent.objects.get(action="appointment.updated")
    assert (event.actor_kind, event.actor_id, event.object_id) == ("staff", 1, str(made.visit.pk))
    assert event.before == {
        "status": "confirmed", "version": 1, "street": "Maliebaan 42", "postcode": "3581 CR",
    }  # fmt: skip
    assert event.after == {
        "status": "confirmed", "version": 2, "street": "Neude 5", "postcode": "3512 AD",
    }  # fmt: skip


def test_visit_says_itself_who_has_changed_it_and_when() -> None:
    made = booked()
    Appointment.objects.filter(pk=made.visit.pk).update(change_reason="Of an earlier change")
    now = timezone.now()
    amend_visits(source=moved_away(made), by=STAFF, now=now)
    visit = Appointment.objects.get(pk=made.visit.pk)
    assert (visit.changed_at, visit.changed_by_kind, visit.changed_by) == (now, "staff", 1)
    assert visit.change_reason == ""


def test_clock_of_the_clinic_changes_and_the_instant_stays() -> None:
    made = booked()
    before = made.json()
    amended(moved_away(made, time_zone="Europe/London"))
    after = made.json()
    assert before["startsAt"] != after["startsAt"]
    assert after["timeZone"] == "Europe/London"
    assert Appointment.objects.get(pk=made.visit.pk).starts_at == made.visit.starts_at
    (sent,) = told()
    assert "When: " in sent.body


def test_new_name_of_the_reason_is_told_and_the_price_is_not_touched() -> None:
    made = booked()
    VisitType.objects.filter(pk=made.visit.visit_type_id).update(name="Mole check", price_cents=1)
    assert amended(VisitType.objects.get(pk=made.visit.visit_type_id)) == 1
    found = Appointment.objects.get(pk=made.visit.pk)
    assert (found.visit_name, found.price_cents) == ("Mole check", 4500)
    (sent,) = told()
    assert "Visit: Mole check (no longer: Skin check)" in sent.body


@pytest.mark.parametrize("what", ["cancelled", "past", "by video", "elsewhere"])
def test_others_are_not_concerned(what: str) -> None:
    made = booked(mode=Mode.VIDEO if what == "by video" else Mode.IN_PERSON)
    now = timezone.now()
    if what == "cancelled":
        cancel_appointment(
            appointment_id=made.visit.pk, by=as_patient(made.patient), version=1, now=now
        )
    clinic = moved_away(booked() if what == "elsewhere" else made)
    if what == "elsewhere":
        found = outdated_visits(clinic, now=now)
        assert made.visit.pk not in found.values_list("pk", flat=True)
    else:
        when = made.visit.ends_at if what == "past" else now
        assert not outdated_visits(clinic, now=when).exists()


def test_visit_by_video_is_told_the_new_name_of_the_clinic() -> None:
    made = booked(mode=Mode.VIDEO)
    assert amended(moved_away(made, name="Kliniek Neude")) == 1
    (sent,) = told()
    assert "Where: Kliniek Neude (no longer: Huid & Haar Kliniek)" in sent.body
    assert "Neude 5" not in sent.body


def several(number: int) -> Booked:
    made = booked()
    for n in range(1, number):
        patient = make_patient()
        book(made.slots[n], visit_type=made.visit.visit_type, holder=as_patient(patient))
    return made


def test_run_that_was_broken_off_goes_on_and_tells_nobody_twice(monkeypatch) -> None:
    clinic = moved_away(several(5))
    monkeypatch.setattr("bookings.appointments.services.amendments.BATCH", 2)
    assert [amended(clinic) for _ in range(4)] == [2, 2, 1, 0]
    assert OutboxMessage.objects.filter(topic="appointment.updated").count() == 5
    assert len({each.extra_headers["Message-ID"] for each in told()}) == len(mail.outbox) == 5


def test_worker_asks_for_the_rest_until_none_is_left(monkeypatch) -> None:
    clinic = moved_away(several(5))
    monkeypatch.setattr("bookings.appointments.services.amendments.BATCH", 2)
    ask_to_amend(source=clinic, by=STAFF)
    for expected in (3, 1, 0):
        receive("visits.outdated")
        assert outdated_visits(clinic, now=timezone.now()).count() == expected
    assert receive("visits.outdated") == []


def test_clinic_that_has_changed_again_tells_nobody_what_nobody_has_agreed_to() -> None:
    made = booked()
    ask_to_amend(source=moved_away(made), by=STAFF)
    moved_away(made, street="Nowhere 1")
    receive("visits.outdated")
    assert not OutboxMessage.objects.filter(topic="appointment.updated").exists()


def test_mail_of_each_version_says_the_address_of_that_version() -> None:
    made = booked()
    amended(moved_away(made))
    amended(moved_away(made, street="Janskerkhof 3"))
    receive("appointment.confirmed", "appointment.updated")
    places = []
    for sent in mail.outbox:
        event = Calendar.from_ical(sent.attachments[0][1]).walk("VEVENT")[0]
        places.append((int(event["SEQUENCE"]), str(event["LOCATION"]).split(", ")[1]))
    assert places == [(0, "Maliebaan 42"), (1, "Neude 5"), (2, "Janskerkhof 3")]


def signed_in(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def page_of(source: Clinic | VisitType) -> str:
    kind = "clinic" if isinstance(source, Clinic) else "visit-type"
    return f"/admin/bookings/appointment/outdated/{kind}/{source.pk}/"


def digest_in(browser: Client, source: Clinic | VisitType) -> str:
    page = browser.get(page_of(source)).content.decode()
    return re.findall(r'name="digest" value="(\w+)"', page)[0]


def test_admin_who_saves_another_address_is_told_of_booked_visits_and_led_to_them() -> None:
    made = several(2)
    browser = signed_in(make_admin())
    clinic = clinic_of(made)
    changed = browser.post(
        f"/admin/doctors/clinic/{clinic.pk}/change/",
        clinic_form(clinic, street="Neude 5"),
        follow=True,
    )
    text = changed.content.decode()
    assert "2 booked visits still show their earlier details." in text
    assert page_of(clinic) in text
    page = browser.get(page_of(clinic)).content.decode()
    assert "Change 2 visits and tell their patients" in page
    assert "Maliebaan 42" in page
    assert "Neude 5" in page
    assert not OutboxMessage.objects.filter(topic="visits.outdated").exists()
    done = browser.post(
        page_of(clinic), {"digest": digest_in(browser, clinic_of(made))}, follow=True
    )
    assert "The patients of 2 visits are being told." in done.content.decode()
    receive("visits.outdated")
    assert len(told()) == 2
    assert "There is nobody to tell." in browser.get(page_of(clinic)).content.decode()


STILL_SAY = "2 booked visits still show their earlier details."


def test_page_of_a_clinic_leads_to_booked_visits_as_long_as_they_say_something_else() -> None:
    made = several(2)
    browser = signed_in(make_admin())
    clinic = moved_away(made)
    page = f"/admin/doctors/clinic/{clinic.pk}/change/"
    for _ in range(2):  # the form that is sent again changes nothing, and tells it again
        shown = browser.get(page).content.decode()
        assert STILL_SAY in shown
        assert page_of(clinic) in shown
        assert STILL_SAY in browser.post(page, clinic_form(clinic), follow=True).content.decode()
    assert amended(clinic) == 2
    assert "what was agreed before" not in browser.get(page).content.decode()
    sent = browser.post(page, clinic_form(clinic), follow=True).content.decode()
    assert "what was agreed before" not in sent


def test_page_of_a_doctor_leads_to_booked_visits_as_long_as_they_say_another_name() -> None:
    made = several(2)
    browser = signed_in(make_admin())
    reason = made.visit.visit_type
    page = f"/admin/doctors/doctor/{made.visit.doctor_id}/change/"
    assert "what was agreed before" not in browser.get(page).content.decode()
    VisitType.objects.filter(pk=reason.pk).update(name="Mole check")
    shown = browser.get(page).content.decode()
    assert f"Mole check: {STILL_SAY}" in shown
    assert page_of(reason) in shown
    form = doctor_form(Doctor.objects.get(pk=made.visit.doctor_id))
    assert STILL_SAY in browser.post(page, form, follow=True).content.decode()
    assert amended(VisitType.objects.get(pk=reason.pk)) == 2
    assert "what was agreed before" not in browser.get(page).content.decode()


def test_page_of_a_doctor_costs_as_many_queries_with_more_visit_types() -> None:
    made = several(2)
    browser = signed_in(make_admin())
    page = f"/admin/doctors/doctor/{made.visit.doctor_id}/change/"

    def queries() -> int:
        renamed = Concat("name", Value(" anew"))
        VisitType.objects.filter(doctor=made.visit.doctor_id).update(name=renamed)
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(page).status_code == 200
        return len(asked)

    queries()  # what the process reads only once
    few = queries()
    for number in range(1, 4):
        other = make_visit_type(doctor=made.visit.doctor)
        patient = as_patient(make_patient())
        book(made.slots[2 * number + 1], visit_type=other, holder=patient)
    assert queries() == few


def test_staff_who_may_not_tell_patients_see_how_many_and_no_link() -> None:
    made = several(2)
    clinic = moved_away(made)
    staff = make_user(is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename="change_clinic"))
    shown = signed_in(staff).get(f"/admin/doctors/clinic/{clinic.pk}/change/").content.decode()
    assert STILL_SAY in shown
    assert page_of(clinic) not in shown


def test_page_that_is_older_than_the_clinic_tells_nobody() -> None:
    made = booked()
    clinic = moved_away(made)
    browser = signed_in(make_admin())
    seen = digest_in(browser, clinic)
    moved_away(made, street="Nowhere 1")
    answer = browser.post(page_of(clinic), {"digest": seen}, follow=True)
    assert "Somebody has changed this in the meantime." in answer.content.decode()
    assert not OutboxMessage.objects.filter(topic="visits.outdated").exists()


def test_only_who_may_change_clinic_and_appointments_tells_patients() -> None:
    made = booked()
    clinic = moved_away(made)
    staff = make_user(is_staff=True)
    for user, status in ((staff, 403), (made.patient, 302)):
        for answer in (signed_in(user).get, signed_in(user).post):
            assert answer(page_of(clinic)).status_code == status
    assert Client().post(page_of(clinic)).status_code == 302
    assert (
        signed_in(make_admin()).get("/admin/bookings/appointment/outdated/x/1/").status_code == 404
    )
    assert not OutboxMessage.objects.filter(topic="visits.outdated").exists()

"""Staff approve and suspend doctors. Booked visits stay booked until somebody decides."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from bookings.models import Appointment
from docbook.audit.models import AuditEvent
from doctors.models import Doctor, SecretaryAssignment, SlotExpansion
from tests.admin.test_admin import doctor_form
from tests.factories import (
    make_admin,
    make_appointment,
    make_doctor,
    make_slots,
    make_user,
)
from tests.pages.browser import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def door(client):
    client.force_login(make_admin())
    return client


def page_of(doctor: Doctor) -> str:
    return f"/admin/doctors/doctor/{doctor.pk}/booking/"


def events() -> list[str]:
    return list(AuditEvent.objects.filter(object_type="doctor").values_list("action", flat=True))


def test_a_suspended_doctor_is_hidden_at_once_and_their_visits_are_listed(door: Any) -> None:
    doctor = make_doctor()
    visit = make_appointment(slots=make_slots(doctor=doctor))
    asked = door.get(page_of(doctor))
    assert "1 booked visit stays booked, and is listed next." in words(asked)
    assert Doctor.objects.get().is_active
    answer = door.post(page_of(doctor), {"wanted": "suspend"})
    list_of_visits = reverse("admin:bookings_appointment_changelist")
    assert answer.url == f"{list_of_visits}?outside_hours={doctor.pk}"
    shown = door.get(answer.url)
    assert [each.pk for each in shown.context["cl"].result_list] == [visit.pk]
    assert "Patients no longer see Dr Emma Visser" in words(shown)
    assert door.get(f"/doctors/{doctor.slug}/").status_code == 404
    assert Appointment.objects.get().status == "confirmed"
    assert events() == ["doctor.suspended"]
    assert SlotExpansion.objects.get().doctor_ids == [doctor.pk]


def test_staff_who_run_the_day_of_the_doctor_decide_on_the_page_of_the_practice(door: Any) -> None:
    doctor, admin = make_doctor(), make_admin()
    SecretaryAssignment.objects.create(doctor=doctor, secretary=admin)
    make_appointment(slots=make_slots(doctor=doctor))
    door.force_login(admin)
    answer = door.post(page_of(doctor), {"wanted": "suspend"})
    assert answer.url == f"{reverse('bookings:outside_hours')}?doctor={doctor.pk}"


def test_an_approved_doctor_is_shown_and_gets_times(door: Any) -> None:
    doctor = make_doctor(is_active=False)
    assert door.get(f"/doctors/{doctor.slug}/").status_code == 404
    assert "Patients will see this doctor." in words(door.get(page_of(doctor)))
    answer = door.post(page_of(doctor), {"wanted": "approve"})
    assert answer.url == reverse("admin:doctors_doctor_change", args=[doctor.pk])
    assert door.get(f"/doctors/{doctor.slug}/").status_code == 200
    assert events() == ["doctor.approved"]
    assert SlotExpansion.objects.get().doctor_ids == [doctor.pk]


@pytest.mark.parametrize("wanted", ["approve", "", "delete"])
def test_a_form_that_is_sent_twice_or_makes_no_sense_changes_nothing(
    door: Any, wanted: str
) -> None:
    doctor = make_doctor()
    assert door.post(page_of(doctor), {"wanted": wanted}).status_code == 302
    assert Doctor.objects.get().is_active
    assert events() == []


def test_only_staff_who_may_change_doctors_approve_and_suspend(client: Any) -> None:
    doctor, staff = make_doctor(), make_user(is_staff=True)
    client.force_login(staff)
    staff.user_permissions.set(Permission.objects.filter(codename="view_doctor"))
    assert client.get(page_of(doctor)).status_code == 403
    assert client.post(page_of(doctor), {"wanted": "suspend"}).status_code == 403
    assert Doctor.objects.get().is_active


def test_a_new_doctor_is_not_shown_before_somebody_approves_them(door: Any) -> None:
    form = doctor_form(make_doctor(), slug="new-one", name="Dr New")
    door.post("/admin/doctors/doctor/add/", form)
    assert not Doctor.objects.get(slug="new-one").is_active
    assert door.get("/doctors/new-one/").status_code == 404


def test_the_form_of_a_doctor_neither_approves_nor_suspends(door: Any) -> None:
    doctor = make_doctor(is_active=False)
    change = f"/admin/doctors/doctor/{doctor.pk}/change/"
    door.post(change, doctor_form(doctor))
    assert not Doctor.objects.get().is_active
    assert page_of(doctor) in door.get(change).content.decode()

"""Only superusers give rights, and whatever leads to a right."""

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group, Permission
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from bookings.models import Appointment, Hold, WaitlistEntry
from docbook.references import reference
from doctors.models import Doctor, SecretaryAssignment
from tests.admin.test_admin import doctor_form
from tests.api.client import Api
from tests.factories import (
    make_admin,
    make_appointment,
    make_doctor,
    make_patient,
    make_secretary,
    make_slots,
    make_user,
    make_waitlist_entry,
)

pytestmark = pytest.mark.django_db

ALL_BUT_OURS = ("read_patient_details",)


def may(user: User, *codenames: str) -> User:
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    return user


def clerk(*but: str) -> User:
    """Staff with every right of Django's, but without the right to read of patients."""
    user = make_user(is_staff=True)
    user.user_permissions.set(Permission.objects.exclude(codename__in=(*ALL_BUT_OURS, *but)))
    return user


def browser_of(client, user: User):
    client.force_login(user)
    return client


def change(user: User) -> str:
    return reverse("admin:accounts_user_change", args=[user.pk])


def form_of(user: User, **fields: object) -> dict[str, object]:
    kept = {"first_name": user.first_name, "last_name": user.last_name, "is_active": "on"}
    return kept | fields


def test_staff_who_may_change_users_cannot_make_themselves_superusers(client) -> None:
    staff = clerk()
    group = Group.objects.create(name="All")
    rights = {
        "is_staff": "on",
        "is_superuser": "on",
        "groups": [group.pk],
        "user_permissions": [Permission.objects.get(codename="read_patient_details").pk],
    }
    browser_of(client, staff).post(change(staff), form_of(staff, **rights))
    staff.refresh_from_db()
    assert not staff.is_superuser
    assert not staff.groups.exists()
    assert not staff.has_perm("bookings.read_patient_details")


def test_staff_give_no_rights_to_a_patient_and_may_still_change_a_name(client) -> None:
    patient = make_patient()
    form = form_of(patient, first_name="Anna", is_staff="on", is_superuser="on")
    browser_of(client, clerk()).post(change(patient), form)
    patient.refresh_from_db()
    assert (patient.first_name, patient.is_staff, patient.is_superuser) == ("Anna", False, False)


@pytest.mark.parametrize(
    "make",
    [
        make_admin,
        lambda: make_user(is_staff=True),
        lambda: make_doctor(user=make_user()).user,
        lambda: make_secretary(doctor=make_doctor()),
    ],
    ids=["superuser", "staff", "doctor", "secretary"],
)
def test_staff_cannot_touch_the_account_of_somebody_who_works_here(client, make) -> None:
    colleague = make()
    door = browser_of(client, clerk())
    delete = reverse("admin:accounts_user_delete", args=[colleague.pk])
    chosen = {"action": "delete_selected", "_selected_action": [colleague.pk], "post": "yes"}
    door.post(reverse("admin:accounts_user_changelist"), chosen)
    answers = [
        door.post(change(colleague), {"first_name": "Anna"}),
        door.post(delete, {"post": "yes"}),
    ]
    assert [answer.status_code for answer in answers] == [403, 403]
    colleague.refresh_from_db()
    assert (colleague.first_name, colleague.is_active) == ("Noor", True)


@pytest.mark.parametrize("whose", ["their own", "a patient's", "a superuser's"])
def test_staff_set_nobodys_password(client, whose: str) -> None:
    staff = clerk()
    other = {"their own": staff, "a patient's": make_patient(), "a superuser's": make_admin()}[
        whose
    ]
    url = reverse("admin:auth_user_password_change", args=[other.pk])
    new = {"password1": "a-long-enough-one", "password2": "a-long-enough-one"}
    answer = browser_of(client, staff).post(url, new | {"usable_password": "true"})
    other.refresh_from_db()
    assert answer.status_code == 403
    assert not other.check_password("a-long-enough-one")


def test_staff_give_themselves_no_right_by_a_group(client) -> None:
    staff = clerk()
    group = Group.objects.create(name="Desk")
    staff.groups.add(group)
    right = Permission.objects.get(codename="read_patient_details")
    url = reverse("admin:auth_group_change", args=[group.pk])
    answer = browser_of(client, staff).post(url, {"name": "Desk", "permissions": [right.pk]})
    assert answer.status_code == 403
    assert not group.permissions.exists()


def test_staff_prove_no_address_for_somebody_else(client) -> None:
    superuser = make_admin()
    url = reverse("admin:account_emailaddress_add")
    mine = {"user": superuser.pk, "email": "mine@example.test", "verified": "on", "primary": ""}
    assert browser_of(client, clerk()).post(url, mine).status_code == 403
    assert not EmailAddress.objects.filter(email="mine@example.test").exists()


def test_staff_make_themselves_neither_a_doctor_nor_a_secretary(client) -> None:
    staff, doctor = clerk(), make_doctor()
    form = doctor_form(doctor, user=staff.pk, name="Dr Anna Visser") | {
        "secretaries-TOTAL_FORMS": 1,
        "secretaries-0-secretary": staff.pk,
        "secretaries-0-doctor": doctor.pk,
    }
    url = reverse("admin:doctors_doctor_change", args=[doctor.pk])
    assert browser_of(client, staff).post(url, form).status_code == 302
    doctor = Doctor.objects.get(pk=doctor.pk)
    assert (doctor.name, doctor.user_id) == ("Dr Anna Visser", None)
    assert not SecretaryAssignment.objects.exists()


def test_superuser_gives_rights_and_sets_passwords(client) -> None:
    door, colleague = browser_of(client, make_admin()), make_user()
    door.post(change(colleague), form_of(colleague, is_staff="on"))
    url = reverse("admin:auth_user_password_change", args=[colleague.pk])
    new = {"password1": "a-long-enough-one", "password2": "a-long-enough-one"}
    door.post(url, new | {"usable_password": "true"})
    colleague.refresh_from_db()
    assert colleague.is_staff
    assert colleague.check_password("a-long-enough-one")


# -- one right for what patients tell, asked at both doors


SECRETS = ("Wilhelmina", "wilhelmina@example.test", "+31 6 1234", "A rash")


@pytest.fixture
def visit() -> Appointment:
    patient = make_patient(email=SECRETS[1], first_name=SECRETS[0])
    found = make_appointment(
        slots=make_slots(doctor=make_doctor()), patient=patient, reason=SECRETS[3]
    )
    Hold.objects.update(
        first_name=SECRETS[0], email=SECRETS[1], phone=SECRETS[2], reason=SECRETS[3]
    )
    make_waitlist_entry(doctor=found.doctor, patient=patient)
    return found


def read_by_api(user: User, visit: Appointment) -> dict[str, str]:
    day = visit.starts_at.astimezone(timezone.get_default_timezone()).date()
    path = f"doctors/{visit.doctor_id}/appointments"
    [found] = Api(user).get(path, {"date": day.isoformat()}).json()["items"]
    return {name: found[name] for name in ("startsAt", "patientName", "reason", "cancelReason")}


def read_in_admin(client, user: User) -> str:
    door = browser_of(client, user)
    pages = []
    for model in (Appointment, Hold, WaitlistEntry):
        name = f"admin:bookings_{model._meta.model_name}"
        pages.append(door.get(reverse(f"{name}_changelist")))
        pages.append(door.get(reverse(f"{name}_change", args=[model.objects.get().pk])))
    assert {page.status_code for page in pages} == {200}
    return "".join(page.content.decode() for page in pages)


def test_staff_without_the_right_see_times_and_nothing_of_the_patient(client, visit) -> None:
    staff = clerk()
    found = read_by_api(staff, visit)
    assert found.pop("startsAt")
    assert found == {"patientName": "", "reason": "", "cancelReason": ""}
    pages = read_in_admin(client, staff)
    assert [secret for secret in SECRETS if secret in pages] == []


def test_staff_with_the_right_see_who_comes_at_both_doors(client, visit) -> None:
    staff = may(clerk(), "read_patient_details")
    found = read_by_api(staff, visit)
    assert (found["patientName"], found["reason"]) == (visit.patient_name, SECRETS[3])
    pages = read_in_admin(client, staff)
    assert all(secret in pages for secret in SECRETS[:3])


def test_staff_without_the_right_cannot_find_a_visit_by_its_patient(client, visit) -> None:
    url = reverse("admin:bookings_appointment_changelist")
    found = browser_of(client, clerk()).get(url, {"q": SECRETS[1]})
    assert found.context["cl"].result_count == 0
    found = browser_of(client, make_admin()).get(url, {"q": SECRETS[1]})
    assert found.context["cl"].result_count == 1


@pytest.mark.parametrize("model", [Appointment, Hold, WaitlistEntry])
def test_only_staff_with_the_right_find_rows_by_the_name_of_a_patient(client, visit, model) -> None:
    url = reverse(f"admin:bookings_{model._meta.model_name}_changelist")
    staff = clerk()
    for door in (staff, may(make_user(is_staff=True), f"view_{model._meta.model_name}")):
        found = browser_of(client, door).get(url, {"q": "wilhelmina"})
        assert found.context["cl"].result_count == 0
    may(staff, "read_patient_details")
    found = browser_of(client, User.objects.get(pk=staff.pk)).get(url, {"q": "Wîlhelmina"})
    assert found.context["cl"].result_count == 1
    found = browser_of(client, staff).get(url, {"q": "Somebody"})
    assert found.context["cl"].result_count == 0


@pytest.mark.parametrize("written", ["{}", " {} ", "lower", "without a hyphen"])
def test_staff_find_a_visit_by_the_reference_that_its_mails_show(client, visit, written) -> None:
    make_appointment(slots=make_slots(doctor=make_doctor()))
    code = reference(visit.pk)
    term = {"lower": code.lower(), "without a hyphen": code.replace("-", " ")}.get(
        written, written.format(code)
    )
    door = browser_of(client, clerk())
    url = reverse("admin:bookings_appointment_changelist")
    found = door.get(url, {"q": term})
    assert [row.pk for row in found.context["cl"].result_list] == [visit.pk]
    assert code in found.content.decode()
    page = door.get(reverse("admin:bookings_appointment_change", args=[visit.pk]))
    assert f"appointment {code}" in page.content.decode()
    assert "Visit type:" in page.content.decode()
    assert f"<title>appointment {visit.pk}" not in page.content.decode()
    assert door.get(url, {"q": "AAAA-AAAA"}).context["cl"].result_count == 0


@pytest.mark.parametrize("who", ["doctor", "secretary", "superuser"])
def test_those_who_run_the_day_and_superusers_read_why_somebody_comes(visit, who: str) -> None:
    visit.doctor.user = make_user()
    visit.doctor.save()
    user = {
        "doctor": lambda: visit.doctor.user,
        "secretary": lambda: make_secretary(doctor=visit.doctor),
        "superuser": make_admin,
    }[who]()
    assert read_by_api(user, visit)["reason"] == SECRETS[3]


def test_right_without_being_staff_opens_nothing(visit) -> None:
    user = may(make_user(), "read_patient_details")
    path = f"doctors/{visit.doctor_id}/appointments"
    assert Api(user).get(path, {"date": visit.starts_at.date().isoformat()}).status_code == 404

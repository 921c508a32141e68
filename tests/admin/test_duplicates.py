"""Staff find accounts that may belong to one patient, merge two, and undo it."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import PatientMerge, User
from docbook.audit.models import AuditEvent
from tests.factories import (
    make_admin,
    make_appointment,
    make_doctor,
    make_patient,
    make_slots,
    make_user,
)

pytestmark = pytest.mark.django_db

PLACE = "/admin/accounts/user/duplicates/"
NUMBER = "+31 6 5550 1234"


def signed_in(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def pair() -> tuple[User, User]:
    return make_patient(phone=NUMBER), make_patient(phone=NUMBER)


def merge_page(kept: User, merged: User) -> str:
    return f"{PLACE}{kept.pk}/{merged.pk}/"


def words(answer) -> str:
    return " ".join(answer.content.decode().split())


def test_a_pair_is_found_compared_merged_and_parted_again() -> None:
    kept, merged = pair()
    browser = signed_in(make_admin())
    assert PLACE in words(browser.get("/admin/accounts/user/"))
    page = browser.get(PLACE)
    assert "same phone number" in words(page)
    assert merge_page(kept, merged) in words(page)
    assert "Merge the accounts" in words(browser.get(merge_page(kept, merged)))

    done = browser.post(merge_page(kept, merged), follow=True)
    assert "The accounts are one." in words(done)
    merge = PatientMerge.objects.get()
    assert (merge.kept, merge.merged, merge.undone_at) == (kept, merged, None)

    undone = browser.post(f"{PLACE}undo/{merge.pk}/", follow=True)
    assert "The accounts are two again." in words(undone)
    merged.refresh_from_db()
    assert merged.is_active
    again = browser.post(f"{PLACE}undo/{merge.pk}/", follow=True)
    assert "This was undone already." in words(again)


def test_a_refusal_is_said_on_the_page_of_the_two() -> None:
    both = pair()
    for patient in both:
        make_appointment(slots=make_slots(doctor=make_doctor()), patient=patient)
    answer = signed_in(make_admin()).post(merge_page(*both), follow=True)
    assert answer.request["PATH_INFO"] == merge_page(*both)
    assert "Both have a visit at the same time" in words(answer)
    assert not PatientMerge.objects.exists()


def test_reading_is_recorded_without_names() -> None:
    pair()
    signed_in(make_admin()).get(PLACE)
    event = AuditEvent.objects.get(action="patients.read")
    assert event.after == {"through": "admin", "shown": 2}


@pytest.mark.parametrize("rights", [[], ["change_user"], ["read_patient_details"]])
def test_staff_without_both_rights_neither_see_nor_merge(rights: list[str]) -> None:
    kept, merged = pair()
    staff = make_user(is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename__in=[*rights, "view_user"]))
    browser = signed_in(staff)
    assert PLACE not in words(browser.get("/admin/accounts/user/"))
    for answer in (
        browser.get(PLACE),
        browser.get(merge_page(kept, merged)),
        browser.post(merge_page(kept, merged)),
        browser.post(f"{PLACE}undo/1/"),
    ):
        assert answer.status_code == 403
    assert not PatientMerge.objects.exists()


def test_staff_with_both_rights_merge() -> None:
    staff = make_user(is_staff=True)
    codenames = ("change_user", "read_patient_details")
    staff.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    assert signed_in(staff).post(merge_page(*pair())).status_code == 302
    assert PatientMerge.objects.get().by == staff


def test_unknown_accounts_and_merges_are_not_found() -> None:
    browser, patient = signed_in(make_admin()), make_patient()
    nobody = User(pk=999_999_999)
    assert browser.get(merge_page(patient, nobody)).status_code == 404
    assert browser.post(merge_page(patient, nobody)).status_code == 404
    assert browser.post(f"{PLACE}undo/999999999/").status_code == 404

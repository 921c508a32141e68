"""No address of the admin says anything about a column that staff cannot see.

Django lets the query of a list name any column of the table, and of tables beside it.
"""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.contrib.auth.models import Permission
from django.urls import reverse

from accounts.models import User
from bookings.models import Appointment, Hold, WaitlistEntry
from tests.admin import test_rights
from tests.admin.test_rights import SECRETS, browser_of, clerk, may
from tests.factories import make_admin, make_patient, make_user
from tests.pages.browser import words

pytestmark = pytest.mark.django_db
MODELS = sorted(admin.site._registry, key=str)
OF_PATIENTS = (Appointment, Hold, WaitlistEntry)
visit = test_rights.visit


def list_of(model: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def names_of_filters(model: Any) -> set[str]:
    filters = admin.site._registry[model].list_filter
    return {each for each in filters if isinstance(each, str)}


def columns(model: Any) -> list[str]:
    """Names that a query can use, those of related tables included."""
    fields = model._meta.get_fields(include_hidden=True)
    return [field.name for field in fields if not field.name.endswith("+")]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: str(model._meta))
@pytest.mark.parametrize("may_everything", [False, True], ids=["staff", "superuser"])
def test_list_is_narrowed_by_its_own_filters_alone(client, model, may_everything: bool) -> None:
    door = browser_of(client, make_admin() if may_everything else clerk())
    free = names_of_filters(model) | {model._meta.pk.name}
    answers = {
        f"{name}{how}": door.get(list_of(model), {f"{name}{how}": "1"}).status_code
        for name in columns(model)
        if name not in free
        for how in ("", "__startswith", "__icontains", "__isnull", "__gt", "__in", "__regex")
    }
    assert {name: status for name, status in answers.items() if status != 400} == {}
    assert answers


@pytest.mark.parametrize("model", MODELS, ids=lambda model: str(model._meta))
def test_filters_of_a_list_cannot_be_extended(client, model) -> None:
    """A filter by specialty is no way to what refers to a specialty."""
    door = browser_of(client, make_admin())
    for name in [*names_of_filters(model), model._meta.pk.name, "pk"]:
        for how in ("startswith", "regex", "user__email__startswith", "id__gt"):
            assert door.get(list_of(model), {f"{name}__{how}": "1"}).status_code == 400, (name, how)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: str(model._meta))
def test_every_choice_of_a_filter_can_be_taken(client, model) -> None:
    door = browser_of(client, make_admin())
    make_patient()
    found = door.get(list_of(model)).context["cl"]
    for spec in found.filter_specs:
        for choice in spec.choices(found):
            assert door.get(f"{list_of(model)}{choice['query_string']}").status_code == 200, choice
    own = [
        each.parameter_name
        for each in admin.site._registry[model].list_filter
        if isinstance(each, type) and issubclass(each, SimpleListFilter)
    ]
    for name in [*own, "pk", model._meta.pk.name]:
        assert door.get(list_of(model), {name: "1"}).status_code in (200, 302)


@pytest.mark.parametrize(
    ("model", "query"),
    [
        (Appointment, "reason__icontains=rash"),
        (Appointment, "change_reason__isnull=0"),
        (Appointment, "patient_name__istartswith=w"),
        (Appointment, "patient__email__startswith=w"),
        (Hold, "email__startswith=w"),
        (Hold, "first_name__startswith=W"),
        (Hold, "phone__contains=1234"),
        (Hold, "reason__icontains=rash"),
        (WaitlistEntry, "patient__email__startswith=w"),
        (User, "appointments__isnull=0"),
        (User, "holds__isnull=0"),
        (User, "waitlist_entries__isnull=0"),
        (User, "password__startswith=argon2"),
        (Authenticator, "data__secret__startswith=fernet"),
    ],
)
def test_nobody_guesses_what_a_list_does_not_show(client, visit, model, query: str) -> None:
    for user in (clerk(), may(clerk(), "read_patient_details"), make_admin()):
        assert browser_of(client, user).get(f"{list_of(model)}?{query}").status_code == 400


def test_list_of_users_does_not_say_whose_visit_it_is(client, visit) -> None:
    answer = browser_of(client, clerk()).get(list_of(User), {"appointments": str(visit.pk)})
    assert answer.status_code == 400
    assert SECRETS[0] not in answer.content.decode()


@pytest.mark.parametrize("model", OF_PATIENTS)
def test_list_is_sorted_by_no_column_that_is_not_shown(client, visit, model) -> None:
    door = browser_of(client, clerk())
    for number in range(30):
        for order in (f"{number}", f"-{number}"):
            found = door.get(list_of(model), {"o": order}).context["cl"]
            ordered = " ".join(str(each) for each in found.queryset.query.order_by)
            for hidden in ("patient", "email", "first_name", "last_name", "phone", "reason"):
                assert hidden not in ordered


@pytest.mark.parametrize("model", OF_PATIENTS)
def test_counts_beside_the_filters_name_nobody(client, visit, model) -> None:
    page = browser_of(client, clerk()).get(list_of(model), {"_facets": "True"})
    assert page.status_code == 200
    assert [secret for secret in SECRETS if secret in page.content.decode()] == []


@pytest.mark.parametrize("field", ["patient_name", "reason", "email", "id__exact"])
def test_pop_up_gives_no_other_column_than_the_key(client, visit, field: str) -> None:
    for model in (*OF_PATIENTS, User):
        query = {"_popup": "1", "_to_field": field}
        assert browser_of(client, clerk()).get(list_of(model), query).status_code == 400


def test_choice_while_typing_asks_for_the_right_to_see_what_is_chosen(client, visit) -> None:
    staff = make_user(is_staff=True)
    staff.user_permissions.set(Permission.objects.exclude(content_type__model="user"))
    staff.user_permissions.remove(Permission.objects.get(codename="read_patient_details"))
    for source, field in (("appointment", "patient"), ("hold", "patient")):
        query = {"app_label": "bookings", "model_name": source, "field_name": field, "term": "w"}
        answer = browser_of(client, staff).get("/admin/autocomplete/", query)
        assert answer.status_code == 403
    query |= {"field_name": "waitlist_entry", "term": "wilhelmina"}
    assert browser_of(client, staff).get("/admin/autocomplete/", query).json()["results"] == []


def test_page_that_deletes_an_account_does_not_say_whether_its_owner_comes_here(
    client, visit
) -> None:
    door = browser_of(client, clerk())
    said = []
    for user in (visit.patient, make_patient(first_name=SECRETS[0])):
        page = door.get(reverse("admin:accounts_user_delete", args=[user.pk]))
        form = {"action": "delete_selected", "_selected_action": [user.pk]}
        both = words(page) + words(door.post(list_of(User), form))
        said.append(both.replace("Wilhelmina", ""))
    assert said[0] == said[1]
    superuser = browser_of(client, make_admin())
    page = superuser.get(reverse("admin:accounts_user_delete", args=[visit.patient_id]))
    assert "waitlist entry" in words(page)

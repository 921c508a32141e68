"""The picker of a doctor's page, whole and as the fragment that htmx asks for."""

from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from doctors.models import Doctor
from tests.factories import (
    make_clinic,
    make_doctor,
    make_slots,
    make_specialty,
    make_visit_type,
    tomorrow_at,
)
from tests.pages.browser import HTMX, signed_in, words

pytestmark = pytest.mark.django_db

SIGNS = """<b>&"'"""


def named_with_signs() -> Doctor:
    """At two clinics, so that each time names its own."""
    doctor = make_doctor(
        name=f"Dr {SIGNS}",
        specialty=make_specialty(practitioner=f"healer {SIGNS}"),
        clinic=make_clinic(name=f"Clinic {SIGNS}", city=f"City {SIGNS}"),
    )
    make_visit_type(doctor=doctor, name=f"Visit {SIGNS}")
    make_slots(doctor=doctor, starts_at=tomorrow_at(9, days=3))
    other = make_clinic(name=f"Other {SIGNS}", city=f"Town {SIGNS}", street=f"Road {SIGNS}")
    make_slots(doctor=doctor, starts_at=tomorrow_at(10, days=3), clinic=other)
    return doctor


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_signs_in_names_are_text_and_no_markup(headers: dict[str, str]) -> None:
    doctor = named_with_signs()
    answer = signed_in().get(reverse("doctors:detail", args=[doctor.slug]), headers=headers)
    html = answer.content.decode()
    assert "<b>" not in html
    assert f", Dr {SIGNS}, Clinic {SIGNS}, City {SIGNS}" in spoken_of_times(html)
    assert f"Other {SIGNS}" in words(answer)
    assert f"Visit {SIGNS}" in words(answer)


def spoken_of_times(html: str) -> str:
    """What screen readers say for the first time."""
    after = html.partition('name="slot"')[2]
    return unescape(after.partition('aria-label="')[2].partition('"')[0])


def test_fragment_does_not_read_the_clinics_that_stand_around_it() -> None:
    doctor = make_doctor()
    make_visit_type(doctor=doctor)
    make_slots(doctor=doctor, count=3)
    page = reverse("doctors:detail", args=[doctor.slug])
    assert len(queries_of(page, headers=HTMX)) < len(queries_of(page, headers={}))
    assert not [sql for sql in queries_of(page, headers=HTMX) if "availabilityrule" in sql]


def queries_of(page: str, *, headers: dict[str, str]) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        assert signed_in().get(page, headers=headers).status_code == 200
    return [query["sql"] for query in queries]

"""The picker of a doctor's page, whole and as the fragment that htmx asks for."""

from datetime import time, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from doctors.models import Doctor
from doctors.templatetags.clinic_time import date_short
from tests.factories import (
    make_clinic,
    make_closed_day,
    make_doctor,
    make_override,
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


def on_page(doctor: Doctor, **query: str) -> str:
    return words(signed_in().get(reverse("doctors:detail", args=[doctor.slug]), query))


def test_days_on_which_nobody_is_seen_say_why() -> None:
    doctor = make_doctor()
    make_visit_type(doctor=doctor)
    make_slots(doctor=doctor, starts_at=tomorrow_at(days=9))
    day = tomorrow_at(days=2).date()
    make_override(doctor=doctor, first_day=day, last_day=day + timedelta(days=1), reason="Congress")
    make_closed_day(clinic=doctor.clinic, day=day + timedelta(days=3), name="King's Day")
    make_closed_day(clinic=make_clinic(), day=day, name="Elsewhere")
    make_override(doctor=make_doctor(), first_day=day, reason="Of somebody else")
    make_override(doctor=doctor, first_day=day, starts=time(12), reason="In the afternoon only")
    shown = on_page(doctor, date=str(day), month="")
    assert "Nothing is free on this day: Congress" in shown
    assert f"{date_short(day)} to {date_short(day + timedelta(days=1))} Congress" in shown
    for hidden in ("Elsewhere", "Of somebody else", "In the afternoon only"):
        assert hidden not in shown
    holiday = on_page(doctor, date=str(day + timedelta(days=3)))
    assert "Nothing is free on this day: King's Day" in holiday
    assert "Nothing is free on this day." in on_page(doctor, date=str(day + timedelta(days=4)))


def test_closed_day_of_one_clinic_among_several_names_it() -> None:
    doctor = make_doctor()
    make_visit_type(doctor=doctor)
    leiden = make_clinic(city="Leiden")
    make_slots(doctor=doctor, starts_at=tomorrow_at(days=3))
    make_slots(doctor=doctor, starts_at=tomorrow_at(days=4), clinic=leiden)
    make_closed_day(clinic=leiden, day=tomorrow_at(days=3).date(), name="Relief of Leiden")
    assert "Relief of Leiden (Leiden)" in on_page(doctor)

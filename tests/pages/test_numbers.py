"""The page of a doctor's numbers, and the file of its days."""

import csv
import re
from datetime import date, timedelta
from io import StringIO

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bookings.models import DoctorDay
from doctors.models import Doctor
from tests.factories import CLINIC_ZONE, make_clinic, make_doctor, make_secretary, make_user
from tests.pages.browser import signed_in, typed, words

pytestmark = pytest.mark.django_db

PAGE, FILE = "/schedule/numbers/", "/schedule/numbers/days.csv"
ONE_DAY = timedelta(days=1)


def today() -> date:
    return timezone.now().astimezone(CLINIC_ZONE).date()


def by_hour(**counts: int) -> list[int]:
    return [counts.get(f"h{hour}", 0) for hour in range(24)]


def leads(*days: int) -> list[int]:
    return [days.count(number) for number in range(62)]


def make_day(doctor: Doctor, *, ago: int = 0, **counts: object) -> DoctorDay:
    given = {"doctor": doctor, "clinic": doctor.clinic, "day": today() - ago * ONE_DAY}
    return DoctorDay.objects.create(**(given | counts))


def own() -> tuple[Doctor, Client]:
    doctor = make_doctor(user=make_user())
    return doctor, signed_in(doctor.user)


def table(page: object, caption: str) -> list[list[str]]:
    """The cells of the table with this caption, by row."""
    html = page.content.decode()
    [body] = re.findall(rf"<caption[^>]*>\s*{caption}\s*</caption>(.*?)</table>", html, re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in row] for row in cells]


def test_new_doctor_is_told_that_there_is_nothing_yet() -> None:
    doctor, browser = own()
    page = browser.get(PAGE)
    assert "Nothing to count yet" in words(page)
    assert f"/schedule/availability/?doctor={doctor.pk}" in page.content.decode()
    assert '<svg class="chart' not in page.content.decode()


def test_figures_are_compared_with_the_period_before() -> None:
    doctor, browser = own()
    make_day(doctor, ago=0, offered=10, booked=9, came=6, no_show=2, lead_days=leads(1, 3, 9))
    make_day(doctor, ago=91, offered=10, booked=8, came=9, no_show=1, lead_days=leads(5))
    make_day(doctor, ago=0, clinic=make_clinic(), cancelled_by_patient=1, cancelled_by_practice=1)
    text = words(browser.get(PAGE))
    assert "Fill rate Booked of offered times 90 % Up 10 points" in text.replace(
        "\N{NO-BREAK SPACE}", " "
    )
    text = text.replace("\N{NO-BREAK SPACE}", " ")
    assert "No-shows Of visits that were due 25 % Up 15 points" in text
    assert "Median lead time From booking to visit 3 days Down 2 days" in text
    assert "Cancelled Of all visits agreed 20 % Up 20 points" in text
    assert "9 of 10 offered times were booked: 90 %." in text
    assert "Patients cancelled 1 visits and the practice 1; in 2 the patient did not come." in text


def test_tables_have_the_figures_of_the_charts() -> None:
    doctor, browser = own()
    make_day(
        doctor, offered=4, booked=3, came=2, no_show=1, moved=5, lead_days=leads(0, 2, 70 % 62)
    )
    page = browser.get(f"{PAGE}?period=custom&first={today() - ONE_DAY}&last={today()}")
    fill = table(page, "Booked and offered times")
    assert [row[1:] for row in fill[1:]] == [["4", "3", "75\N{NO-BREAK SPACE}%"], ["0", "0", "–"]]
    lost = table(page, "Cancelled and missed visits")
    shares = ["33.3\N{NO-BREAK SPACE}%", "0\N{NO-BREAK SPACE}%"]
    assert lost[1][1:] == ["2", "1", "0", "0", "5", "0", *shares]
    lead = table(page, "Bookings by the time from booking to visit")
    assert [row[1] for row in lead[1:]] == ["1", "1", "0", "1", "0"]


def test_hours_are_those_of_the_weekday() -> None:
    doctor, browser = own()
    make_day(
        doctor,
        offered=6,
        booked=4,
        offered_by_hour=by_hour(h9=4, h14=2),
        booked_by_hour=by_hour(h9=4),
    )
    page = browser.get(PAGE)
    day = f"{today():%A}"
    assert f"Fullest: {day}, 09:00. Most room: {day}, 14:00." in words(page)
    rows = table(page, "Percent booked, by weekday and hour")
    assert rows[0] == ["Weekday", "09:00", "14:00"]
    assert [day, "100\N{NO-BREAK SPACE}%", "0\N{NO-BREAK SPACE}%"] in rows


@pytest.mark.parametrize("period", ["week", "month", "quarter", "year", "nonsense", ""])
def test_every_period_ends_today(period: str) -> None:
    doctor, browser = own()
    make_day(doctor, offered=2, booked=1)
    make_day(doctor, ago=-1, offered=2, booked=1)
    assert "1 of 2 offered times were booked" in words(browser.get(f"{PAGE}?period={period}"))


@pytest.mark.parametrize(
    ("first", "last", "field", "message"),
    [
        ("", "", "first", "Choose a day."),
        ("2026-02-31", "2026-03-01", "first", "Write a day like 2026-01-31."),
        ("2026-02-01", "<script>", "last", "Write a day like 2026-01-31."),
        ("2026-02-01", "2026-01-31", "last", "The last day must not be before the first."),
        ("0001-01-01", "2026-01-31", "first", "This day is too far away."),
        ("2020-01-01", "9999-12-31", "last", "This day is too far away."),
        ("2020-01-01", "2026-01-31", "last", "Choose two years at most."),
        ("2890-01-01", "2890-01-31", "first", "This day is still to come."),
    ],
)
@pytest.mark.parametrize("path", [PAGE, FILE])
def test_refused_days_are_an_error_at_their_field(
    path: str, first: str, last: str, field: str, message: str
) -> None:
    _doctor, browser = own()
    page = browser.get(path, {"period": "custom", "first": first, "last": last})
    assert page.status_code == 422
    html = page.content.decode()
    [error] = re.findall(rf'id="id_{field}_error">(.*?)</div>', html, re.DOTALL)
    assert message in error
    assert f'aria-describedby="id_{field}_error"' in html
    assert "<script>" not in html
    assert typed(page)["first"] == first


def test_file_has_a_line_a_day_and_clinic() -> None:
    doctor, browser = own()
    other = make_clinic(name='Zürich "Mitte", Haus 2')
    make_day(doctor, ago=1, offered=4, booked=2, came=1, no_show=1, lead_days=leads(3))
    make_day(doctor, ago=1, clinic=other, cancelled_by_patient=2, moved=1, refused=3)
    make_day(doctor, ago=400, offered=9)
    answer = browser.get(f"{FILE}?period=quarter")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith(f'attachment; filename="{doctor.slug}-')
    assert answer.content.startswith(b"\xef\xbb\xbf")
    heads, *rows = csv.reader(StringIO(answer.content.decode("utf-8-sig")))
    assert heads[:4] == ["Day", "Clinic", "Times offered", "Times booked"]
    yesterday = (today() - ONE_DAY).isoformat()
    assert rows == [
        [yesterday, doctor.clinic.name, *"421100000", "1", "3"],
        [yesterday, 'Zürich "Mitte", Haus 2', *"000002013", "0", ""],
    ]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_file_has_no_formulas(name: str) -> None:
    doctor, browser = own()
    make_day(doctor, clinic=make_clinic(name=name), offered=1)
    text = browser.get(FILE).content.decode("utf-8-sig")
    [_heads, row] = csv.reader(StringIO(text, newline=""))
    assert row[1] == f"'{name}"


def test_secretary_chooses_among_their_doctors_and_finds_no_other() -> None:
    doctor, second = make_doctor(name="Dr Abe"), make_doctor(name="Dr Zoe")
    secretary = make_secretary(doctor=doctor)
    second.secretaries.create(secretary=secretary)
    make_day(second, offered=2, booked=1)
    browser = signed_in(secretary)
    page = browser.get(f"{PAGE}?period=month")
    assert "Numbers of Dr Abe" in words(page)
    link = f"?doctor={second.pk}&amp;period=month"
    assert link in page.content.decode()
    assert "1 of 2 offered times" in words(browser.get(f"{PAGE}?doctor={second.pk}"))
    stranger = make_doctor()
    for path in (PAGE, FILE):
        assert browser.get(f"{path}?doctor={stranger.pk}").status_code == 404
        assert browser.get(f"{path}?doctor=x").status_code == 404


def test_schedule_leads_to_the_numbers_of_its_doctor() -> None:
    doctor, browser = own()
    assert f"{PAGE}?doctor={doctor.pk}" in browser.get("/schedule/").content.decode()


def test_queries_do_not_grow_with_history() -> None:
    doctor, browser = own()
    numbers = []
    for first, last in ((0, 3), (3, 90), (90, 900)):
        for ago in range(first, last):
            make_day(doctor, ago=ago, offered=2, booked=1, came=1, lead_days=leads(1))
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(f"{PAGE}?period=year").status_code == 200
        numbers.append(len(queries))
    assert len(set(numbers)) == 1

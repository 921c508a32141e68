"""What a doctor's card promises: one visit type by name, its price, and bookable times."""

import re
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from bookings.models import BookingPause
from doctors.models import Slot, VisitType
from doctors.templatetags.clinic_time import when
from tests.api.client import Api
from tests.days_said import day_said
from tests.factories import make_clinic, make_doctor, make_slots, make_visit_type, tomorrow_at
from tests.pages.browser import HTMX, signed_in, words

pytestmark = pytest.mark.django_db


def two_reasons() -> tuple[VisitType, VisitType]:
    """A long first one, and a short cheap one by video."""
    doctor = make_doctor()
    long = make_visit_type(doctor=doctor, name="Skin check", slots=2, price_cents=6200, position=0)
    short = make_visit_type(
        doctor=doctor, name="Quick look", mode="video", price_cents=3000, position=1
    )
    make_slots(doctor=doctor, starts_at=tomorrow_at(), count=3)
    return long, short


def test_card_names_the_reason_its_times_are_for_and_its_price() -> None:
    long, short = two_reasons()
    page = signed_in().get("/doctors/")
    assert "Times for: Skin check , 40 min, in person · €62" in words(page)
    assert "from €30" in words(page)
    assert f"visit_type={long.pk}" in page.content.decode()
    assert f"visit_type={short.pk}" not in page.content.decode()


@pytest.mark.parametrize("wish", ["mode=video", "max_fee=50"])
def test_card_shows_the_first_reason_that_fits_what_was_asked_for(wish: str) -> None:
    long, _short = two_reasons()
    page = signed_in().get(f"/doctors/?{wish}")
    assert "Times for: Quick look , 20 min, video · €30" in words(page)
    assert f"visit_type={long.pk}" not in page.content.decode()


def test_card_promises_no_day_on_which_the_visit_does_not_fit() -> None:
    doctor = make_doctor()
    make_visit_type(doctor=doctor, slots=2)
    make_slots(doctor=doctor, starts_at=tomorrow_at(days=8))
    make_slots(doctor=doctor, starts_at=tomorrow_at(days=9), count=2)
    fitting = tomorrow_at(days=9)
    page = signed_in().get("/doctors/")
    assert f"Next availability on {day_said(fitting, '%A', '%B')}" in words(page)


def test_card_of_a_doctor_without_a_fitting_visit_says_that_nothing_is_free() -> None:
    doctor = make_doctor()
    make_visit_type(doctor=doctor, slots=2)
    make_slots(doctor=doctor, starts_at=tomorrow_at(days=8))
    page = signed_in().get("/doctors/")
    assert "Nothing is free on the days you can book." in words(page)
    assert "See the calendar" not in words(page)
    others = f"?specialty={doctor.specialty.slug}&amp;city={doctor.clinic.city}"
    assert f'href="/doctors/{others}"' in page.content.decode()


@pytest.mark.parametrize(("days", "said"), [(5, True), (4, False)])
def test_card_with_times_on_its_last_day_only_says_so_where_that_day_is_hidden(
    days: int, said: bool
) -> None:
    """A narrow card has room for four of the five days."""
    doctor = make_doctor()
    make_visit_type(doctor=doctor)
    start = tomorrow_at(days=days)
    make_slots(doctor=doctor, starts_at=start)
    shown_from = (start - timedelta(days=days - 1)).date()
    page = signed_in().get(f"/doctors/?from={shown_from}")
    assert f"date={start.date()}" in page.content.decode()
    assert (f"Next availability on {day_said(start, '%A', '%B')}" in words(page)) is said


def test_card_that_knows_no_fitting_day_leads_to_the_calendar_without_a_promise() -> None:
    doctor = make_doctor()
    visit_type = make_visit_type(doctor=doctor, slots=2)
    make_slots(doctor=doctor, starts_at=tomorrow_at(days=40), count=2)
    page = signed_in().get("/doctors/")
    assert "Next availability" not in words(page)
    assert "See the calendar" in words(page)
    link = f"/doctors/{doctor.slug}/?visit_type={visit_type.pk}#times"
    assert link in page.content.decode()


def seen_at(moment: datetime, time_machine: Any) -> str:
    browser = signed_in()
    time_machine.move_to(moment, tick=False)
    return words(browser.get("/doctors/"))


def test_evening_in_america_still_has_its_day(time_machine: Any) -> None:
    """02:00 UTC is 21:00 of the day before in New York."""
    clinic = make_clinic(time_zone="America/New_York", country="US")
    doctor = make_doctor(clinic=clinic, min_notice_minutes=0)
    make_visit_type(doctor=doctor)
    start = tomorrow_at(3, days=2)
    make_slots(doctor=doctor, starts_at=start)
    page = seen_at(start - timedelta(hours=1), time_machine)
    local = (start - timedelta(days=1)).date()
    assert f"{local:%a} {local.day} {local:%b}" in page
    assert f"{start.astimezone(clinic.zone):%H:%M}" in page
    assert "Today" not in page  # it has ended by the clock of the site


def test_common_head_says_today_only_when_all_clinics_agree(time_machine: Any) -> None:
    for zone in ("Europe/Amsterdam", "Asia/Tokyo"):
        doctor = make_doctor(clinic=make_clinic(time_zone=zone))
        make_visit_type(doctor=doctor)
        make_slots(doctor=doctor, starts_at=tomorrow_at(days=2), count=3)
    noon = tomorrow_at(12)
    browser = signed_in()
    time_machine.move_to(noon, tick=False)
    agreed = words(browser.get("/doctors/")).count("Today")
    time_machine.move_to(noon + timedelta(hours=6), tick=False)
    apart = words(browser.get("/doctors/")).count("Today")
    assert (agreed, apart) == (3, 1)


def test_day_without_anybody_free_offers_the_next_days() -> None:
    doctor = make_doctor()
    make_visit_type(doctor=doctor)
    # Of no particular doctor: a list of all clinics has no clock but UTC.
    today = datetime.now(UTC).date()
    for days in (1, 2):
        start = datetime.combine(today + timedelta(days=days), time(10), tzinfo=UTC)
        make_slots(doctor=doctor, starts_at=start)
    page = signed_in().get(f"/doctors/?available_on={today}")
    after = today + timedelta(days=2)
    assert "Tomorrow · 1 doctor" in words(page)
    assert f"{day_said(after, '%A', '%B')} · 1 doctor" in words(page)
    assert f"available_on={after}" in page.content.decode()


def test_home_says_in_which_city_the_next_free_time_is() -> None:
    clinic = make_clinic(city="Sydney", time_zone="Australia/Sydney")
    doctor = make_doctor(clinic=clinic)
    make_visit_type(doctor=doctor)
    make_slots(doctor=doctor, starts_at=tomorrow_at(days=3))
    local = tomorrow_at(days=3).astimezone(clinic.zone)
    assert f", {local:%H:%M}, Sydney" in words(signed_in().get("/"))


def test_home_and_results_call_no_day_today_that_is_it_in_sydney_only(time_machine: Any) -> None:
    clinic = make_clinic(city="Sydney", time_zone="Australia/Sydney")
    doctor = make_doctor(clinic=clinic, min_notice_minutes=0)
    make_visit_type(doctor=doctor)
    evening = tomorrow_at(20, days=2)
    make_slots(doctor=doctor, starts_at=evening + timedelta(hours=1))
    browser = signed_in()
    time_machine.move_to(evening, tick=False)
    local = (evening + timedelta(hours=1)).astimezone(clinic.zone)
    assert f"{day_said(local)}, {local:%H:%M}, Sydney" in words(browser.get("/"))
    results = words(browser.get("/doctors/"))
    assert f"{local:%a} {local.day} {local:%b}" in results
    assert "Today" not in results


def test_heads_of_days_name_another_year_once(time_machine: Any) -> None:
    doctor = make_doctor()
    make_visit_type(doctor=doctor)
    browser = signed_in()
    make_slots(doctor=doctor, starts_at=datetime(2027, 1, 2, 9, tzinfo=UTC))
    time_machine.move_to(datetime(2026, 12, 30, 12, tzinfo=UTC), tick=False)
    page = words(browser.get("/doctors/"))
    heads = "Today 30 Dec Thu 31 Dec Fri 1 Jan 2027 Sat 2 Jan Sun 3 Jan"
    assert heads in page
    assert page.count("2027") == 2  # in the row of heads, and in the card


def test_htmx_also_gets_what_stands_outside_of_the_results() -> None:
    two_reasons()
    swap = signed_in().get("/doctors/?mode=video", headers=HTMX).content.decode()
    whole = signed_in().get("/doctors/").content.decode()
    for part in ("filters-summary", "filters-head"):
        assert f'id="{part}" hx-swap-oob="true"' in " ".join(swap.split())
        assert f'id="{part}"' in whole
    assert "Clear 1" in swap
    assert "<title>1 doctor · DocBook</title>" in swap
    assert "hx-swap-oob" not in whole


def test_next_free_time_of_the_head_follows_the_reason() -> None:
    long, _short = two_reasons()
    path = f"/doctors/{long.doctor.slug}/?visit_type={long.pk}"
    swap = signed_in().get(path, headers=HTMX).content.decode()
    head = " ".join(swap.partition('id="doctor-next"')[2].split())
    assert head.startswith('hx-swap-oob="true"')
    assert f"Next free: {when(tomorrow_at(), long.doctor.clinic.zone)}" in head
    assert 'id="doctor-next"' in signed_in().get(path).content.decode()


def test_swaps_are_announced_with_what_they_brought() -> None:
    long, short = two_reasons()
    day = tomorrow_at()
    picker = signed_in().get(
        f"/doctors/{long.doctor.slug}/?visit_type={short.pk}&date={day.date()}", headers=HTMX
    )
    said = f'data-announce="{day_said(day, "%A", "%B")}, 3 free times"'
    assert said in picker.content.decode()
    today = tomorrow_at(days=0)
    results = signed_in().get("/doctors/?mode=video", headers=HTMX).content.decode()
    first = day_said(today.date())
    assert f'data-announce="1 doctor. {first} to ' in results


def test_doctor_found_for_a_day_has_a_time_on_that_day_on_the_card() -> None:
    long, short = two_reasons()
    Slot.objects.filter(doctor=long.doctor).delete()
    make_slots(doctor=long.doctor, starts_at=tomorrow_at(10, days=3), mode="video")
    make_slots(doctor=long.doctor, starts_at=tomorrow_at(10, days=4), count=2, mode="in_person")
    for days, reason in ((3, short), (4, long)):
        page = signed_in().get(f"/doctors/?available_on={tomorrow_at(days=days):%Y-%m-%d}")
        assert f"Times for: {reason.name}" in words(page)
        assert f"date={tomorrow_at(days=days):%Y-%m-%d}" in page.content.decode()


def test_nobody_is_found_for_a_day_on_which_no_reason_fits() -> None:
    doctor = make_doctor()
    make_visit_type(doctor=doctor, slots=3)
    for hour in (8, 10, 12):
        make_slots(doctor=doctor, starts_at=tomorrow_at(hour, days=2))
    make_slots(doctor=doctor, starts_at=tomorrow_at(9, days=5), count=3)
    found = words(signed_in().get(f"/doctors/?available_on={tomorrow_at(days=2):%Y-%m-%d}"))
    assert "No doctor matches all of these filters" in found
    (item,) = Api().get("doctors").json()["items"]
    assert datetime.fromisoformat(item["nextFreeAt"]) == tomorrow_at(9, days=5)


def test_time_on_a_card_is_said_aloud_from_its_start_to_its_end() -> None:
    visit_type = make_visit_type(doctor=make_doctor(), slots=2, name="Skin check")
    first, second, *_rest = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(), count=3)
    zone = visit_type.doctor.clinic.zone
    start, end = first.starts_at.astimezone(zone), second.ends_at.astimezone(zone)
    said = f"{day_said(start, '%A', '%B')}, {start:%H:%M} to {end:%H:%M}, Skin check, "
    page = signed_in().get(f"/doctors/?from={start.date()}")
    assert f'aria-label="{said}{visit_type.doctor.name}"' in page.content.decode()


@pytest.mark.parametrize("is_paused", [False, True])
def test_names_on_a_card_are_text_and_never_tags(is_paused: bool) -> None:
    name = """<b>&"'"""
    here, there = (make_clinic(name=f"{name} {n}", city=f"Town {n} {name}") for n in (1, 2))
    visit_type = make_visit_type(doctor=make_doctor(name=name, clinic=here), name=f"Check {name}")
    make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(9), count=3)
    make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(11), count=3, clinic=there)
    if is_paused:
        BookingPause.objects.create(is_on=True)
    page = signed_in().get("/doctors/").content.decode()
    assert "<b>" not in page
    assert '&"' not in page
    written = "&lt;b&gt;&amp;&quot;&#x27;"
    assert f"Check {written}</strong>" in page
    assert f'<span class="time-note">Town 2 {written}</span>' in page
    said = f"Check {written}, {written}, {written} 1, Town 1 {written}"
    assert page.count(f'{said}">') == (0 if is_paused else 3)


@pytest.mark.parametrize(("free", "is_few"), [(1, True), (3, True), (4, False)])
def test_day_with_three_free_times_or_fewer_is_marked_in_the_calendar(
    free: int, is_few: bool
) -> None:
    visit_type = make_visit_type(doctor=make_doctor())
    (first, *_rest) = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(), count=free)
    day = first.starts_at.astimezone(visit_type.doctor.clinic.zone).date()
    page = signed_in().get(f"/doctors/{visit_type.doctor.slug}/").content.decode()
    (css,) = re.findall(rf'<a class="([^"]*)"\s+id="day-{day}"', page)
    assert ("day-few" in css.split()) is is_few

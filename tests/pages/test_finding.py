"""Home, results and a doctor's page: for everybody, whatever the address says."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from bookings.models import Hold
from docbook.lock_keys import SEARCH_SPECIALTIES
from doctors.models import Doctor
from doctors.selectors.search import SPECIALTIES_SECONDS
from tests.bookings.acts import book, bookable, guest, let_expire, take
from tests.days_said import day_said
from tests.factories import (
    make_admin,
    make_clinic,
    make_doctor,
    make_patient,
    make_secretary,
    make_slots,
    make_user,
    make_visit_type,
    tomorrow_at,
)
from tests.pages.browser import HTMX, is_whole_page, offered_slots, signed_in, swapped, typed, words

pytestmark = pytest.mark.django_db


def login_of(doctor: Doctor) -> User:
    doctor.user = make_user()
    doctor.save()
    return doctor.user


VISITORS = {
    "guest": lambda _doctor: None,
    "patient": lambda _doctor: make_patient(),
    "doctor": login_of,
    "secretary": lambda doctor: make_secretary(doctor=doctor),
    "staff": lambda _doctor: make_admin(),
}
each_visitor = pytest.mark.parametrize("visitor", VISITORS)


@each_visitor
def test_home_shows_what_can_be_found(visitor: str) -> None:
    visit_type, _slots = bookable()
    page = signed_in(VISITORS[visitor](visit_type.doctor)).get("/")
    assert page.status_code == 200
    assert visit_type.doctor.specialty.name in words(page)
    assert ("Sign in" in words(page)) == (visitor == "guest")


@each_visitor
def test_results_show_doctors_with_their_next_times(visitor: str) -> None:
    visit_type, slots = bookable()
    page = signed_in(VISITORS[visitor](visit_type.doctor)).get("/doctors/")
    clock = f"{slots[0].starts_at.astimezone(visit_type.doctor.clinic.zone):%H:%M}"
    assert "Dr Emma Visser" in words(page)
    assert clock in words(page)
    assert f"/doctors/{visit_type.doctor.slug}/?visit_type={visit_type.pk}" in page.content.decode()


@each_visitor
def test_only_those_who_run_a_day_are_led_to_the_schedule(visitor: str) -> None:
    visit_type, _slots = bookable()
    page = signed_in(VISITORS[visitor](visit_type.doctor)).get("/doctors/").content.decode()
    assert ('href="/schedule/"' in page) == (visitor in {"doctor", "secretary"})


@each_visitor
def test_page_of_a_doctor_offers_each_free_time_as_a_button(visitor: str) -> None:
    visit_type, slots = bookable()
    book(slots[1], visit_type=visit_type, holder=guest())
    browser = signed_in(VISITORS[visitor](visit_type.doctor))
    page = browser.get(f"/doctors/{visit_type.doctor.slug}/")
    assert offered_slots(page) == [slots[0].pk, slots[2].pk, slots[3].pk]
    assert typed(page)["visit_type"] == str(visit_type.pk)


def test_time_that_somebody_keeps_is_shown_as_on_hold_and_is_no_button() -> None:
    visit_type, slots = bookable()
    take(slots[0], visit_type=visit_type, holder=guest())
    page = signed_in().get(f"/doctors/{visit_type.doctor.slug}/")
    assert "on hold" in words(page)
    assert offered_slots(page) == [slot.pk for slot in slots[1:]]


def test_part_of_a_day_whose_times_are_all_kept_says_so() -> None:
    visit_type, slots = bookable(count=2)
    take(slots[0], visit_type=visit_type, holder=guest())
    browser = signed_in()
    browser.post("/book/", {"slot": slots[1].pk, "visit_type": visit_type.pk})
    page = words(
        browser.get(f"/doctors/{visit_type.doctor.slug}/?date={slots[0].starts_at:%Y-%m-%d}")
    )
    assert "0 free, 1 on hold, 1 yours" in page


def test_own_time_is_shown_as_yours_and_leads_back_to_the_booking() -> None:
    visit_type, slots = bookable()
    browser = signed_in()
    browser.post("/book/", {"slot": slots[0].pk, "visit_type": visit_type.pk})
    page = browser.get(f"/doctors/{visit_type.doctor.slug}/")
    assert "yours" in words(page)
    way_back = f"/book/{Hold.objects.get().pk}/code/"
    assert f'href="{way_back}"' in page.content.decode()
    assert "Who is coming?" in words(browser.get(way_back, follow=True))


@pytest.mark.parametrize("note", ["yours", "on hold"])
@pytest.mark.parametrize("shown_slots", [1, 2, 3])
def test_only_the_start_that_is_held_says_so(note: str, shown_slots: int) -> None:
    """And no start that would run into it, or that is in the middle of it."""
    visit_type, slots = bookable(slots=2, count=7)
    shown = make_visit_type(doctor=visit_type.doctor, slots=shown_slots)
    browser = signed_in()
    data = {"slot": slots[3].pk, "visit_type": visit_type.pk}
    (browser if note == "yours" else signed_in()).post("/book/", data)
    page = browser.get(f"/doctors/{visit_type.doctor.slug}/?visit_type={shown.pk}")
    start = slots[3].starts_at.astimezone(slots[3].clinic.zone)
    assert words(page).count(note) == 1
    assert f"{start:%H:%M} {note}" in words(page)
    free = {1: [0, 1, 2, 5, 6], 2: [0, 1, 5], 3: [0]}[shown_slots]
    assert offered_slots(page) == [slots[n].pk for n in free]


def test_own_hold_that_is_over_does_not_claim_the_time_of_somebody_else() -> None:
    visit_type, slots = bookable(slots=2, count=4)
    browser = signed_in()
    browser.post("/book/", {"slot": slots[0].pk, "visit_type": visit_type.pk})
    let_expire(Hold.objects.get())
    take(slots[2], visit_type=visit_type, holder=guest())
    page = words(browser.get(f"/doctors/{visit_type.doctor.slug}/"))
    assert "yours" not in page
    assert page.count("on hold") == 1


def test_times_are_those_of_the_clinic_and_the_page_says_whose() -> None:
    visit_type, _slots = bookable(clinic=make_clinic(time_zone="Asia/Tokyo", country="JP"))
    page = words(signed_in().get(f"/doctors/{visit_type.doctor.slug}/"))
    assert "18:00" in page
    assert "Tokyo" in page


def test_other_reason_offers_the_times_that_are_long_enough() -> None:
    visit_type, slots = bookable()
    long = make_visit_type(doctor=visit_type.doctor, slots=3)
    page = signed_in().get(f"/doctors/{visit_type.doctor.slug}/?visit_type={long.pk}")
    assert offered_slots(page) == [slots[0].pk, slots[1].pk]


@pytest.mark.parametrize("path", ["/doctors/", "/doctors/{slug}/"])
def test_htmx_gets_the_fragment_that_the_whole_page_holds(path: str) -> None:
    visit_type, slots = bookable()
    path = path.format(slug=visit_type.doctor.slug)
    page, fragment = signed_in().get(path), signed_in().get(path, headers=HTMX)
    assert is_whole_page(page)
    assert not is_whole_page(fragment)
    assert swapped(fragment) in words(page)
    for response in (page, fragment):
        assert "HX-Request" in response.headers["Vary"]
    clock = f"{slots[0].starts_at.astimezone(visit_type.doctor.clinic.zone):%H:%M}"
    assert clock in words(fragment)


@pytest.mark.parametrize("path", ["/doctors/", "/doctors/{slug}/"])
def test_page_that_htmx_restores_from_its_history_is_a_whole_one(path: str) -> None:
    visit_type, _slots = bookable()
    headers = HTMX | {"HX-History-Restore-Request": "true"}
    page = signed_in().get(path.format(slug=visit_type.doctor.slug), headers=headers)
    assert is_whole_page(page)


@pytest.mark.parametrize(
    "query",
    [
        "date=x",
        "date=2026-02-30",
        "date=0001-01-01",
        "date=9999-12-31",
        "month=2026-13",
        "month=0001-01",
        "month=9999-12",
        "month=x&date=y&visit_type=z",
        "visit_type=0",
        "visit_type=-1",
        "visit_type=99999999999999999999999",
        "visit_type=１",
        "visit_type=1.5",
        "date=&month=&visit_type=",
        "date=2026-11-24&date=2026-11-25",
        "month=2026-11-24",
    ],
)
def test_page_of_a_doctor_does_not_mind_an_address_that_means_nothing(query: str) -> None:
    visit_type, _slots = bookable()
    page = signed_in().get(f"/doctors/{visit_type.doctor.slug}/?{query}")
    assert page.status_code == 200
    assert "Dr Emma Visser" in words(page)


@pytest.mark.parametrize(
    "query",
    [
        "available_on=x",
        "available_on=0001-01-01",
        "available_on=9999-12-31",
        "from=9999-12-31",
        "from=0001-01-01",
        "from=x",
        "page=-1",
        "page=999999999",
        "page=x",
        "max_fee=-1",
        "max_fee=99999999999999999999",
        "mode=x&language=xx&city=Nowhere&specialty=nothing",
        "order=password",
        "q=" + "x" * 81,
        "q=%25_%27--",
        "q=%F0%9F%A9%BA",
        "q=%ED%A0%80",
        "city=%FF",
    ],
)
def test_results_do_not_mind_an_address_that_means_nothing(query: str) -> None:
    bookable()
    assert signed_in().get(f"/doctors/?{query}").status_code == 200


def test_search_that_finds_nobody_says_with_which_wish_less_it_would() -> None:
    visit_type, _slots = bookable()
    slug = visit_type.doctor.specialty.slug
    page = signed_in().get(f"/doctors/?specialty={slug}&city=Utrecht&language=nl&q=nobody")
    assert "No doctor matches all of these filters" in words(page)
    assert f"/doctors/?specialty={slug}" in page.content.decode()
    assert "1 doctor" in words(page)


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Dr Jürgen Müller", "muller"),
        ("Dr Jürgen Müller", "MÜLLER"),
        ("Dr Jürgen Müller", "mu\u0308ller"),
        ("Dr Greta Muller", "müller"),
        ("Dr Leyla Aydın", "aydin"),
        ("Dr Łukasz Wójcik", "lukasz wojcik"),
        ("Dr Søren Groß", "soren gross"),
    ],
)
def test_doctor_is_found_however_the_accents_are_typed(name: str, typed: str) -> None:
    found = make_doctor(name=name)
    make_doctor(name="Dr Emma Visser")
    for page in ("/doctors/", "/api/v1/doctors"):
        answer = signed_in().get(page, {"q": typed}).content.decode()
        assert found.slug in answer
        assert "Visser" not in answer


@pytest.mark.parametrize(
    "typed",
    [
        "Visser Emma",
        "Dr Visser",
        "dr. emma visser",
        "Visser, E.",
        "Prof Dr Visser",
        "Dra. Visser",
        "mevr. Visser",
        "emma dermatology",
        "dermatologist Visser",
        "Emma-Louise",
        "Visser\u00a0Emma\u200b",
        "Dr",
    ],
)
def test_every_word_counts_in_any_order_and_titles_do_not(typed: str) -> None:
    found = make_doctor(name="Dr Emma Louise Visser")
    for page in ("/doctors/", "/api/v1/doctors"):
        assert found.slug in signed_in().get(page, {"q": typed}).content.decode(), page


@pytest.mark.parametrize("typed", ["Visser Bakker", "Emma dentist", "Emma Visser Emmanuel"])
def test_word_that_nothing_holds_finds_nobody(typed: str) -> None:
    make_doctor(name="Dr Emma Louise Visser")
    answer = signed_in().get("/api/v1/doctors", {"q": typed})
    assert answer.json()["items"] == []


@pytest.mark.parametrize("query", ["city=utrecht", "city=UTRECHT", "language=NL", "mode=In_Person"])
def test_capitals_of_a_filter_do_not_matter(query: str) -> None:
    visit_type, _slots = bookable()
    other = make_doctor(clinic=make_clinic(city="Gouda"), languages=["de"])
    page = signed_in().get(f"/doctors/?{query}").content.decode()
    assert f"/doctors/{visit_type.doctor.slug}/" in page
    assert f"/doctors/{other.slug}/" not in page
    assert "field-error" not in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("available_on", "12/31/2026"),
        ("available_on", "31.12."),
        ("city", "Nowhere"),
        ("specialty", "wizardry"),
        ("mode", "telepathy"),
        ("language", "xx"),
        ("max_fee", "-1"),
        ("q", "x" * 81),
    ],
)
def test_filter_that_means_nothing_is_said_at_its_field(field: str, value: str) -> None:
    bookable()
    page = signed_in().get("/doctors/", {field: value}).content.decode()
    assert f'id="id_{field}_error"' in page
    for named in re.findall(r'aria-describedby="([^"]+)"', page):
        assert all(f'id="{each}"' in page for each in named.split()), named


def in_two_currencies() -> tuple[Doctor, Doctor, Doctor]:
    """An expensive and a cheap doctor in Mumbai, and one in Utrecht whose number is smaller
    still.
    """
    mumbai = make_clinic(city="Mumbai", country="IN", time_zone="Asia/Kolkata")
    dear, cheap = (make_doctor(clinic=mumbai, name=f"Dr {name}") for name in ("Rao", "Iyer"))
    utrecht = make_doctor(name="Dr Visser")
    for doctor, cents, currency in (
        (dear, 200_000, "INR"),
        (cheap, 80_000, "INR"),
        (utrecht, 6_000, "EUR"),
    ):
        make_visit_type(doctor=doctor, price_cents=cents, currency=currency)
        make_slots(doctor=doctor, count=2)
    return dear, cheap, utrecht


@pytest.mark.parametrize("door", ["/doctors/", "/api/v1/doctors"])
@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("city=Mumbai&max_fee=1000", ["cheap"]),
        ("city=Mumbai&max_fee=5000", ["dear", "cheap"]),
        ("city=Utrecht&max_fee=100", ["utrecht"]),
        ("max_fee=1000", ["cheap"]),
        ("max_fee=1000&currency=eur", ["utrecht"]),
        ("max_fee=10&currency=USD", []),
    ],
)
def test_fees_are_compared_within_one_currency(door: str, query: str, shown: list[str]) -> None:
    doctors = dict(zip(("dear", "cheap", "utrecht"), in_two_currencies(), strict=True))
    answer = signed_in().get(f"{door}?{query}").content.decode()
    if "USD" in query and door == "/doctors/":
        assert "Nobody here charges in this currency." in answer
        return
    quoted = [(name, f"/doctors/{doctor.slug}/") for name, doctor in doctors.items()]
    if door.startswith("/api"):
        quoted = [(name, f'"{doctor.slug}"') for name, doctor in doctors.items()]
    found = [name for name, words_of_the_answer in quoted if words_of_the_answer in answer]
    assert found == shown


def test_lowest_fee_comes_first_within_a_currency_and_others_last() -> None:
    dear, cheap, utrecht = in_two_currencies()
    for query, order in (
        ("order=fee", [cheap, dear, utrecht]),
        ("order=fee&currency=EUR", [utrecht, *sorted((dear, cheap), key=lambda each: each.pk)]),
    ):
        items = signed_in().get(f"/api/v1/doctors?{query}").json()["items"]
        assert [item["slug"] for item in items] == [doctor.slug for doctor in order]


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_field_of_the_fee_names_its_currency(headers: dict[str, str]) -> None:
    in_two_currencies()
    page = signed_in().get("/doctors/?city=Mumbai&max_fee=1000", headers=headers)
    assert "Fee up to, in INR" in words(page)
    assert "Up to INR\N{NO-BREAK SPACE}1,000" in page.content.decode()


def test_from_price_on_a_card_is_in_the_currency_that_is_shown() -> None:
    doctor = make_doctor()
    make_visit_type(doctor=doctor, price_cents=80_000, currency="INR")
    make_visit_type(doctor=doctor, price_cents=6_000, currency="EUR")
    make_slots(doctor=doctor)
    assert "from €60" not in words(signed_in().get("/doctors/"))


def test_what_is_saved_can_be_searched_for_at_once() -> None:
    bookable()
    signed_in().get("/doctors/")
    make_doctor(languages=["fi"], clinic=make_clinic(city="Gouda"))
    page = words(signed_in().get("/doctors/"))
    assert "Finnish" in page
    assert "Gouda" in page


def test_home_looks_at_all_doctors_once_in_a_quarter_of_a_minute() -> None:
    bookable()
    signed_in().get("/")
    with CaptureQueriesContext(connection) as queries:
        signed_in().get("/")
    assert not [each for each in queries if "doctors_slot" in each["sql"]]
    assert not [each for each in queries if "unnest" in each["sql"]]


def test_home_shows_a_new_specialty_after_a_quarter_of_a_minute(time_machine: Any) -> None:
    bookable()
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    signed_in().get("/")
    new = make_doctor().specialty.name
    cache.delete(SEARCH_SPECIALTIES)  # Redis has a clock of its own
    facts = f"{new} 1 doctor"
    time_machine.move_to(now + timedelta(seconds=SPECIALTIES_SECONDS), tick=False)
    assert facts in words(signed_in().get("/"))


def test_home_that_is_kept_shows_nothing_of_the_visitor_before() -> None:
    bookable()
    patient = make_patient()
    assert patient.email in words(signed_in(patient).get("/"))
    page = signed_in().get("/")
    assert patient.email not in page.content.decode()
    assert "Sign in" in words(page)
    assert patient.email in words(signed_in(patient).get("/"))


def test_filters_stay_when_the_days_or_the_order_change() -> None:
    for _ in range(12):
        bookable()
    page = signed_in().get("/doctors/?city=Utrecht&language=nl").content.decode()
    for move in ("page=2", "from=", "order=fee"):
        assert any(
            "city=Utrecht" in link and "language=nl" in link
            for link in page.split('"')
            if move in link
        ), move


def test_second_page_shows_the_other_doctors() -> None:
    for _ in range(12):
        bookable()
    first = signed_in().get("/doctors/?order=name").content.decode()
    second = signed_in().get("/doctors/?order=name&page=2").content.decode()
    for doctor in Doctor.objects.all():
        link = f"/doctors/{doctor.slug}/"
        assert (link in first) != (link in second)


def test_day_without_free_times_leads_to_the_next_that_has_some() -> None:
    doctor = make_doctor()
    make_visit_type(doctor=doctor)
    make_slots(doctor=doctor, starts_at=tomorrow_at(days=5))
    empty = tomorrow_at(days=3).date()
    page = signed_in().get(f"/doctors/{doctor.slug}/?date={empty}")
    assert "Nothing is free on this day" in words(page)
    assert "the clock of the clinic" not in words(page)
    assert "No times in the" not in words(page)
    assert f"date={empty + timedelta(days=2)}" in page.content.decode()


@pytest.mark.parametrize("path", ["/doctors/{slug}/", "/doctors/nobody/"])
def test_doctor_who_is_gone_and_one_who_never_was_look_alike(path: str) -> None:
    doctor = make_doctor(is_active=False)
    page = signed_in().get(path.format(slug=doctor.slug))
    assert page.status_code == 404
    assert "nothing at this address" in words(page)


def test_doctor_without_reasons_or_times_has_a_page_all_the_same() -> None:
    doctor = make_doctor()
    assert signed_in().get(f"/doctors/{doctor.slug}/").status_code == 200
    make_visit_type(doctor=doctor)
    page = signed_in().get(f"/doctors/{doctor.slug}/")
    assert page.status_code == 200
    assert words(page).count("See other doctors") == 2  # below "Pick a time", and at the side
    assert "A few left" not in words(page)
    assert signed_in().get("/doctors/").status_code == 200
    assert signed_in().get("/").status_code == 200


def test_name_and_words_about_a_doctor_are_escaped() -> None:
    script = "<script>alert(1)</script>"
    doctor = make_doctor(name=f"Dr {script}", about=f"{script}\nhttps://evil.example")
    make_slots(doctor=doctor)
    make_visit_type(doctor=doctor, name=script)
    for path in ("/", "/doctors/", f"/doctors/{doctor.slug}/"):
        assert script not in signed_in().get(path).content.decode()
    assert script not in signed_in().get(f"/doctors/?q={script}").content.decode()


@pytest.mark.parametrize("path", ["/", "/doctors/", "/healthz", "/doctors/somebody/"])
def test_nobody_posts_to_a_page_that_only_shows(path: str) -> None:
    assert signed_in().post(path).status_code == 405


def test_home_leads_to_the_first_day_on_which_somebody_is_free() -> None:
    _visit_type, slots = bookable()
    first = slots[0].starts_at.astimezone(slots[0].clinic.zone)
    page = signed_in().get("/")
    assert f'href="/doctors/?available_on={first:%Y-%m-%d}"' in page.content.decode()
    assert f"Free on {day_said(first, '%A', '%B')}" in words(page)
    assert "Free today" not in words(page)


def test_home_leads_to_today_where_somebody_is_free_today() -> None:
    clinic = make_clinic(time_zone="Pacific/Kiritimati")
    here = timezone.now().astimezone(clinic.zone)
    if here.hour >= 23:
        clinic.time_zone = "UTC"
        clinic.save()
    doctor = make_doctor(clinic=clinic, min_notice_minutes=0)
    make_visit_type(doctor=doctor)
    make_slots(doctor=doctor, starts_at=timezone.now() + timedelta(minutes=5))
    today = timezone.now().astimezone(clinic.zone).date()
    page = signed_in().get("/")
    assert "Free today" in words(page)
    assert f'href="/doctors/?available_on={today}"' in page.content.decode()


def test_home_says_today_as_soon_as_the_day_has_begun(time_machine: Any) -> None:
    """The page that is kept was made seven seconds ago, yesterday."""
    midnight = tomorrow_at(0, days=2)
    doctor = make_doctor(clinic=make_clinic(time_zone="UTC"), min_notice_minutes=0)
    make_visit_type(doctor=doctor)
    make_slots(doctor=doctor, starts_at=midnight + timedelta(hours=9))
    time_machine.move_to(midnight - timedelta(seconds=5), tick=False)
    assert "Free today" not in words(signed_in().get("/"))
    time_machine.move_to(midnight + timedelta(seconds=2), tick=False)
    assert "Free today" in words(signed_in().get("/"))


def test_home_leads_to_no_day_where_nobody_is_free() -> None:
    make_doctor()
    page = signed_in().get("/")
    assert "available_on=" not in page.content.decode()


def test_wider_searches_are_offered_with_their_numbers_from_one_query() -> None:
    utrecht = make_clinic(city="Utrecht")
    for name in ("Dr Anna", "Dr Bao"):
        make_visit_type(doctor=make_doctor(name=name, clinic=utrecht), mode="in_person")
    make_visit_type(doctor=make_doctor(name="Dr Cem", clinic=make_clinic(city="Gouda")))
    asked = "city=Utrecht&language=tr&q=anna&available_on=2027-01-05"

    with CaptureQueriesContext(connection) as queries:
        page = signed_in().get(f"/doctors/?{asked}")

    assert "Without “Utrecht”" not in words(page)
    assert len([each for each in queries if "UNION ALL" in each["sql"]]) == 1
    page = words(signed_in().get("/doctors/?city=Utrecht&q=cem"))
    assert "Without “Utrecht” · 1 doctor" in page
    assert "Without “cem” · 2 doctors" in page

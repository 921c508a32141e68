"""Pages of a search: the same doctors whether its SQL is kept or worked out anew."""

from typing import Any

import pytest
from django.utils import timezone

from doctors.selectors.result_pages import PAGE_SIZE, find_page
from doctors.selectors.search import DoctorSearch, search_doctors
from tests.factories import make_clinic, make_doctor, make_slots, make_visit_type, tomorrow_at

pytestmark = pytest.mark.django_db


def make_doctors(number: int) -> str:
    """Who differ in everything that is searched for; returns the slug of a specialty."""
    clinics = [make_clinic(city="Utrecht"), make_clinic(city="Gouda")]
    for n in range(number):
        doctor = make_doctor(name=f"Dr Number {number - n}", clinic=clinics[n % 2])
        kind: dict[str, Any] = {"mode": "video"} if n % 3 else {"currency": "INR"}
        make_visit_type(doctor=doctor, price_cents=1000 * (n % 5), **kind)
        make_slots(doctor=doctor, starts_at=tomorrow_at(days=1 + n % 4))
    return str(doctor.specialty.slug)


WISHES: list[dict[str, Any]] = [
    {},
    {"order": "name"},
    {"order": "fee", "currency": "EUR"},
    {"order": "fee", "currency": "INR"},
    {"mode": "video"},
    {"mode": "phone"},
    {"city": "Gouda"},
    {"q": "number"},
    {"max_fee": 20, "currency": "EUR"},
]


def test_first_page_of_a_search_has_the_doctors_of_its_queryset() -> None:
    slug = make_doctors(13)
    now = timezone.now()
    wishes = [*WISHES, {"specialty": slug}]
    wishes += [{"available_on": tomorrow_at(days=days).date()} for days in (1, 2, 9)]
    for wish in (*wishes, *wishes):  # kept by then
        search = DoctorSearch(**wish)
        right = list(search_doctors(search=search, now=now))
        page = find_page(search=search, now=now, asked="")
        assert [each.pk for each in page.doctors] == [each.pk for each in right[:PAGE_SIZE]], wish
        assert page.total == len(right), wish
        for one, other in zip(page.doctors, right, strict=False):
            facts = [(each.next_free_at, each.next_free_zone) for each in (one, other)]  # type: ignore[attr-defined]
            assert facts[0] == facts[1]
            assert list(one.visit_types.all()) == list(other.visit_types.all())


@pytest.mark.parametrize(
    ("asked", "number", "first", "last"),
    [("", 1, 1, 10), ("1", 1, 1, 10), ("2", 2, 11, 13), ("9", 2, 11, 13), ("x", 1, 1, 10)],
)
def test_page_that_is_not_there_is_the_nearest_one(
    asked: str, number: int, first: int, last: int
) -> None:
    make_doctors(13)
    page = find_page(search=DoctorSearch(), now=timezone.now(), asked=asked)
    assert (page.number, page.first, page.last, page.total) == (number, first, last, 13)
    assert (page.has_previous, page.has_next) == (number == 2, number == 1)


def test_first_page_takes_two_queries(django_assert_num_queries: Any) -> None:
    make_doctors(13)
    with django_assert_num_queries(2):
        find_page(search=DoctorSearch(), now=timezone.now(), asked="")

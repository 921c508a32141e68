"""Finding doctors and their times through the API: open to all, and cheap to repeat."""

from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from doctors.models import Doctor, Mode, Slot
from doctors.views import home
from tests.api.client import Api, problem
from tests.bookings.acts import book, bookable, guest, let_expire, take
from tests.factories import (
    make_clinic,
    make_doctor,
    make_slots,
    make_specialty,
    make_visit_type,
    tomorrow_at,
)

pytestmark = pytest.mark.django_db


def found(**query: Any) -> list[str]:
    response = Api().get("doctors", query)
    assert response.status_code == 200, response.content[:300]
    return [doctor["name"] for doctor in response.json()["items"]]


def slot_ids(doctor: Doctor, **query: Any) -> list[int]:
    query = {"date": f"{tomorrow_at(days=2):%Y-%m-%d}"} | query
    response = Api().get(f"doctors/{doctor.pk}/slots", query)
    assert response.status_code == 200, response.content[:300]
    return [item["slotId"] for item in response.json()["items"]]


def clinic_town(number: int) -> Doctor:
    """A doctor with everything that a list shows."""
    doctor = make_doctor(name=f"Dr Number {number:02d}")
    for _ in range(2):
        make_visit_type(doctor=doctor)
    make_slots(doctor=doctor, count=3)
    return doctor


@pytest.fixture
def town() -> dict[str, Doctor]:
    """Three doctors who differ in everything that people can search by."""
    skin = make_specialty(name="Dermatology", slug="dermatology", practitioner="dermatologist")
    heart = make_specialty(name="Cardiology", slug="cardiology", practitioner="cardiologist")
    tokyo = make_clinic(city="Tokyo", country="JP", time_zone="Asia/Tokyo")
    utrecht = make_clinic(city="Utrecht")
    anna = make_doctor(name="Dr Anna", specialty=skin, clinic=utrecht, languages=["nl", "en"])
    bao = make_doctor(name="Dr Bao", specialty=heart, clinic=tokyo, languages=["ja"])
    cleo = make_doctor(name="Dr Cleo", specialty=skin, clinic=tokyo, languages=["en"])
    make_visit_type(doctor=anna, price_cents=8000)
    make_visit_type(doctor=bao, price_cents=4000, mode=Mode.VIDEO)
    make_visit_type(doctor=cleo, price_cents=6000)
    make_visit_type(doctor=cleo, price_cents=1000, is_active=False)
    make_slots(doctor=anna, starts_at=tomorrow_at(9, days=3))
    make_slots(doctor=bao, starts_at=tomorrow_at(16))
    make_doctor(name="Dr Gone", is_active=False)
    return {"anna": anna, "bao": bao, "cleo": cleo}


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["Dr Bao", "Dr Anna", "Dr Cleo"]),
        ({"order": "name"}, ["Dr Anna", "Dr Bao", "Dr Cleo"]),
        ({"order": "fee"}, ["Dr Bao", "Dr Cleo", "Dr Anna"]),
        ({"q": "ANNA"}, ["Dr Anna"]),
        ({"q": "cardiolog"}, ["Dr Bao"]),
        ({"q": "gone"}, []),
        ({"specialty": "dermatology"}, ["Dr Anna", "Dr Cleo"]),
        ({"city": "tokyo"}, ["Dr Bao", "Dr Cleo"]),
        ({"language": "en"}, ["Dr Anna", "Dr Cleo"]),
        ({"mode": "video"}, ["Dr Bao"]),
        ({"mode": "phone"}, []),
        ({"max_fee": 60}, ["Dr Bao", "Dr Cleo"]),
        ({"max_fee": 10}, []),
        ({"max_fee": 40, "mode": "in_person"}, []),
        ({"specialty": "dermatology", "city": "tokyo"}, ["Dr Cleo"]),
    ],
)
def test_search_finds_who_matches_everything_asked_for(query: Any, names: list[str]) -> None:
    assert found(**query) == names


def test_names_are_in_the_order_in_which_people_look_for_them() -> None:
    names = ["Zoë Bakker", "Álvaro Gil", "adam Smit", "Özlem Kaya", "Olga Smit", "Émile Roux"]
    for name in names:
        make_doctor(name=name)
    in_order = ["adam Smit", "Álvaro Gil", "Émile Roux", "Olga Smit", "Özlem Kaya", "Zoë Bakker"]
    found, cursor = [], ""
    for _page in names:  # one at a time, so that the cursor goes by the same order
        query = {"order": "name", "limit": 1} | ({"cursor": cursor} if cursor else {})
        page = Api().get("doctors", query).json()
        found += [item["name"] for item in page["items"]]
        cursor = page["pageInfo"]["nextCursor"]
    assert found == in_order


@pytest.mark.usefixtures("town")
def test_free_on_a_day_means_the_day_of_the_clinic() -> None:
    """16:00 UTC tomorrow is 01:00 of the day after in Tokyo."""
    assert found(available_on=f"{tomorrow_at():%Y-%m-%d}") == []
    assert found(available_on=f"{tomorrow_at(days=2):%Y-%m-%d}") == ["Dr Bao"]
    assert found(available_on=f"{tomorrow_at(days=3):%Y-%m-%d}") == ["Dr Anna"]


def test_doctor_is_shown_with_clinic_reasons_and_first_free_time(town: Any) -> None:
    shown = Api().get(f"doctors/{town['bao'].pk}").json()
    assert shown["specialty"] == {"slug": "cardiology", "name": "Cardiology"}
    assert shown["clinic"]["timeZone"] == "Asia/Tokyo"
    (visit_type,) = shown["visitTypes"]
    assert (visit_type["mode"], visit_type["minutes"]) == ("video", 20)
    assert (visit_type["priceCents"], visit_type["currency"]) == (4000, "EUR")
    assert shown["nextFreeAt"] == f"{tomorrow_at(days=2):%Y-%m-%d}T01:00:00+09:00"
    listed = Api().get("doctors", {"q": "bao"}).json()["items"]
    assert listed == [shown]


def test_doctor_who_takes_no_bookings_is_not_there() -> None:
    doctor = make_doctor(is_active=False)
    for path in ("", "/slots?date=2026-11-24"):
        problem(Api().get(f"doctors/{doctor.pk}{path}"), code="not-found", status=404)


def test_times_are_those_at_which_the_visit_fits() -> None:
    visit_type, slots = bookable(count=6)
    long = make_visit_type(doctor=visit_type.doctor, slots=2)
    book(slots[1], visit_type=visit_type, holder=guest())
    take(slots[4], visit_type=visit_type, holder=guest())
    ids = [slot.pk for slot in slots]
    assert slot_ids(visit_type.doctor) == [ids[0], ids[2], ids[3], ids[5]]
    assert slot_ids(visit_type.doctor, visit_type=long.pk) == [ids[2]]


def test_time_whose_hold_is_over_is_offered_before_anybody_has_swept() -> None:
    visit_type, slots = bookable(count=1)
    let_expire(take(slots[0], visit_type=visit_type, holder=guest()))
    assert slot_ids(visit_type.doctor) == [slots[0].pk]
    assert Api().get(f"doctors/{visit_type.doctor_id}").json()["nextFreeAt"] is not None


def test_times_outside_of_notice_and_horizon_are_not_offered() -> None:
    doctor = make_doctor(min_notice_minutes=60 * 24 * 2, horizon_days=4)
    make_visit_type(doctor=doctor)
    for days in (1, 3, 6):
        make_slots(doctor=doctor, starts_at=tomorrow_at(days=days))
    offered = [slot_ids(doctor, date=f"{tomorrow_at(days=days):%Y-%m-%d}") for days in (1, 3, 6)]
    assert [len(ids) for ids in offered] == [0, 1, 0]


def test_times_carry_the_offset_of_the_clinic() -> None:
    clinic = make_clinic(time_zone="Asia/Kathmandu", country="NP")
    visit_type, slots = bookable(clinic=clinic, count=1)
    query = {"date": f"{slots[0].starts_at:%Y-%m-%d}"}
    (time,) = Api().get(f"doctors/{visit_type.doctor_id}/slots", query).json()["items"]
    assert time["startsAt"] == f"{slots[0].starts_at:%Y-%m-%d}T14:45:00+05:45"
    assert time["endsAt"] == f"{slots[0].starts_at:%Y-%m-%d}T15:05:00+05:45"


def public_paths() -> list[str]:
    visit_type, slots = bookable()
    doctor = f"doctors/{visit_type.doctor_id}"
    return ["doctors", doctor, f"{doctor}/slots?date={slots[0].starts_at:%Y-%m-%d}"]


def test_public_answer_is_kept_for_fifteen_seconds_and_then_asked_for_by_its_etag() -> None:
    for path in public_paths():
        first = Api().get(path)
        assert first.headers["Cache-Control"] == "public, max-age=15"
        assert "Cookie" not in first.headers.get("Vary", "")
        assert "Set-Cookie" not in first.headers
        again = Api().get(path, If_None_Match=first.headers["ETag"])
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]


def test_etag_changes_when_a_time_is_taken() -> None:
    visit_type, slots = bookable(count=1)
    path = f"doctors/{visit_type.doctor_id}/slots?date={slots[0].starts_at:%Y-%m-%d}"
    etag = Api().get(path).headers["ETag"]
    take(slots[0], visit_type=visit_type, holder=guest())
    changed = Api().get(path, If_None_Match=etag)
    assert changed.status_code == 200
    assert changed.json()["items"] == []


def test_public_reads_do_not_mind_a_token_that_works_no_more() -> None:
    for path in public_paths():
        assert Api().get(path, Authorization="Bearer nonsense").status_code == 200


def count_queries(ask: Any) -> int:
    cache.clear()
    home._Kept.newest = None
    with CaptureQueriesContext(connection) as queries:
        response = ask()
    assert response.status_code == 200
    return len(queries)


@pytest.mark.parametrize(
    "path", ["/api/v1/doctors?limit=100", "/doctors/", "/doctors/?order=fee", "/"]
)
def test_twenty_doctors_cost_as_many_queries_as_ten(path: str) -> None:
    for number in range(10):
        clinic_town(number)
    ten = count_queries(lambda: Client().get(path))
    for number in range(10, 20):
        clinic_town(number)
    assert count_queries(lambda: Client().get(path)) == ten
    assert Doctor.objects.count() == 20


def test_more_times_cost_no_more_queries() -> None:
    doctor = clinic_town(1)
    path = f"/api/v1/doctors/{doctor.pk}/slots?date={tomorrow_at(days=2):%Y-%m-%d}"
    pages = [path, f"/doctors/{doctor.slug}/"]
    few = [count_queries(lambda each=each: Client().get(each)) for each in pages]
    make_slots(doctor=doctor, starts_at=tomorrow_at(12, days=2), count=20)
    make_slots(doctor=doctor, starts_at=tomorrow_at(days=5), count=20)
    assert [count_queries(lambda each=each: Client().get(each)) for each in pages] == few
    assert Slot.objects.count() == 43

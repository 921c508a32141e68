"""A doctor at several clinics: every time has its own clock, day, name and address."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from doctors.models import Doctor, Mode, Slot
from doctors.templatetags.clinic_time import day_and_clock
from tests.api.client import Api
from tests.factories import (
    make_appointment,
    make_clinic,
    make_doctor,
    make_rule,
    make_slots,
    make_user,
    make_visit_type,
    tomorrow_at,
)
from tests.pages.browser import signed_in, words

pytestmark = pytest.mark.django_db

LONDON, TOKYO = ZoneInfo("Europe/London"), ZoneInfo("Asia/Tokyo")


def traveller() -> tuple[Doctor, Slot, Slot]:
    """Main clinic in Utrecht, a time in London, and an hour later one in Tokyo, where it is the
    next day.
    """
    doctor = make_doctor(clinic=make_clinic(city="Utrecht"))
    make_visit_type(doctor=doctor)
    london = make_clinic(name="Harley House", street="Harley Street 1", city="London")
    tokyo = make_clinic(name="Ginza Clinic", street="Ginza 4", city="Tokyo")
    for clinic, zone in ((london, LONDON), (tokyo, TOKYO)):
        clinic.time_zone = zone.key
        clinic.save()
    (there,) = make_slots(doctor=doctor, starts_at=tomorrow_at(17, days=3), clinic=london)
    (far,) = make_slots(doctor=doctor, starts_at=tomorrow_at(18, days=3), clinic=tokyo)
    return doctor, there, far


def local(slot: Slot) -> datetime:
    return slot.starts_at.astimezone(slot.clinic.zone)


def test_picker_shows_each_time_on_its_day_with_its_clock_and_address() -> None:
    doctor, *slots = traveller()
    for slot in slots:
        page = words(signed_in().get(f"/doctors/{doctor.slug}/?date={local(slot):%Y-%m-%d}"))
        assert f"{slot.clinic.name} {slot.clinic.address}" in page
        assert "No times in the" not in page
        assert f"Times are in {slot.clinic.zone.key.split('/')[1]} time" in page
        assert f"{local(slot):%H:%M}" in page
        assert "Amsterdam time" not in page


def test_picker_tells_in_one_line_when_a_clinic_of_several_has_no_times() -> None:
    doctor, there, _far = traveller()
    page = words(signed_in().get(f"/doctors/{doctor.slug}/?date={local(there):%Y-%m-%d}"))
    assert page.count(": none") == 1


def test_only_the_first_of_several_clinics_has_a_map() -> None:
    doctor, *_slots = traveller()
    page = signed_in().get(f"/doctors/{doctor.slug}/").content.decode()
    assert page.count('class="map"') == 1
    assert page.count("Directions") == 2


def test_api_gives_each_time_on_its_own_day_with_its_clinic() -> None:
    doctor, *slots = traveller()
    for slot in slots:
        query = {"date": f"{local(slot):%Y-%m-%d}"}
        (item,) = Api().get(f"doctors/{doctor.pk}/slots", query).json()["items"]
        assert item["slotId"] == slot.pk
        assert item["startsAt"] == local(slot).isoformat()
        assert item["clinic"] == {
            "id": slot.clinic_id,
            "name": slot.clinic.name,
            "street": slot.clinic.street,
            "postcode": slot.clinic.postcode,
            "city": slot.clinic.city,
            "timeZone": slot.clinic.time_zone,
        }


def test_next_free_time_has_the_clock_of_its_own_clinic() -> None:
    doctor, there, _far = traveller()
    assert Api().get(f"doctors/{doctor.pk}").json()["nextFreeAt"] == local(there).isoformat()


@pytest.mark.parametrize("kept", ["hours", "times alone"])
def test_api_names_the_clinics_of_a_doctor_and_the_one_of_the_next_free_time(kept: str) -> None:
    doctor, there, far = traveller()
    if kept == "hours":
        make_rule(doctor=doctor, clinic=there.clinic)
        make_rule(doctor=doctor, clinic=far.clinic)
        make_rule(doctor=doctor, clinic=far.clinic, starts=time(13), ends=time(14))
        make_rule(doctor=doctor, clinic=make_clinic(city="Paris"), valid_until=date(2020, 1, 1))
    listings = [(there, Api().get(f"doctors/{doctor.pk}").json())]
    for slot in (there, far):
        (found,) = Api().get("doctors", {"city": slot.clinic.city}).json()["items"]
        listings.append((slot, found))
    for slot, listed in listings:
        assert listed["clinic"]["city"] == "Utrecht"
        assert listed["nextFreeAt"] == local(slot).isoformat()
        assert listed["nextFreeClinic"]["id"] == slot.clinic_id
        assert listed["nextFreeClinic"]["city"] == slot.clinic.city
        assert listed["nextFreeClinic"]["timeZone"] == slot.clinic.time_zone
        ids = {there.clinic_id, far.clinic_id}
        assert {clinic["id"] for clinic in listed["clinics"]} == ids


def test_api_names_the_main_clinic_of_a_doctor_without_hours_or_times() -> None:
    doctor = make_doctor()
    make_visit_type(doctor=doctor)
    listed = Api().get(f"doctors/{doctor.pk}").json()
    assert listed["clinics"] == [listed["clinic"]]
    assert (listed["nextFreeAt"], listed["nextFreeClinic"]) == (None, None)


def test_api_names_the_main_clinic_first() -> None:
    doctor = make_doctor()
    make_rule(doctor=doctor, clinic=make_clinic(name="Aardvark Clinic"))
    make_rule(doctor=doctor, starts=time(13), ends=time(14))
    names = [each["name"] for each in Api().get(f"doctors/{doctor.pk}").json()["clinics"]]
    assert names == [doctor.clinic.name, "Aardvark Clinic"]


def test_next_free_time_of_a_doctor_with_several_clinics_names_its_own() -> None:
    doctor, there, _far = traveller()
    page = words(signed_in().get(f"/doctors/{doctor.slug}/"))
    assert f"Next free: {day_and_clock(there.starts_at, LONDON)}, London" in page


def test_next_free_time_names_the_clinic_where_two_are_in_one_city() -> None:
    doctor = make_doctor()
    make_visit_type(doctor=doctor)
    other = make_clinic(name="Kliniek Zuid", city=doctor.clinic.city)
    (first,) = make_slots(doctor=doctor, starts_at=tomorrow_at(9, days=3), clinic=other)
    make_slots(doctor=doctor, starts_at=tomorrow_at(10, days=3))
    page = words(signed_in().get(f"/doctors/{doctor.slug}/"))
    assert f"Next free: {day_and_clock(first.starts_at, other.zone)}, Kliniek Zuid" in page


def test_next_free_time_of_a_doctor_with_one_clinic_names_none() -> None:
    doctor = make_doctor()
    make_visit_type(doctor=doctor)
    (first,) = make_slots(doctor=doctor, starts_at=tomorrow_at(9, days=3))
    page = words(signed_in().get(f"/doctors/{doctor.slug}/"))
    assert f"Next free: {day_and_clock(first.starts_at, doctor.clinic.zone)}" in page
    assert f"{day_and_clock(first.starts_at, doctor.clinic.zone)}, Utrecht" not in page


def test_search_by_city_finds_the_doctor_there_and_shows_the_times_there() -> None:
    _doctor, there, far = traveller()
    for slot, other in ((there, far), (far, there)):
        day = f"{local(slot):%Y-%m-%d}"
        page = signed_in().get(f"/doctors/?city={slot.clinic.city}&available_on={day}")
        assert f"{slot.clinic.name}, {slot.clinic.street}, {slot.clinic.city}" in words(page)
        assert f"{other.clinic.name}, {other.clinic.street}" not in words(page)
        assert f">{local(slot):%H:%M}<" in page.content.decode()


def test_search_by_city_finds_the_doctor_where_only_hours_are_kept() -> None:
    doctor = make_doctor()
    make_rule(doctor=doctor, clinic=make_clinic(city="London", time_zone=LONDON.key))
    names = [each["id"] for each in Api().get("doctors", {"city": "london"}).json()["items"]]
    assert names == [doctor.pk]


def test_card_names_the_place_at_each_time_where_there_are_two() -> None:
    _doctor, there, far = traveller()
    first = min(f"{local(slot):%Y-%m-%d}" for slot in (there, far))
    page = words(signed_in().get(f"/doctors/?from={first}"))
    for slot in (there, far):
        assert f"{local(slot):%H:%M} {slot.clinic.city}" in page


def test_rest_of_a_day_on_a_card_names_its_places_where_there_are_two() -> None:
    doctor, there, _far = traveller()
    make_slots(doctor=doctor, starts_at=there.starts_at - timedelta(hours=3), count=4)
    assert "2 more Utrecht, London" in words(signed_in().get("/doctors/"))


def test_doctor_page_names_every_clinic_with_times_to_come() -> None:
    doctor, *slots = traveller()
    page = words(signed_in().get(f"/doctors/{doctor.slug}/"))
    for slot in slots:
        assert f"{slot.clinic.name} {slot.clinic.street}, {slot.clinic.postcode}" in page


def test_home_names_the_clock_and_city_of_the_first_free_time() -> None:
    _doctor, there, _far = traveller()
    assert f"{local(there):%H:%M}, London" in words(signed_in().get("/"))


def test_day_of_the_doctor_has_each_visit_on_its_own_day_at_both_doors() -> None:
    doctor, there, far = traveller()
    visits = {slot: make_appointment(slots=[slot]) for slot in (there, far)}
    doctor.user = user = make_user()
    doctor.save()
    for slot, other in ((there, far), (far, there)):
        day = f"{local(slot):%Y-%m-%d}"
        api = Api(user).get(f"doctors/{doctor.pk}/appointments", {"date": day}).json()["items"]
        assert [item["id"] for item in api] == [str(visits[slot].pk)]
        page = words(signed_in(user).get(f"/schedule/?date={day}"))
        assert f"{local(slot):%H:%M}" in page
        assert slot.clinic.name in page
        assert other.clinic.name not in page


def test_day_at_two_clinics_names_each_once_above_its_lines() -> None:
    doctor = make_doctor(user=make_user())
    london = make_clinic(name="Harley House", city="London", time_zone=LONDON.key)
    first = tomorrow_at(9, days=3)
    make_slots(doctor=doctor, starts_at=first, count=3)
    make_slots(doctor=doctor, starts_at=first + timedelta(hours=3), count=3, clinic=london)
    page = words(signed_in(doctor.user).get(f"/schedule/?date={first:%Y-%m-%d}"))
    for name in (
        f"{doctor.clinic.name}, {doctor.clinic.city} Amsterdam time",
        "Harley House, London",
    ):
        assert page.count(name) == 1


def test_horizon_ends_with_a_day_of_the_clinic() -> None:
    zone = ZoneInfo("America/New_York")
    clinic = make_clinic(time_zone=zone.key)
    doctor = make_doctor(clinic=clinic, horizon_days=3, min_notice_minutes=0)
    make_visit_type(doctor=doctor)
    today = timezone.now().astimezone(zone).date()
    end = datetime.combine(today + timedelta(days=3), datetime.min.time(), tzinfo=zone)
    last, beyond = (
        make_slots(doctor=doctor, starts_at=moment.astimezone(UTC), mode=Mode.ANY)[0]
        for moment in (end - timedelta(minutes=20), end)
    )
    shown = signed_in().get(f"/doctors/{doctor.slug}/?date={local(last):%Y-%m-%d}")
    assert f'value="{last.pk}"' in shown.content.decode()
    for slot, ids in ((last, [last.pk]), (beyond, [])):
        query = {"date": f"{local(slot):%Y-%m-%d}"}
        items = Api().get(f"doctors/{doctor.pk}/slots", query).json()["items"]
        assert [item["slotId"] for item in items] == ids
    assert f"date={local(beyond):%Y-%m-%d}" not in shown.content.decode()

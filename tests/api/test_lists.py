"""Every list has one envelope, and is read by page, by offset, or by cursor."""

import base64
import json
from collections.abc import Callable
from itertools import chain
from typing import Any

import pytest

from accounts.models import User
from doctors.models import Doctor
from tests.api.client import Api, pointers, problem
from tests.bookings.acts import bookable
from tests.factories import (
    make_appointment,
    make_clinic,
    make_doctor,
    make_patient,
    make_slots,
    make_specialty,
    make_visit_type,
    tomorrow_at,
)

pytestmark = pytest.mark.django_db

Ids = list[Any]


def doctors_by(order: str) -> Callable[[User], tuple[str, str]]:
    """Seven doctors. Some have the same sort values, some have none."""

    def arrange(_patient: User) -> tuple[str, str]:
        specialty, clinic = make_specialty(), make_clinic()
        for number in range(7):
            doctor = make_doctor(specialty=specialty, clinic=clinic, name=f"Dr {'ABBCCDE'[number]}")
            if number < 5:
                make_visit_type(doctor=doctor, price_cents=(5000, 5000, 7000, 6000, 6000)[number])
                make_slots(doctor=doctor, starts_at=tomorrow_at(9 + number // 2))
        return f"doctors?order={order}&", "id"

    return arrange


def free_times(_patient: User) -> tuple[str, str]:
    _visit_type, slots = bookable(count=7)
    return f"doctors/{slots[0].doctor_id}/slots?date={slots[0].starts_at:%Y-%m-%d}&", "slotId"


def own_bookings(patient: User) -> tuple[str, str]:
    for slot in make_slots(doctor=make_doctor(), count=7):
        make_appointment(slots=[slot], patient=patient)
    return "bookings?", "id"


def day_of_the_doctor(patient: User) -> tuple[str, str]:
    doctor = make_doctor(user=patient)
    slots = make_slots(doctor=doctor, count=7)
    for slot in slots:
        make_appointment(slots=[slot])
    return f"doctors/{doctor.pk}/appointments?date={slots[0].starts_at:%Y-%m-%d}&", "id"


LISTS = {
    "doctors by next free time": doctors_by("next_free"),
    "doctors by fee": doctors_by("fee"),
    "doctors by name": doctors_by("name"),
    "free times": free_times,
    "own bookings": own_bookings,
    "a doctor's day": day_of_the_doctor,
}
each_list = pytest.mark.parametrize("arrange", LISTS.values(), ids=LISTS)


def read(api: Api, path: str, key: str) -> tuple[Ids, dict[str, Any]]:
    response = api.get(path)
    assert response.status_code == 200, response.content[:300]
    body = response.json()
    assert set(body) == {"items", "pageInfo"}
    assert set(body["pageInfo"]) == {"page", "limit", "totalPages", "totalItems", "nextCursor"}
    return [item[key] for item in body["items"]], body["pageInfo"]


@each_list
def test_pages_offsets_and_cursors_walk_the_same_rows_once(arrange: Any) -> None:
    patient = make_patient()
    api = Api(patient)
    path, key = arrange(patient)
    everything, info = read(api, path, key)
    assert len(set(everything)) == 7
    assert info == {
        "page": 1,
        "limit": 20,
        "totalPages": 1,
        "totalItems": 7,
        "nextCursor": None,
    }
    by_page = [read(api, f"{path}limit=3&page={page}", key)[0] for page in (1, 2, 3)]
    by_offset = [read(api, f"{path}limit=3&offset={offset}", key)[0] for offset in (0, 3, 6)]
    assert [len(ids) for ids in by_page] == [3, 3, 1]
    assert by_page == by_offset
    assert list(chain.from_iterable(by_page)) == everything
    assert by_cursor(api, path, key) == everything


def by_cursor(api: Api, path: str, key: str) -> Ids:
    found, info = read(api, f"{path}limit=2", key)
    while info["nextCursor"]:
        ids, info = read(api, f"{path}limit=2&cursor={info['nextCursor']}", key)
        assert info["page"] is None
        assert info["totalItems"] == 7
        found += ids
    return found


@each_list
def test_page_beyond_the_end_is_empty(arrange: Any) -> None:
    patient = make_patient()
    path, key = arrange(patient)
    ids, info = read(Api(patient), f"{path}limit=3&page=9", key)
    assert ids == []
    assert info["totalPages"] == 3
    assert info["nextCursor"] is None


def forged(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@each_list
@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "%00",
        "é",
        "AAAA",
        forged([]),
        forged([[], {}]),
        forged(["a", "b", "c"]),
        forged({"a": 1}),
        forged(["no instant", "no id"]),
        forged(["2026-13-45T00:00:00Z", "x"]),
        forged(["no instant"]),
        forged([None]),
        forged([10**30, 10**30]),
        forged([True, False]),
        forged(["a\x00b", 1]),
        forged([1.5, 1]),
        forged(["\ud800", 1]),
        forged(["2026-13-45T00:00:00Z"]),
        forged(["2026-11-24T09:00:00", "01985f3e-0000-7000-8000-000000000001", 1]),
        base64.urlsafe_b64encode(b"[" * 3000).decode(),
    ],
    ids=lambda cursor: cursor[:12],
)
def test_forged_cursor_is_refused(arrange: Any, cursor: str) -> None:
    patient = make_patient()
    path, _key = arrange(patient)
    answer = Api(patient).get(f"{path}cursor={cursor}")
    if "%00" in cursor:
        problem(answer, code="malformed", status=400)
    else:
        assert pointers(problem(answer, code="validation", status=422)) == ["/cursor"]


@each_list
@pytest.mark.parametrize("limit", ["0", "101", "x", "-1", "1e2", "99999999999999999999"])
def test_limit_out_of_range_is_refused(arrange: Any, limit: str) -> None:
    patient = make_patient()
    path, _key = arrange(patient)
    answer = Api(patient).get(f"{path}limit={limit}")
    assert pointers(problem(answer, code="validation", status=422)) == ["/limit"]


def test_hundred_rows_are_the_most_of_one_answer() -> None:
    doctors_by("name")(make_patient())
    assert read(Api(), "doctors?limit=100", "id")[1]["limit"] == 100


def test_walk_by_cursor_neither_repeats_nor_misses_while_rows_come_and_go() -> None:
    doctors_by("name")(make_patient())
    api = Api()
    seen, info = read(api, "doctors?order=name&limit=3", "id")
    everything = list(Doctor.objects.order_by("name", "id").values_list("pk", flat=True))
    make_doctor(name="Dr AA, who comes before all")
    Doctor.objects.filter(pk=seen[0]).update(is_active=False)
    while info["nextCursor"]:
        path = f"doctors?order=name&limit=3&cursor={info['nextCursor']}"
        ids, info = read(api, path, "id")
        seen += ids
    assert seen == everything


@pytest.mark.parametrize(
    ("order", "values"),
    [
        ("fee", [10**12, 1]),
        ("fee", [-(10**12), 1]),
        ("fee", [None, 2**62]),
        ("name", ["", 0]),
        ("name", ["'; --", 1]),
        ("next_free", ["0001-01-01T00:00:00+00:00", 1]),
        ("next_free", ["9999-12-31T23:59:59-12:00", 1]),
    ],
)
def test_cursor_that_could_be_ours_but_is_far_out_has_an_answer(order: str, values: Any) -> None:
    doctors_by(order)(make_patient())
    assert Api().get(f"doctors?order={order}&cursor={forged(values)}").status_code == 200


@pytest.mark.parametrize("moment", ["2026-11-24T09:00:00", "2026-11-24", "20261124T090000Z0"])
def test_cursor_with_an_instant_that_names_no_zone_is_refused(moment: str) -> None:
    answer = Api().get(f"doctors?cursor={forged([moment, 1])}")
    assert pointers(problem(answer, code="validation", status=422)) == ["/cursor"]

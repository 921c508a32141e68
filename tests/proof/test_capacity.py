"""The model of capacity multiplies what was measured, and nothing else."""

import json

import pytest

from devstack.refusals import Refusal
from proof import capacity
from proof.capacity import Size, costs_of_a_booking

PAGES = {
    "CPU milliseconds of a request": [
        {"page": page, "CPU ms": "3.0", "web": "2.0", "postgres": "1.0", "valkey": "0.0"}
        for page in capacity.LOOKS
    ]
}
TOLD = {
    "Bookings": [{"revision": "here", "a minute": 1}],
    "CPU": [
        {"processes": "web", "here": "4.00", "range here": "3.00 to 5.00"},
        {"processes": "worker", "here": "6.00", "range here": "6.00 to 6.00"},
        {"processes": "postgres", "here": "3.00", "range here": "3.00 to 3.00"},
    ],
}


def test_costs_are_those_of_all_looks_and_of_the_booking() -> None:
    looks = sum(capacity.LOOKS.values())
    costs = costs_of_a_booking(TOLD, PAGES)
    assert costs["looking"] == {
        "web": 2.0 * looks, "worker": 0.0, "relay": 0.0, "postgres": 1.0 * looks, "valkey": 0.0,
    }  # fmt: skip
    assert costs["booking, told"] == {
        "web": 4.0, "worker": 6.0, "relay": 0.0, "postgres": 3.0, "valkey": 0.0,
    }  # fmt: skip


def test_cores_are_those_of_the_busiest_hour(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(capacity, "RESULTS", tmp_path)
    for suite, tables in (("told", TOLD), ("pages", PAGES)):
        record = {"revision": "abc", "database": {}, "tables": tables}
        (tmp_path / f"bench-{suite}.json").write_text(json.dumps(record))
    report = capacity.capacity(Size(busiest_hour=0.36, busy=0.5))
    rows = {row["bookings a day"]: row for row in report.tables[list(report.tables)[1]]}
    # 100 bookings a second, 6 ms each, on cores that may be busy half of the time.
    assert rows["1,000,000"]["worker"] == "1.20"
    assert rows["1,000,000"]["a second"] == "100.0"
    assert rows["10,000,000"]["worker"] == "12.00"


def test_without_records_it_says_what_to_run(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(capacity, "RESULTS", tmp_path)
    with pytest.raises(Refusal, match="SUITE=told"):
        capacity.capacity(Size())

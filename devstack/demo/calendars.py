"""Slots for every doctor of the demo, and the visits in some of them."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from random import Random
from threading import Lock

from django.db import connection

from devstack.demo.cast import DOCTOR, FEATURED, PATIENT_VISITS, PatientVisit
from devstack.demo.ledger import write_visits
from devstack.demo.people import Patient, demo_patient
from devstack.demo.places import City
from devstack.demo.practices import Practice
from devstack.demo.today import marked
from devstack.demo.visits import BUSY, FULL, ONE_WEEK, WEEKS_AHEAD, Planner, Visit, open_run
from doctors.recurrence import instant
from doctors.rules import GridSlot
from doctors.selectors.slots import grid_of_doctors
from doctors.services.expansion import expand_slots

# PostgreSQL uses nearly all the time, and a processor per connection.
WORKERS = 2
DOCTORS_A_STEP = 10
PAST_DAYS = 21
# The demo doctor has more, so that the page of numbers has something to show and to compare.
HISTORY_DAYS = 26 * 7

Grids = dict[int, list[GridSlot]]
_FEATURED_SLUGS = frozenset(featured.name.slug for featured in FEATURED)


def fill_calendars(
    practices: list[Practice],
    *,
    visitors: dict[City, list[Patient]],
    seed: int,
    now: datetime,
    marked_until: datetime,
    progress: Callable[[int], None] | None,
) -> None:
    """City by city, two at a time, the largest first. No patient visits two cities, so the result
    does not depend on which thread is faster.

    `now` is the midnight from which everything is drawn. `marked_until` is the instant to which
    practices have marked who came.
    """
    by_city: dict[City, list[Practice]] = defaultdict(list)
    for practice in practices:
        by_city[practice.city].append(practice)
    tally = _Tally(progress)
    pool = ThreadPoolExecutor(WORKERS)
    try:
        jobs = [
            pool.submit(
                _fill_city,
                by_city[city],
                planner=Planner(Random(f"{seed} {city.name}"), patients=visitors[city], now=now),
                now=now,
                marked_until=marked_until,
                tally=tally,
            )
            for city in sorted(by_city, key=lambda city: -len(by_city[city]))
        ]
        for job in jobs:
            job.result()
    finally:
        # After Ctrl-C or an error, no further city is begun.
        pool.shutdown(cancel_futures=True)


class _Tally:
    """Adds up what the threads have done."""

    def __init__(self, progress: Callable[[int], None] | None) -> None:
        self._progress, self._lock, self._done = progress, Lock(), 0

    def add(self, number: int) -> None:
        with self._lock:
            self._done += number
            if self._progress:
                self._progress(self._done)


def _fill_city(
    practices: list[Practice],
    *,
    planner: Planner,
    now: datetime,
    marked_until: datetime,
    tally: _Tally,
) -> None:
    try:
        for first in range(0, len(practices), DOCTORS_A_STEP):
            step = practices[first : first + DOCTORS_A_STEP]
            grids = _make_slots(step, now=now)
            plans = _plan(step, grids=grids, planner=planner, now=now)
            write_visits(list(marked(plans, since=now, now=marked_until)))
            tally.add(len(step))
    finally:
        connection.close()


def _make_slots(practices: list[Practice], *, now: datetime) -> Grids:
    """With the same expansion that beat runs daily. Featured doctors also get past weeks, and the
    demo doctor half a year.
    """
    ids = [practice.doctor.pk for practice in practices]
    with_past = [
        practice.doctor.pk for practice in practices if practice.doctor.slug in _FEATURED_SLUGS
    ]
    with_history = [each.doctor.pk for each in practices if each.doctor.slug == DOCTOR.slug]
    for some, days in ((with_history, HISTORY_DAYS), (with_past, PAST_DAYS)):
        if some:
            expand_slots(doctor_ids=some, now=now - timedelta(days=days), days=days)
    expand_slots(doctor_ids=ids, now=now)
    start = now - timedelta(days=HISTORY_DAYS)
    return grid_of_doctors(doctor_ids=ids, start=start, end=now + WEEKS_AHEAD * ONE_WEEK)


def _plan(
    practices: list[Practice], *, grids: Grids, planner: Planner, now: datetime
) -> Iterator[Visit]:
    yield from _visits_of_the_demo_patient(practices, grids=grids, planner=planner, now=now)
    for practice in practices:
        grid = grids.get(practice.doctor.pk, [])
        shares = FULL if practice.doctor.slug == DOCTOR.slug else BUSY
        yield from planner.plan(
            grid,
            visit_types=practice.visit_types,
            shares=shares,
            full_on=_full_days(practice, grid=grid, now=now),
        )


def _full_days(practice: Practice, *, grid: list[GridSlot], now: datetime) -> list[date]:
    """The demo doctor's next day, for which people wait."""
    if practice.doctor.slug != DOCTOR.slug:
        return []
    return sorted({slot.local_day for slot in grid if slot.local_day > now.date()})[:1]


def _visits_of_the_demo_patient(
    practices: list[Practice], *, grids: Grids, planner: Planner, now: datetime
) -> Iterator[Visit]:
    by_slug = {practice.doctor.slug: practice for practice in practices}
    for wish in PATIENT_VISITS:
        practice = by_slug.get(wish.doctor.slug)
        if practice is None:
            continue
        grid = grids.get(practice.doctor.pk, [])
        visit = _first_that_fits(wish, practice=practice, grid=grid, planner=planner, now=now)
        if visit:
            _take(grid, visit)
            yield visit


def _first_that_fits(
    wish: PatientVisit, *, practice: Practice, grid: list[GridSlot], planner: Planner, now: datetime
) -> Visit | None:
    [visit_type] = [each for each in practice.visit_types if each.name == wish.visit_type]
    day = now.date() + timedelta(days=wish.days)
    earliest = instant(day=day, at=wish.at, zone=practice.doctor.clinic.zone)
    for index, slot in enumerate(grid):
        run = open_run(grid, index, visit_type=visit_type) if slot.starts_at >= earliest else ()
        if run:
            return planner.book(
                run, visit_type=visit_type, patient=demo_patient(), status=wish.status
            )
    return None


def _take(grid: list[GridSlot], visit: Visit) -> None:
    """Later draws must see these slots as taken."""
    taken = {slot.id for slot in visit.slots}
    grid[:] = [slot._replace(state="booked") if slot.id in taken else slot for slot in grid]

"""What each page costs, beside the pages of another revision.

Both revisions run at once, each on engines of its own with the same demo clinics, and are asked in
turn: so the mood of the machine meets both. A page is asked for by browsers that are known already,
over kept connections.
"""

import os
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

from devstack.console import say
from devstack.interrupts import interrupts_noted
from devstack.refusals import Refusal
from proof.browser import Browser
from proof.client import Client
from proof.cpu import seconds_by_part, spent
from proof.figures import percentile
from proof.findings import Finding
from proof.report import Report, Row
from proof.revisions import code_of
from proof.stack import Stack, running_stack

PAGES = ("home", "list", "doctor", "day", "details", "code", "schedule", "week", "month")
PARTS = ("web", "postgres", "valkey")
DEMO = ("--days", "60", "--seed", "1")
DOCTOR, PASSWORD = "doctor@demo.docbook.test", "docbook-demo"
_HTMX = "HX-Request: true\r\nHX-Target: picker\r\n"


@dataclass(frozen=True)
class Size:
    rounds: int = 5
    seconds: float = 2.0
    connections: int = 4
    doctors: int = 300
    seed: int = 1


@dataclass(frozen=True)
class Asked:
    """A repeated request: a path, and the lines that say who asks and how."""

    path: str
    headers: str = ""


@dataclass(frozen=True)
class Load:
    """The load of one page in one round. CPU in milliseconds per request, by part; `times` in
    milliseconds, one per request.
    """

    requests_a_second: float
    times: list[float]
    cpu: dict[str, float]
    statements: float
    size: int
    wrong: list[str]

    @property
    def cpu_of_all(self) -> float:
        return sum(self.cpu.values())


@dataclass(frozen=True)
class Side:
    """One of the revisions, and the costs of its pages: one load per page and round."""

    name: str
    stack: Stack
    loads: dict[str, list[Load]]


def compare_pages(size: Size, *, against: str) -> Report:
    """`against` is a revision for git, or empty: then this one alone is measured."""
    load_before = [round(each, 2) for each in os.getloadavg()]
    with interrupts_noted() as interrupts, ExitStack() as running:
        here = Side("here", running.enter_context(running_stack(interrupts=interrupts)), {})
        sides = [here]
        if against:
            code = running.enter_context(code_of(against))
            stack = running.enter_context(running_stack(interrupts=interrupts, code=code))
            sides.append(Side(against, stack, {}))
        for side in sides:
            side.stack.manage("seed_demo", "--doctors", str(size.doctors), *DEMO)
            side.stack.let_planner_look()
        for number in range(size.rounds + 1):
            _one_round(sides, size, is_warm_up=number == 0)
        return _report(sides, size, load_before)


def _one_round(sides: Sequence[Side], size: Size, *, is_warm_up: bool) -> None:
    """Holds last for minutes, so each round has its own."""
    asked = {side.name: dict(_pages_of(side.stack)) for side in sides}
    for page in PAGES:
        for side in sides:
            load = _measure(side.stack, asked[side.name][page], size)
            if not is_warm_up:
                side.loads.setdefault(page, []).append(load)
    if not is_warm_up:
        costs = ", ".join(
            f"{page} " + "/".join(f"{side.loads[page][-1].cpu_of_all:.1f}" for side in sides)
            for page in PAGES
        )
        say(f"  CPU ms: {costs}")


def _pages_of(stack: Stack) -> Iterator[tuple[str, Asked]]:
    """Each page of PAGES, and how to ask for it. A guest goes from the list to the code."""
    guest = Browser(stack.url)
    yield "home", Asked("/")
    results = guest.get("/doctors/")
    yield "list", Asked("/doctors/", guest.cookie_line)
    doctor = guest.get(_first_doctor(stack))
    yield "doctor", Asked(_path(doctor.url), guest.cookie_line)
    days = doctor.links(css="day-free")
    if not days or not results.html:
        raise Refusal(f"{doctor.url} has no free day.")
    yield "day", Asked(days[-1]["href"].partition("#")[0], guest.cookie_line + _HTMX)
    day = guest.get(days[-1]["href"])
    form = day.form(action="/book/")
    details = guest.send(day, form, slot=form.buttons["slot"])
    yield "details", Asked(_path(details.url), guest.cookie_line)
    name = f"guest-{time.time_ns()}@example.org"
    person = {"first_name": "Iris", "last_name": "Guest", "email": name, "phone": "+31 6 12345678"}
    code = guest.send(details, details.form(action="/book/"), **person)
    yield "code", Asked(_path(code.url), guest.cookie_line)
    cookie = _cookie_of_doctor(stack)
    yield "schedule", Asked("/schedule/", cookie)
    yield "week", Asked("/schedule/?view=week", cookie)
    yield "month", Asked("/schedule/?view=month", cookie)


def _first_doctor(stack: Stack) -> str:
    """The doctor of the demo logins, who is the same in each revision."""
    sql = """
        SELECT slug FROM doctors_doctor JOIN accounts_user ON accounts_user.id = user_id
        WHERE email = %s
    """
    ((slug,),) = stack.rows(sql, DOCTOR)
    return f"/doctors/{slug}/"


def _cookie_of_doctor(stack: Stack) -> str:
    browser = Browser(stack.url)
    page = browser.get("/accounts/login/")
    after = browser.send(page, page.form(action="/login/"), login=DOCTOR, password=PASSWORD)
    if "/login/" in after.url:
        raise Refusal(f"{DOCTOR} cannot sign in.")
    return browser.cookie_line


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _measure(stack: Stack, asked: Asked, size: Size) -> Load:
    """Every connection asks, then every answer is read, so that several are under way."""
    clients = [Client(stack.url) for _ in range(size.connections)]
    statements, before, begun = _statements(stack), seconds_by_part(stack), time.monotonic()
    times: list[float] = []
    wrong, length = [], 0
    while time.monotonic() < begun + size.seconds:
        sent = []
        for client in clients:
            sent.append(time.monotonic())
            client.send("GET", asked.path, headers=asked.headers)
        for client, since in zip(clients, sent, strict=True):
            answer = client.receive()
            times.append(1000 * (time.monotonic() - since))
            length = len(answer.body)
            if answer.status != 200:
                wrong.append(f"{asked.path} answered {answer.status}")
    took, number = time.monotonic() - begun, len(times)
    cpu = spent(before, seconds_by_part(stack))
    for client in clients:
        client.close()
    return Load(
        requests_a_second=number / took,
        times=times,
        cpu={part: 1000 * cpu[part] / number for part in PARTS},
        statements=(_statements(stack) - statements) / number,
        size=length,
        wrong=wrong,
    )


def _statements(stack: Stack) -> int:
    """How many statements the serving role has sent; its BEGIN and COMMIT count too."""
    sql = """
        SELECT coalesce(sum(calls), 0) FROM pg_stat_statements
        WHERE query !~ 'pg_stat_statements'
    """
    ((calls,),) = stack.rows(sql)
    return int(calls)


def _report(sides: Sequence[Side], size: Size, load_before: Sequence[float]) -> Report:
    here, *others = sides
    tables: dict[str, Sequence[Row]] = {
        f"Pages of {side.name}": [_row(page, side.loads[page]) for page in PAGES] for side in sides
    }
    for other in others:
        title = f"CPU of a page here, as a share of {other.name}"
        tables[title] = [_ratio(page, here.loads[page], other.loads[page]) for page in PAGES]
    wrong = [
        f"{side.name}: {each}"
        for side in sides
        for loads in side.loads.values()
        for load in loads
        for each in load.wrong
    ]
    return Report(
        scenario="pages",
        seed=size.seed,
        database=here.stack.database_settings,
        tables=tables,
        figures={"load average before": str(load_before), "doctors": size.doctors},
        findings=[Finding("pages that were not answered with 200", len(wrong), tuple(wrong[:5]))],
    )


def _row(page: str, loads: Sequence[Load]) -> Row:
    costs = [load.cpu_of_all for load in loads]
    return {
        "page": page,
        "CPU ms": f"{statistics.median(costs):.1f}",
        "range": f"{min(costs):.1f} to {max(costs):.1f}",
        **{part: f"{statistics.median(load.cpu[part] for load in loads):.1f}" for part in PARTS},
        "requests/s": round(statistics.median(load.requests_a_second for load in loads)),
        "p99 ms": f"{percentile([each for load in loads for each in load.times], 0.99):.0f}",
        "statements": f"{statistics.median(load.statements for load in loads):.1f}",
        "bytes": loads[-1].size,
    }


def _ratio(page: str, here: Sequence[Load], there: Sequence[Load]) -> Row:
    """Round by round, as they were measured."""
    ratios = [a.cpu_of_all / b.cpu_of_all for a, b in zip(here, there, strict=True)]
    return {
        "page": page,
        "median": f"{statistics.median(ratios):.2f}",
        "range": f"{min(ratios):.2f} to {max(ratios):.2f}",
    }

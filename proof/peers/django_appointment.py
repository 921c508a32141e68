"""django-appointment by its web forms, as people who are signed in.

Pages are left out, as they are of DocBook: only what lists, asks for and makes an appointment is
sent.
"""

import json
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict

from devstack import programs
from devstack.ports import address, answers, free_port
from devstack.processes import Program
from devstack.refusals import Refusal
from proof.booker import WrongAnswer
from proof.peers.flows import Ask, Flow
from proof.peers.installed import Installed, run
from proof.peers.sides import Size, Visit, require
from proof.stack import START_TIMEOUT, Stack

SITE = Path(__file__).parent / "sites" / "django_appointment.py"
NAME = "django-appointment"
DATABASE = "peer"
MINUTES = timedelta(minutes=20)
# As many as DocBook's web processes have.
THREADS = "8"
_AT = "/appointment"
_SECRET = "c" * 32  # of the forms: the cookie's and the field's have to be the same


@dataclass(frozen=True)
class DjangoAppointment:
    """What its clients need: ids, and a session for each person."""

    name: str
    url: str
    database_url: str = field(repr=False)
    starts: Sequence[datetime]
    service: int
    staff: Sequence[int]
    sessions: Sequence[str]
    web: str = "peer"

    def make_ready(self) -> None:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute("ANALYZE")

    def look(self, visit: Visit) -> Flow:
        start = self.starts[visit.time]
        asked = {
            "selected_date": f"{start:%Y-%m-%d}",
            "staff_member": self.staff[visit.doctor],
            "service_id": self.service,
        }
        path = f"{_AT}/ajax/available_slots/?{urlencode(asked)}"
        headers = self._headers(visit) + "X-Requested-With: XMLHttpRequest\r\n"
        answer = require(200, (yield Ask("GET", path, headers=headers)))
        free = {each for each, _in_words in answer.data["available_slots"]}
        if f"{start:%Y-%m-%dT%H:%M:%S}" not in free:
            raise WrongAnswer("the time is not in the list")

    def book(self, visit: Visit) -> Flow:
        yield from self.look(visit)
        start = self.starts[visit.time]
        asked = {
            "date": f"{start:%Y-%m-%d}",
            "start_time": f"{start:%H:%M:%S}",
            "end_time": f"{start + MINUTES:%H:%M:%S}",
            "service": self.service,
            "staff_member": self.staff[visit.doctor],
        }
        answer = require(302, (yield self._form(visit, f"{_AT}/request-submit/", asked)))
        details = {
            "name": f"Patient {visit.person + 1}",
            "phone_0": "NL",
            "phone_1": "0612345678",
            "address": "Weg 1, Utrecht",
            "additional_info": "",
            "payment_type": "full",
        }
        answer = require(302, (yield self._form(visit, answer.header("Location"), details)))
        if "/thank-you/" not in answer.header("Location"):
            raise WrongAnswer(f"led to {answer.header('Location')}")

    def appointments(self, visit: Visit) -> int:
        sql = """
            SELECT count(*) FROM appointment_appointment AS made
            JOIN appointment_appointmentrequest AS asked ON asked.id = made.appointment_request_id
            WHERE staff_member_id = %s AND date = %s AND start_time = %s
        """
        start = self.starts[visit.time]
        values = (self.staff[visit.doctor], start.date(), start.time())
        with psycopg.connect(self.database_url) as connection:
            ((count,),) = connection.execute(sql, values).fetchall()
        return int(count)

    def _form(self, visit: Visit, path: str, fields: Mapping[str, object]) -> Ask:
        body = urlencode({"csrfmiddlewaretoken": _SECRET, **fields}).encode()
        return Ask("POST", path, body, self._headers(visit))

    def _headers(self, visit: Visit) -> str:
        return f"Cookie: sessionid={self.sessions[visit.person]}; csrftoken={_SECRET}\r\n"


def started(
    stack: Stack, size: Size, *, installed: Installed, starts: Sequence[datetime]
) -> DjangoAppointment:
    """Fills and serves its project beside DocBook, on the same PostgreSQL, in a database of its
    own. `starts` are the times that every doctor has.
    """
    name, port = f"{NAME} {installed.versions[NAME]}", free_port()
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE}".encode())
    database_url = stack.database_url.rpartition("/")[0] + f"/{DATABASE}"
    folder = stack.workshop.folder / "peer"
    folder.mkdir()
    shutil.copy(SITE, folder / "project.py")
    environment = _environment(database_url)
    counts = (str(size.doctors), str(size.people))
    words = run(installed.python, "project.py", *counts, folder=folder, environment=environment)
    found = json.loads(words.splitlines()[-1])  # the peer's log comes before
    part = stack.add(_server(installed.python, port=port, folder=folder, environment=environment))

    def is_ready() -> bool:
        part.require_life()
        return answers(port)

    if not stack.workshop.interrupts.wait_until(is_ready, timeout=START_TIMEOUT):
        raise Refusal(f"{name} did not answer within {START_TIMEOUT:.0f} s.")
    return DjangoAppointment(
        name=name, url=address(port), database_url=database_url, starts=starts, **found
    )


def _environment(database_url: str) -> dict[str, str]:
    parts = conninfo_to_dict(database_url)
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts["dbname"],
        "USER": parts["user"],
        "PASSWORD": parts["password"],
        "HOST": parts["host"],
        "PORT": parts["port"],
        "CONN_MAX_AGE": None,
    }
    return {"PEER_DATABASE": json.dumps(database), "SECRET_KEY": secrets.token_urlsafe(48)}


def _server(python: Path, *, port: int, folder: Path, environment: Mapping[str, str]) -> Program:
    """The command of DocBook's server, but by the peer's Python and with threads for WSGI."""
    _ours, *words = programs.web(port=port, environment={}).command
    other = {"docbook.rsgi:application": "project:application", "rsgi": "wsgi"}
    options = [other.get(str(word), str(word)) for word in words]
    return Program(
        name="peer",
        command=[python, *options, "--blocking-threads", THREADS],
        environment=environment,
        folder=folder,
    )

"""The real process that tells of changes, with a Valkey of its own, and clients that listen."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connection
from django.test import Client

from accounts.models import User
from devstack import programs
from devstack.interrupts import Interrupts
from devstack.ports import LOOPBACK, free_port
from devstack.processes import Process, Workshop, stop
from devstack.valkey import Valkey, start_valkey, wait_for_valkey
from tests.journeys.stack import PATIENCE, eventually


@dataclass
class Stream:
    """One open stream."""

    response: HTTPResponse
    client: HTTPConnection

    def leave(self) -> None:
        self.response.close()
        self.client.close()

    @property
    def status(self) -> int:
        return self.response.status

    def next(self, *, kind: str = "") -> dict[str, Any]:
        """The next event, or the next of this kind: its data, and its id as `place`. EOFError at
        the end of the stream.
        """
        place = ""
        while True:
            line = self.response.readline().decode()
            if not line:
                raise EOFError
            if line.startswith("id: "):
                place = line.removeprefix("id: ").strip()
            if line.startswith("data: "):
                told = json.loads(line.removeprefix("data: "))
                if not kind or told.get("kind") == kind:
                    return {"place": place, **told}

    def has_ended(self) -> bool:
        """Reads to the end."""
        while self.response.readline():
            pass
        return True


@dataclass
class Events:
    """`port` is that of the process itself, or of a web process that passes on to it."""

    process: Process
    valkey: Valkey
    port: int
    workshop: Workshop
    environment: dict[str, str]

    @contextmanager
    def behind_web(self) -> Iterator["Events"]:
        port = free_port()
        environment = self.environment | {"EVENTS_ADDRESS": f"{LOOPBACK}:{self.port}"}
        process = self.workshop.start(programs.web(port=port, environment=environment))
        try:
            web = replace(self, process=process, port=port)
            eventually(web.is_open, what="a web process that passes streams on")
            yield web
        finally:
            stop([process])

    def open(self, doctor_id: int, *, user: User | None, since: str = "") -> Stream:
        client = HTTPConnection(LOOPBACK, self.port, timeout=PATIENCE)
        headers = {"Host": "localhost"} | ({"Last-Event-ID": since} if since else {})
        if user is not None:
            browser = Client()
            browser.force_login(user)
            headers["Cookie"] = f"sessionid={browser.cookies['sessionid'].value}"
        client.request("GET", f"/events/doctors/{doctor_id}/", headers=headers)
        return Stream(client.getresponse(), client)

    def is_open(self) -> bool:
        """Whether streams are served: without a session, that is 401 and not 503."""
        try:
            return self.open(1, user=None).status == 401
        except (OSError, HTTPException):
            return False


@contextmanager
def events_process(folder: Path, **environment: str) -> Iterator[Events]:
    with ExitStack() as running:
        workshop = Workshop(folder=folder, interrupts=Interrupts())
        workshop.open()
        valkey = start_valkey(home=folder / "valkey", workshop=workshop, durable=False)
        running.callback(valkey.stop)
        wait_for_valkey(valkey, workshop=workshop)
        database = str(connection.settings_dict["NAME"])
        port = free_port()
        server = urlsplit(os.environ["DATABASE_URL"])
        environment = {
            "DJANGO_SETTINGS_MODULE": "docbook.settings.dev",
            "DATABASE_URL": urlunsplit(server._replace(path=f"/{database}")),
            "REDIS_URL": valkey.url(),
            "SECRET_KEY": settings.SECRET_KEY,
            **environment,
        }
        process = workshop.start(programs.events(port=port, environment=environment))
        running.callback(stop, [process])
        events = Events(process, valkey, port, workshop, environment)
        eventually(events.is_open, what="a process that tells of changes")
        yield events

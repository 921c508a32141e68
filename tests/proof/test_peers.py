"""The bench beside other schedulers, as far as it can be tested without one."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Barrier, Thread
from urllib.parse import parse_qs

import pytest

from devstack.refusals import Refusal
from proof.booker import WrongAnswer
from proof.client import Answer
from proof.peers.django_appointment import DjangoAppointment
from proof.peers.flows import Ask, Done, Flow, at_once, in_turn
from proof.peers.installed import installed_in
from proof.peers.sides import LOOKED_AT, WANTED, DocBook, Size, Visit, visits
from proof.peers.suite import Crowd, Load, Runs, promises, tables
from proof.stack import running_stack

MONDAY = datetime(2027, 1, 11, 8, tzinfo=UTC)
FEW = Size(doctors=3, people=60, crowd=20)


def wrong(status: int, location: str = "") -> Answer:
    return Answer(status, f"HTTP/1.1 {status} x\r\nLocation: {location}".encode(), b"")


def package(folder, name: str, version: str) -> None:
    about = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def test_without_a_peer_a_sentence_says_how_to_get_one():
    with pytest.raises(Refusal, match=r"pip install django-appointment"):
        installed_in("")


def test_folder_without_a_python_is_refused(tmp_path):
    with pytest.raises(Refusal, match=r"no virtual environment.*\n.*-m venv"):
        installed_in(str(tmp_path))


def test_environment_without_a_peer_is_refused():
    with pytest.raises(Refusal, match="none of the peers we know: django-appointment"):
        installed_in(sys.prefix)


def test_peer_without_its_queue_is_refused(tmp_path, monkeypatch):
    package(tmp_path, "django-appointment", "3.12.0")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    with pytest.raises(Refusal, match="has django-appointment, but not django-q2"):
        installed_in(sys.prefix)


def test_peer_is_found_with_its_version(tmp_path, monkeypatch):
    package(tmp_path, "django-appointment", "3.12.0")
    package(tmp_path, "django-q2", "1.11.1")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    found = installed_in(sys.prefix)

    assert found.name == "django-appointment"
    assert found.versions["django-appointment"] == "3.12.0"


def test_nobody_is_in_two_places_and_nobody_books_the_time_that_a_crowd_wants():
    every = list(visits(FEW))

    assert len({(each.person, each.time) for each in every}) == len(every)
    assert len({(each.doctor, each.time) for each in every}) == len(every) == 3 * WANTED
    assert {each.time for each in every}.isdisjoint({WANTED, LOOKED_AT})


@pytest.fixture
def url() -> Iterator[str]:
    """Answers with the path; /together waits for three callers."""
    together = Barrier(3, timeout=10)

    class Echo(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/together":
                together.wait()
            body = json.dumps({"path": self.path}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def twice(path: str) -> Flow:
    first = yield Ask("GET", path)
    second = yield Ask("GET", first.data["path"] + "/again")
    if second.data["path"] != "/a/again":
        raise WrongAnswer(second.data["path"])


def test_next_request_follows_from_the_last_answer_and_wrong_ones_are_counted_apart(url):
    def flows() -> Iterator[Flow]:
        yield twice("/b")
        while True:
            yield twice("/a")

    done = in_turn(url, flows(), connections=3, seconds=0.2)

    assert done.wrong == ["/b/again"]
    assert len(done.times) >= 3
    assert done.a_second == pytest.approx(len(done.times) / done.seconds)


def test_too_few_visits_are_refused(url):
    with pytest.raises(Refusal, match="Every time is booked"):
        in_turn(url, iter([twice("/a")]), connections=2, seconds=1)


def test_crowd_asks_before_anybody_is_answered(url):
    def one() -> Flow:
        yield Ask("GET", "/together")
        yield Ask("GET", "/together")

    assert len(at_once(url, [one() for _ in range(3)]).times) == 3


@pytest.fixture
def peer() -> DjangoAppointment:
    return DjangoAppointment(
        name="django-appointment 3",
        url="",
        database_url="",
        starts=[MONDAY, MONDAY + timedelta(minutes=20)],
        service=5,
        staff=[6],
        sessions=["session"],
    )


def times(*starts: str) -> Answer:
    body = {"available_slots": [[start, "in words"] for start in starts]}
    return Answer(200, b"", json.dumps(body).encode())


def test_peer_is_asked_for_the_list_then_sent_both_forms(peer):
    flow = peer.book(Visit(doctor=0, time=1, person=0))
    asked = next(flow)
    assert "selected_date=2027-01-11&staff_member=6&service_id=5" in asked.path

    request = flow.send(times("2027-01-11T08:20:00"))
    fields = parse_qs(bytes(request.body).decode())
    assert (fields["start_time"], fields["end_time"]) == (["08:20:00"], ["08:40:00"])
    assert fields["csrfmiddlewaretoken"][0] in request.headers

    details = flow.send(wrong(302, "/appointment/client-info/1/x/"))
    assert details.path == "/appointment/client-info/1/x/"
    with pytest.raises(StopIteration):
        flow.send(wrong(302, "/appointment/thank-you/1/"))


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([wrong(500)], "500 instead of 200"),
        ([times("2027-01-11T08:00:00")], "not in the list"),
        ([times("2027-01-11T08:20:00"), wrong(200)], "200 instead of 302"),
        (
            [times("2027-01-11T08:20:00"), wrong(302, "/client-info/"), wrong(302, "/code/")],
            "led to /code/",
        ),
    ],
)
def test_booking_of_a_peer_that_fails_is_none(peer, answers, said):
    flow = peer.book(Visit(doctor=0, time=1, person=0))
    next(flow)
    *before, last = answers
    for each in before:
        flow.send(each)

    with pytest.raises(WrongAnswer, match=said):
        flow.send(last)


def load(count: int, cpu: float, *wrongs: str) -> Load:
    done = Done(times=[10.0] * count, wrong=list(wrongs), seconds=2.0)
    return Load(done, {"web": cpu, "postgres": 1.0, "valkey": 0.0})


class Named:
    def __init__(self, name: str) -> None:
        self.name = name


def runs(name: str, loads: list[Load], *appointments: int) -> Runs:
    crowds = [Crowd(told=each, appointments=each) for each in appointments]
    return Runs(Named(name), iter([]), lists=loads, bookings=loads, crowds=crowds)


def test_report_has_medians_with_ranges_and_ratios_round_by_round():
    here = runs("DocBook", [load(40, 3.0), load(60, 1.0), load(90, 2.0)], 1, 1, 1)
    there = runs("other", [load(20, 7.0), load(20, 7.0), load(10, 7.0)], 50, 50, 49)

    bookings, _lists, crowd, ratios = tables([here, there], crowd=50).values()

    assert bookings[0]["a second"] == "30.0"
    assert bookings[0]["range"] == "20.0 to 45.0"
    assert bookings[0]["CPU ms"] == "3.00"
    assert [each["appointments"] for each in crowd] == ["1, 1, 1", "50, 50, 49"]
    assert (ratios[0]["median"], ratios[0]["range"]) == ("3.00", "2.00 to 9.00")


def test_only_docbook_promises_one_appointment_for_a_crowd():
    there = runs("other", [load(1, 1.0)], 50)

    def broken(*appointments: int) -> list[int]:
        here = runs("DocBook", [load(1, 1.0)], *appointments)
        return [each.broken for each in promises([here, there])]

    assert broken(1, 1) == [0, 0]
    assert broken(1, 2) == [0, 1]
    assert broken(0, 1) == [0, 1]


def test_wrong_answers_of_either_side_break_the_bench():
    here, there = runs("DocBook", [load(1, 1.0)], 1), runs("other", [load(1, 1.0, "500")], 50)

    wrongs, _crowd = promises([here, there])

    assert wrongs.broken == 2
    assert wrongs.examples[0] == "other: 500"


def test_docbook_is_looked_at_and_booked_and_a_crowd_gets_one_appointment():
    with running_stack(database={"shared_buffers": "128MB"}) as stack:
        docbook = DocBook(stack, FEW)
        docbook.make_ready()
        first = next(visits(FEW))
        assert len(at_once(docbook.url, [docbook.look(first)]).times) == 1
        assert docbook.appointments(first) == 0
        assert len(at_once(docbook.url, [docbook.book(first)]).times) == 1
        assert docbook.appointments(first) == 1

        crowd = at_once(
            docbook.url,
            [docbook.book(Visit(0, WANTED, person)) for person in range(FEW.crowd)],
        )

        assert len(crowd.times) == docbook.appointments(Visit(0, WANTED, 0)) == 1
        assert len(crowd.wrong) == FEW.crowd - 1

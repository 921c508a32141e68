"""The real process: who may listen, what they are told, and how a stream ends."""

from pathlib import Path

import pytest
import redis
from django.utils import timezone

from bookings.actors.practice_member import PracticeMember
from bookings.appointments.services.changes import mark_arrived
from bookings.models import Appointment
from devstack.processes import stop
from docbook.events.hub import MOST_OF_A_PERSON
from tests.bookings.acts import book, bookable, guest
from tests.bookings.parties import login_of
from tests.events.listening import events_process
from tests.factories import make_doctor, make_patient, make_secretary
from tests.journeys.stack import eventually

pytestmark = pytest.mark.django_db(transaction=True)


def a_visit() -> Appointment:
    visit_type, slots = bookable()
    return book(slots[0], visit_type=visit_type, holder=guest())


def arrives(visit: Appointment) -> None:
    member = PracticeMember(login_of(visit.doctor))
    mark_arrived(appointment_id=visit.pk, by=member, version=1, now=timezone.now())


def test_doctor_and_secretary_are_told_of_an_arrival_and_nothing_of_the_patient(tmp_path: Path):
    visit = a_visit()
    doctor, secretary = login_of(visit.doctor), make_secretary(doctor=visit.doctor)
    with events_process(tmp_path) as events:
        streams = [events.open(visit.doctor_id, user=each) for each in (doctor, secretary)]
        assert [each.next()["changed"] for each in streams] == [False, False]
        arrives(visit)
        day = visit.starts_at.astimezone(visit.zone).date().isoformat()
        for each in streams:
            told = each.next(kind="arrived")
            place = told.pop("place")
            assert told == {"day": day, "kind": "arrived"}
        # After a break, a client that has heard it is told that nothing is new; another looks.
        again = events.open(visit.doctor_id, user=doctor, since=place)
        assert again.next()["changed"] is False
        stale = events.open(visit.doctor_id, user=doctor, since="another-1")
        assert stale.next()["changed"] is True


def test_strangers_get_no_stream(tmp_path: Path):
    visit = a_visit()
    other = make_doctor()
    with events_process(tmp_path) as events:
        for stranger in (visit.patient, make_patient(), login_of(other)):
            assert events.open(visit.doctor_id, user=stranger).status == 404
        assert events.open(visit.doctor_id, user=None).status == 401
        assert events.open(visit.doctor_id, user=login_of(visit.doctor)).status == 200


def test_lost_right_ends_the_stream(tmp_path: Path):
    doctor = make_doctor()
    secretary = make_secretary(doctor=doctor)
    with events_process(tmp_path, EVENTS_STREAM_SECONDS="1") as events:
        stream = events.open(doctor.pk, user=secretary)
        assert stream.status == 200
        doctor.secretaries.all().delete()
        assert stream.has_ended()
        assert events.open(doctor.pk, user=secretary).status == 404


def test_many_streams_share_one_connection_to_redis_and_a_person_has_only_some(tmp_path: Path):
    doctor = make_doctor()
    people = [login_of(doctor), *(make_secretary(doctor=doctor) for _ in range(2))]
    with events_process(tmp_path) as events:
        streams = [
            events.open(doctor.pk, user=each) for each in people for _ in range(MOST_OF_A_PERSON)
        ]
        assert {each.status for each in streams} == {200}
        with redis.from_url(events.valkey.url()) as client:
            subscribed = [each for each in client.client_list() if each["psub"] != "0"]
        assert len(subscribed) == 1
        refused = events.open(doctor.pk, user=people[0])
        assert refused.status == 503
        assert refused.response.headers["Retry-After"]


def test_streams_end_without_redis_and_none_begins(tmp_path: Path):
    doctor = make_doctor()
    with events_process(tmp_path) as events:
        stream = events.open(doctor.pk, user=login_of(doctor))
        assert stream.status == 200
        events.valkey.stop()
        assert stream.has_ended()
        assert events.open(doctor.pk, user=login_of(doctor)).status == 503


def test_process_that_is_told_to_stop_ends_its_streams_first(tmp_path: Path):
    doctor = make_doctor()
    with events_process(tmp_path) as events:
        streams = [events.open(doctor.pk, user=login_of(doctor)) for _ in range(3)]
        assert {each.status for each in streams} == {200}
        events.process.ask_to_stop()
        assert all(each.has_ended() for each in streams)
        assert eventually(events.process.has_ended, what="an end of the process")
        assert events.process.popen.returncode == 0


def test_web_passes_streams_on_and_stops_without_waiting_for_them(tmp_path: Path):
    visit = a_visit()
    doctor = login_of(visit.doctor)
    with events_process(tmp_path) as events, events.behind_web() as web:
        assert web.open(visit.doctor_id, user=visit.patient).status == 404
        stream = web.open(visit.doctor_id, user=doctor)
        assert stream.response.headers["Content-Type"] == "text/event-stream"
        assert stream.next()["changed"] is False
        arrives(visit)
        assert stream.next(kind="arrived")["kind"] == "arrived"
        # A client that leaves leaves at both: the person has room for the next one.
        others = [web.open(visit.doctor_id, user=doctor) for _ in range(MOST_OF_A_PERSON - 1)]
        assert web.open(visit.doctor_id, user=doctor).status == 503
        others[0].leave()
        eventually(
            lambda: web.open(visit.doctor_id, user=doctor).status == 200, what="room for a stream"
        )
        web.process.ask_to_stop()
        assert stream.has_ended()
        assert eventually(web.process.has_ended, what="an end of the web process")
        assert web.process.popen.returncode == 0


def test_web_says_so_when_nobody_tells_of_changes(tmp_path: Path):
    doctor = make_doctor()
    with events_process(tmp_path) as events, events.behind_web() as web:
        stop([events.process])
        assert web.open(doctor.pk, user=login_of(doctor)).status == 503

"""What a calendar reads at the address of a feed, and who gets nothing there."""

import json
import logging
import shutil
import subprocess
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from icalendar import Calendar, vText
from structlog.stdlib import ProcessorFormatter

from bookings.actors.practice_member import PracticeMember
from bookings.appointments.services.changes import cancel_appointment, mark_arrived
from bookings.appointments.services.moves import move_appointment
from bookings.models import CalendarFeed
from bookings.schedule.feeds import views
from bookings.schedule.feeds.calendar_file import feed_calendar
from bookings.schedule.feeds.selectors import visits_of
from bookings.schedule.feeds.services import make_feed, revoke_feed
from devstack import npm
from devstack.layout import ROOT
from docbook.audit.models import AuditEvent
from docbook.errors import NotYours
from docbook.http.throttling import POLICIES
from tests.bookings.acts import as_patient, book, bookable
from tests.bookings.schedule.feeds import Feed, feed_of, uid_of, visit_in
from tests.factories import (
    make_admin,
    make_doctor,
    make_patient,
    make_secretary,
    make_slots,
    make_user,
    tomorrow_at,
)
from tests.limits import allow

pytestmark = pytest.mark.django_db

CALENDAR_TOOLS = ROOT / "devstack" / "calendar_tools"
HOSTILE = 'Ask, then; wait: "now"\\n\nBEGIN:VEVENT\r\nUID:x 👩🏽‍⚕️ ' + "é€😀," * 250


def practice(feed: Feed) -> PracticeMember:
    return PracticeMember(feed.made_by)


def by_ical_js(content: bytes) -> list[dict[str, Any]]:
    """The events as ical.js reads them, a parser with no line in common with ours."""
    if not npm.is_here():
        pytest.skip("ical.js needs node and npm")
    tools = npm.programs(CALENDAR_TOOLS, name="calendar-tools").parents[1]
    script = shutil.copy(CALENDAR_TOOLS / "read.mjs", tools)
    done = subprocess.run(["node", script], input=content, capture_output=True, check=True)
    return list(json.loads(done.stdout))


def test_event_says_when_what_and_where_and_nothing_of_the_patient() -> None:
    feed = feed_of()
    visit = visit_in(feed, name="Skin check", patient_name="Hanna Lindqvist", reason="A rash")
    event = feed.event()
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (visit.starts_at, visit.ends_at)
    assert event["UID"] == uid_of(visit)
    assert event["SUMMARY"] == "Skin check"
    assert event["LOCATION"] == "Huid & Haar Kliniek, Maliebaan 42, 3581 CR Utrecht"
    said = [event[name] for name in ("STATUS", "TRANSP", "CLASS", "SEQUENCE")]
    assert said == ["CONFIRMED", "OPAQUE", "PRIVATE", 1]
    assert f"/schedule/?doctor={feed.doctor.pk}&date={visit.starts_at.date()}" in event["URL"]
    content = feed.read().decode()
    assert not [word for word in ("Hanna", "rash", visit.patient.email) if word in content]
    assert all(len(line.encode()) <= 75 for line in content.split("\r\n"))


def test_names_are_in_it_only_when_switched_on_and_the_audit_says_so_once_a_day() -> None:
    feed = feed_of(with_names=True)
    visit_in(feed, name="Check", patient_name="Hanna Lindqvist")
    assert feed.event()["SUMMARY"] == "Check: Hanna Lindqvist"
    feed.read()
    read = AuditEvent.objects.get(action="patients.read")
    assert (read.actor_kind, read.object_id) == ("doctor", str(feed.doctor.pk))
    assert read.after["through"] == "calendar feed"
    assert feed.row.last_read_on is not None
    other = feed_of()
    other.read()
    assert AuditEvent.objects.filter(action="patients.read").count() == 1


def test_calendar_says_its_name_and_how_often_to_look() -> None:
    feed = feed_of()
    answer = feed.get()
    calendar = Calendar.from_ical(answer.content)
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert calendar["NAME"] == calendar["X-WR-CALNAME"] == "Dr Emma Visser · DocBook"
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT30M\r\n" in answer.content
    assert feed.token.encode() not in answer.content
    assert calendar.subcomponents  # even without a visit


def test_both_parsers_follow_an_arrival_a_move_and_a_cancellation() -> None:
    feed = feed_of()
    slots = make_slots(doctor=feed.doctor, count=4)
    here, away, off = (visit_in(feed, slots=[slot]) for slot in slots[:3])
    by, now = practice(feed), timezone.now()
    known = feed.get().headers["ETag"]
    mark_arrived(appointment_id=here.pk, by=by, version=1, now=now)
    given = {"by": by, "version": 1, "reason": "The doctor is ill.", "now": now}
    moved = move_appointment(appointment_id=away.pk, slot_id=slots[3].pk, **given)
    cancel_appointment(appointment_id=off.pk, **given)
    expected = {
        uid_of(here): (2, "CONFIRMED"),
        uid_of(away): (2, "CANCELLED"),
        uid_of(moved): (moved.version, "CONFIRMED"),
        uid_of(off): (2, "CANCELLED"),
    }
    answer = feed.get(**{"If-None-Match": known})
    assert answer.status_code == 200
    events = Calendar.from_ical(answer.content).walk("VEVENT")
    assert {str(e["UID"]): (e["SEQUENCE"], e["STATUS"]) for e in events} == expected
    assert all(e["LAST-MODIFIED"].dt == e["DTSTAMP"].dt for e in events)
    read = by_ical_js(answer.content)
    assert {each["uid"]: (each["sequence"], each["status"]) for each in read} == expected
    starts = {each["uid"]: each["start"] for each in read}
    assert starts[uid_of(moved)] == f"{moved.starts_at:%Y-%m-%dT%H:%M:%SZ}"


def test_what_was_cancelled_stays_for_a_month_and_past_visits_too(time_machine: Any) -> None:
    feed = feed_of()
    soon = visit_in(feed)
    later = visit_in(feed, slots=make_slots(doctor=feed.doctor, starts_at=tomorrow_at(days=50)))
    cancel_appointment(
        appointment_id=later.pk, by=practice(feed), version=1, reason="Ill.", now=timezone.now()
    )
    assert set(feed.events()) == {uid_of(soon), uid_of(later)}
    time_machine.move_to(tomorrow_at(days=31))
    assert set(feed.events()) == {uid_of(soon)}
    time_machine.move_to(tomorrow_at(days=34))
    assert feed.events() == {}


def test_hostile_text_comes_through_both_parsers_as_it_is() -> None:
    feed = feed_of(with_names=True)
    visit = visit_in(feed, name="A, b; c\\d\n👩🏽‍⚕️")
    place = HOSTILE.replace("\r\n", "\n")[:120]
    type(visit).objects.filter(pk=visit.pk).update(
        patient_name=HOSTILE.replace("\r\n", "\n")[:161], place_name=place, version=2
    )
    content = feed.read()
    title = f"A, b; c\\d\n👩🏽‍⚕️: {HOSTILE.replace(chr(13), '')[:161]}"
    event = feed.event()
    assert event["SUMMARY"] == title
    assert event["LOCATION"].startswith(place)
    (read,) = by_ical_js(content)
    assert (read["summary"], read["location"][: len(place)]) == (title, place)


def test_thousand_characters_survive_the_folding() -> None:
    feed = feed_of(with_names=True)
    text = HOSTILE.replace("\r\n", "\n")[:1000]
    visit_in(feed)
    row = feed.row
    (visit,) = visits_of(row, day=timezone.now().date())
    row.doctor.name = visit.patient_name = text
    content = feed_calendar(row, [visit])
    calendar = Calendar.from_ical(content)
    # icalendar does not know these names, and reads them without taking the escapes away.
    escaped = vText(f"{text} · DocBook").to_ical().decode()
    assert calendar["NAME"] == calendar["X-WR-CALNAME"] == escaped
    assert calendar.walk("VEVENT")[0]["SUMMARY"] == f"Check: {text}"
    assert by_ical_js(content)[0]["summary"] == f"Check: {text}"
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))


def test_tag_and_date_give_304_and_head_has_no_body() -> None:
    feed = feed_of()
    visit_in(feed)
    first = feed.get()
    tag, date = first.headers["ETag"], first.headers["Last-Modified"]
    for known in ({"If-None-Match": tag}, {"If-Modified-Since": date}):
        again = feed.get(**known)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["Cache-Control"] == "private, no-cache"
    head = feed.reader.head(feed.url)
    assert (head.status_code, head.content, head.headers["ETag"]) == (200, b"", tag)


def ends_of_access() -> dict[str, Any]:
    def revoked(feed: Feed) -> None:
        revoke_feed(doctor=feed.doctor, by=practice(feed), now=timezone.now())

    def replaced(feed: Feed) -> None:
        feed_of(feed.doctor, by=feed.made_by)

    def unassigned(feed: Feed) -> None:
        feed.made_by.secretary_assignments.all().delete()

    def switched_off(feed: Feed) -> None:
        type(feed.made_by).objects.filter(pk=feed.made_by.pk).update(is_active=False)

    return {each.__name__: each for each in (revoked, replaced, unassigned, switched_off)}


@pytest.mark.parametrize("end", ends_of_access())
def test_address_that_opens_nothing_any_more_is_answered_like_an_unknown_one(end: str) -> None:
    doctor = make_doctor(user=make_user())
    feed = feed_of(doctor, by=make_secretary(doctor=doctor))
    assert feed.get().status_code == 200
    ends_of_access()[end](feed)
    with CaptureQueriesContext(connection) as asked:
        gone = feed.get()
    with CaptureQueriesContext(connection) as asked_for_unknown:
        unknown = Client().get(f"/calendar/{'x' * 43}.ics")
    assert (gone.status_code, unknown.status_code) == (404, 404)
    assert len(asked) == len(asked_for_unknown) == 1
    assert {*gone.headers} == {*unknown.headers}


def test_doctor_who_gets_another_login_takes_the_feed_from_the_old_one() -> None:
    feed = feed_of()
    type(feed.doctor).objects.filter(pk=feed.doctor.pk).update(user=make_user())
    assert feed.get().status_code == 404


def test_token_is_nowhere_in_the_database_and_two_are_never_the_same() -> None:
    feed = feed_of()
    assert feed.token not in repr(list(CalendarFeed.objects.values()))
    assert feed.token not in repr(list(AuditEvent.objects.values()))
    assert len(feed.token) == 43
    assert feed_of(feed.doctor).token != feed.token


@pytest.mark.parametrize("who", [make_patient, make_admin])
def test_nobody_else_makes_or_revokes_a_feed(who: Any) -> None:
    feed, stranger = feed_of(), PracticeMember(who())
    with pytest.raises(NotYours):
        make_feed(doctor=feed.doctor, by=stranger, with_names=False, now=timezone.now())
    with pytest.raises(NotYours):
        revoke_feed(doctor=feed.doctor, by=stranger, now=timezone.now())
    assert CalendarFeed.objects.filter(revoked_at=None).count() == 1


def test_queries_do_not_grow_with_the_visits() -> None:
    feed = feed_of()
    slots = make_slots(doctor=feed.doctor, count=12)
    visit_in(feed, slots=slots[:1])
    feed.read()
    with CaptureQueriesContext(connection) as few:
        feed.read()
    for slot in slots[1:]:
        visit_in(feed, slots=[slot])
    with CaptureQueriesContext(connection) as many:
        assert len(feed.events()) == 12
    assert len(few) == len(many) == 2


def test_patients_own_file_has_another_uid() -> None:
    visit_type, slots = bookable()
    doctor = visit_type.doctor
    doctor.user = make_user()
    doctor.save()
    visit = book(slots[0], visit_type=visit_type, holder=as_patient(make_patient()))
    own = Client()
    own.force_login(visit.patient)
    (theirs,) = Calendar.from_ical(own.get(f"/appointments/{visit.pk}/calendar.ics").content).walk(
        "VEVENT"
    )
    assert theirs["UID"] != feed_of(doctor).event()["UID"]


@pytest.mark.parametrize("name", ["feed", "feed-network"])
def test_calendar_that_asks_too_often_is_told_when_to_come_back(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(monkeypatch, **{name.replace("-", "_"): 2})
    feed = feed_of()
    answers = [feed.get() for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 429]
    assert 0 < int(answers[2].headers["Retry-After"]) <= POLICIES[name].rate.seconds
    assert feed_of().get().status_code == (200 if name == "feed" else 429)


def broken(*_args: object, **_options: object) -> None:
    raise ZeroDivisionError


def gone(*_args: object, **_options: object) -> None:
    raise OperationalError


@pytest.mark.parametrize(("fault", "status"), [(None, 200), (broken, 500), (gone, 503)])
def test_token_is_in_no_line_of_the_log(
    fault: Any, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django's own line about a failure would show the path."""
    root, written = logging.getLogger(), StringIO()
    (handler,) = (each for each in root.handlers if isinstance(each.formatter, ProcessorFormatter))
    monkeypatch.setattr(handler, "stream", written)
    feed = feed_of()
    feed.reader = Client(raise_request_exception=False)
    if fault:
        monkeypatch.setattr(views, "visits_of", fault)
    assert feed.get().status_code == status
    assert "calendar/<str:token>.ics" in written.getvalue()
    assert feed.token not in written.getvalue()


def test_calendar_that_asks_in_the_clear_is_refused_and_not_led_on(settings: Any) -> None:
    """A calendar would follow a redirect, and send its key in the clear the next time too."""
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_REDIRECT_EXEMPT = ["^calendar/"]
    feed = feed_of()
    assert feed.get().status_code == 403
    assert feed.reader.get(feed.url, secure=True).status_code == 200


def test_feed_that_was_read_yesterday_is_noted_again(time_machine: Any) -> None:
    feed = feed_of()
    feed.read()
    before = feed.row.last_read_on
    assert before is not None
    time_machine.move_to(timezone.now() + timedelta(days=1))
    feed.read()
    assert feed.row.last_read_on == before + timedelta(days=1)

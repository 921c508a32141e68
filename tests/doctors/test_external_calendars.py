"""Calendars elsewhere: busy times take slots away and give them back, and never touch a visit."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.conf import settings as current
from django.db import connection
from django.test.utils import CaptureQueriesContext
from uuid_utils.compat import uuid7

from docbook.audit import services as audit
from docbook.audit.models import AuditEvent
from docbook.errors import FieldError
from doctors.models import BusyPeriod, Doctor, ExternalCalendar, Slot, SlotExpansion, SlotState
from doctors.services import external_calendars
from doctors.services.calendar_reading import checked_address
from doctors.services.expansion import expand_slots
from doctors.services.external_calendars import (
    EVERY,
    LONGEST_PAUSE,
    MOST_CALENDARS,
    claim_due,
    connect_address,
    connect_file,
    disconnect_calendar,
    host_of,
    read_calendar,
    renew_kept_addresses,
)
from doctors.services.slot_expansions import carry_out
from tests.doctors.calendars import calendar, event
from tests.factories import make_doctor, make_override, make_rule, make_user, tomorrow_at
from tests.http.servers import saying, serving

pytestmark = pytest.mark.django_db

NOW = tomorrow_at(6, days=0)
BUSY = (NOW + timedelta(days=1, hours=3), NOW + timedelta(days=1, hours=4))  # from 09:00 UTC


class Elsewhere:
    """A calendar on a server of this machine, which says what its `content` is by then."""

    def __init__(self, *events: str) -> None:
        self.status, self.headers, self.asked = 200, {}, []
        self.content = calendar(*events)

    def __call__(self, handler: Any) -> None:
        self.asked.append(dict(handler.headers))
        saying(self.content, status=self.status, **self.headers)(handler)


def practice() -> Doctor:
    """Slots of half an hour, from 09:00 to 11:00 UTC of each of four days."""
    doctor = make_doctor(user=make_user(), slot_minutes=30, horizon_days=5)
    doctor.clinic.time_zone = "UTC"
    doctor.clinic.save()
    make_rule(doctor=doctor, starts=time(9), ends=time(11))
    expand_slots(doctor_ids=[doctor.pk], now=NOW)
    return doctor


def connect(doctor: Doctor, address: str, **fields: Any) -> ExternalCalendar:
    given = {"name": "Own", "by": audit.Actor("doctor", doctor.user_id), "user": doctor.user}
    return connect_address(doctor=doctor, address=address, now=NOW, **given | fields)


def upload(doctor: Doctor, *events: str) -> ExternalCalendar:
    given = {"name": "Own", "by": audit.Actor("doctor", doctor.user_id), "user": doctor.user}
    return connect_file(doctor=doctor, content=calendar(*events), now=NOW, **given)


def carry_out_all() -> int:
    """As the worker does; returns how many changes of hours there were."""
    asked = SlotExpansion.objects.filter(finished_at=None).order_by("pk")
    return len([carry_out(expansion_id=each.pk, now=NOW) for each in asked])


def tomorrows(doctor: Doctor) -> list[str]:
    day = NOW.date() + timedelta(days=1)
    slots = Slot.objects.filter(doctor=doctor, starts_at__date=day).order_by("starts_at")
    return [f"{slot.starts_at:%H:%M}" for slot in slots]


def test_busy_times_go_and_come_back() -> None:
    doctor, elsewhere = practice(), Elsewhere(event(*BUSY))
    whole = tomorrows(doctor)
    assert whole == ["09:00", "09:30", "10:00", "10:30"]
    with serving(elsewhere) as address:
        connected = connect(doctor, address)
        assert carry_out_all() == 1
        assert tomorrows(doctor) == ["10:00", "10:30"]
        elsewhere.content = calendar(
            event(BUSY[0] + timedelta(hours=1), BUSY[1] + timedelta(hours=1))
        )
        assert read_calendar(calendar_id=connected.pk, now=NOW)
        carry_out_all()
        assert tomorrows(doctor) == ["09:00", "09:30"]
        elsewhere.content = calendar()
        read_calendar(calendar_id=connected.pk, now=NOW)
        carry_out_all()
        assert tomorrows(doctor) == whole


def test_part_of_a_slot_that_is_busy_takes_the_slot() -> None:
    doctor = practice()
    upload(doctor, event(BUSY[0] + timedelta(minutes=20), BUSY[0] + timedelta(minutes=31)))
    carry_out_all()
    assert tomorrows(doctor) == ["10:00", "10:30"]


def test_disconnecting_frees_the_times() -> None:
    doctor = practice()
    connected = upload(doctor, event(*BUSY))
    carry_out_all()
    by = audit.Actor("doctor", doctor.user_id)
    assert disconnect_calendar(calendar=connected, by=by, user=doctor.user)
    assert not disconnect_calendar(calendar=connected, by=by, user=doctor.user)
    assert carry_out_all() == 1
    assert tomorrows(doctor) == ["09:00", "09:30", "10:00", "10:30"]
    assert not BusyPeriod.objects.exists()


@pytest.mark.parametrize("state", [SlotState.HELD, SlotState.BOOKED, SlotState.BLOCKED])
def test_held_and_booked_times_stay(state: str) -> None:
    doctor = practice()
    slot = Slot.objects.filter(doctor=doctor, starts_at=BUSY[0]).get()
    slot.state = state
    slot.hold_id = None if state == SlotState.BLOCKED else uuid7()
    in_a_while = datetime.now(UTC) + timedelta(minutes=5)
    slot.held_until = in_a_while if state == SlotState.HELD else None
    slot.save()
    upload(doctor, event(*BUSY))
    carry_out_all()
    assert tomorrows(doctor) == ["09:00", "10:00", "10:30"]
    slot_now = Slot.objects.get(pk=slot.pk)
    assert (slot_now.state, slot_now.hold_id) == (state, slot.hold_id)


def test_busy_times_of_several_calendars_and_time_off_count_together() -> None:
    doctor = practice()
    upload(doctor, event(*BUSY))
    upload(doctor, event(BUSY[0] + timedelta(minutes=30), BUSY[1] + timedelta(minutes=30)))
    day = NOW.date() + timedelta(days=1)
    make_override(doctor=doctor, first_day=day, last_day=day, starts=time(10, 45))
    carry_out_all()
    assert tomorrows(doctor) == []
    later = make_doctor()
    assert not ExternalCalendar.objects.filter(doctor=later).exists()


def test_reading_that_finds_nothing_new_writes_no_times() -> None:
    doctor, elsewhere = practice(), Elsewhere(event(*BUSY))
    with serving(elsewhere) as address:
        connected = connect(doctor, address)
        carry_out_all()
        before = list(BusyPeriod.objects.values_list("pk", flat=True))
        with CaptureQueriesContext(connection) as queries:
            assert read_calendar(calendar_id=connected.pk, now=NOW + EVERY)
    assert list(BusyPeriod.objects.values_list("pk", flat=True)) == before
    assert not [q for q in queries if "busyperiod" in q["sql"] and "SELECT" not in q["sql"]]
    assert not SlotExpansion.objects.filter(finished_at=None).exists()
    connected.refresh_from_db()
    assert connected.read_at == NOW + EVERY


def test_calendar_that_has_not_changed_is_not_sent_again_until_further_days_are_needed() -> None:
    doctor, elsewhere = practice(), Elsewhere(event(*BUSY))
    elsewhere.headers = {"ETag": '"one"'}
    with serving(elsewhere) as address:
        connected = connect(doctor, address)
        elsewhere.status = 304
        assert read_calendar(calendar_id=connected.pk, now=NOW + EVERY)
        assert elsewhere.asked[-1]["If-None-Match"] == '"one"'
        elsewhere.status = 200
        assert read_calendar(calendar_id=connected.pk, now=NOW + timedelta(days=31))
        assert "If-None-Match" not in elsewhere.asked[-1]
    assert BusyPeriod.objects.count() == 0  # those of a month ago


def test_calendar_in_trouble_keeps_its_times_and_is_asked_less_often() -> None:
    doctor, elsewhere = practice(), Elsewhere(event(*BUSY))
    with serving(elsewhere) as address:
        connected = connect(doctor, address)
        elsewhere.content = b"<html>Sign in</html>"
        pauses = []
        for _again in range(8):
            assert not read_calendar(calendar_id=connected.pk, now=NOW + EVERY)
            connected.refresh_from_db()
            pauses.append(connected.next_at - NOW - EVERY)
        assert connected.trouble == "not-a-calendar"
        assert (connected.failing_since, connected.read_at) == (NOW + EVERY, NOW)
        assert connected.periods.count() == 1
        spread = timedelta(seconds=120)
        assert EVERY <= pauses[0] < EVERY + spread
        assert 2 * EVERY <= pauses[1] < 2 * EVERY + spread
        assert LONGEST_PAUSE <= pauses[7] < LONGEST_PAUSE + spread
        elsewhere.content = calendar()
        assert read_calendar(calendar_id=connected.pk, now=NOW + 2 * EVERY)
    connected.refresh_from_db()
    assert (connected.trouble, connected.failing_since, connected.failures) == ("", None, 0)
    assert connected.periods.count() == 0


def test_calendar_that_cannot_be_read_is_not_connected() -> None:
    doctor, elsewhere = practice(), Elsewhere()
    elsewhere.content = b"<html>"
    with serving(elsewhere) as address, pytest.raises(FieldError) as refused:
        connect(doctor, address)
    assert (refused.value.field, refused.value.field_code) == ("address", "not-a-calendar")
    assert not ExternalCalendar.objects.exists()
    assert not SlotExpansion.objects.exists()


def test_own_feed_is_refused() -> None:
    for address in (f"{current.SITE_URL}/calendar/abc.ics", "webcal://docbook.test/calendar/x"):
        with pytest.raises(external_calendars.CalendarTrouble) as refused:
            checked_address(address.replace("docbook.test", current.SITE_URL.split("/")[2]))
        assert refused.value.code == "own-feed"
    content = (
        b"BEGIN:VCALENDAR\r\nPRODID:-//DocBook//DocBook//EN\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"
    )
    with serving(saying(content)) as address, pytest.raises(FieldError) as refused:
        connect(practice(), address)
    assert refused.value.field_code == "own-feed"


def test_address_is_connected_once_and_there_is_a_limit() -> None:
    doctor = practice()
    with serving(Elsewhere()) as address:
        connect(doctor, address)
        with pytest.raises(FieldError) as refused:
            connect(doctor, address)
        assert refused.value.field_code == "connected-already"
        connect(practice(), address)  # of another doctor
    for _more in range(MOST_CALENDARS - 1):
        upload(doctor)
    with pytest.raises(FieldError) as refused:
        upload(doctor)
    assert refused.value.field_code == "too-many-calendars"


def test_address_is_kept_encrypted_and_nothing_private_is_kept() -> None:
    doctor = practice()
    private = f"{event(*BUSY)}|SUMMARY:Therapy|LOCATION:Home|DESCRIPTION:secret"
    with serving(Elsewhere(private)) as address:
        secret = address.replace("busy.ics", "private-0123456789/basic.ics")
        connected = connect(doctor, secret)
        assert read_calendar(calendar_id=connected.pk, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT string_agg(c::text, ' ') FROM doctors_externalcalendar AS c)"
            " || (SELECT string_agg(p::text, ' ') FROM doctors_busyperiod AS p)"
            " || (SELECT string_agg(a::text, ' ') FROM audit_auditevent AS a)"
            " || (SELECT string_agg(o::text, ' ') FROM outbox_outboxmessage AS o)"
        )
        [written] = cursor.fetchone()
    for word in ("private-0123456789", "127.0.0.1", "Therapy", "Home", "secret"):
        assert word not in written
    assert host_of(connected) == "127.0.0.1"


def test_address_follows_a_new_key(settings: Any) -> None:
    with serving(Elsewhere()) as address:
        connected = connect(practice(), address)
    old = settings.SECOND_FACTOR_KEYS
    settings.SECOND_FACTOR_KEYS = ["n" * 40, *old]
    assert renew_kept_addresses() == 1
    assert renew_kept_addresses() == 0
    settings.SECOND_FACTOR_KEYS = ["n" * 40]
    connected.refresh_from_db()
    assert host_of(connected) == "127.0.0.1"


def test_audit_says_who_connected_and_that_times_changed() -> None:
    doctor, elsewhere = practice(), Elsewhere(event(*BUSY))
    with serving(elsewhere) as address:
        connected = connect(doctor, address)
        elsewhere.content = calendar()
        read_calendar(calendar_id=connected.pk, now=NOW)
    disconnect_calendar(
        calendar=connected, by=audit.Actor("doctor", doctor.user_id), user=doctor.user
    )
    events = AuditEvent.objects.filter(object_id=str(doctor.pk)).order_by("id")
    told = [(each.action, each.actor_kind, each.after) for each in events]
    number = connected.pk
    assert told == [
        ("calendar.connected", "doctor", {"calendar": number, "is_file": False}),
        ("busy_times.changed", "system", {"calendar": number, "added": 0, "removed": 1}),
        ("calendar.disconnected", "doctor", {"calendar": number, "is_file": False}),
    ]


def test_slower_reading_that_began_earlier_does_not_bring_back_what_it_read() -> None:
    """While a reading waits for its server, a second one begins and ends."""
    doctor, elsewhere = practice(), Elsewhere(event(*BUSY))
    with serving(elsewhere) as address:
        connected = connect(doctor, address)
        first = external_calendars._start(connected.pk, now=NOW)
        assert first
        old = external_calendars.read_address(
            address, doctor=doctor, known=external_calendars.Marks(), now=NOW, seconds=5
        )
        elsewhere.content = calendar()
        assert read_calendar(calendar_id=connected.pk, now=NOW)
    external_calendars._note_reading(first, old, now=NOW)
    external_calendars._note_trouble(first, "too-slow", now=NOW)
    connected.refresh_from_db()
    assert connected.periods.count() == 0
    assert connected.trouble == ""


def test_each_calendar_that_is_due_is_given_out_once() -> None:
    with serving(Elsewhere()) as address:
        due = connect(practice(), address)
        late = connect(practice(), address)
        asleep = practice()
        connect(asleep, address)
    Doctor.objects.filter(pk=asleep.pk).update(is_active=False)
    upload(asleep)
    assert claim_due(now=NOW) == []
    ExternalCalendar.objects.filter(pk=late.pk).update(next_at=NOW)
    assert claim_due(now=NOW + EVERY) == [late.pk, due.pk]
    assert claim_due(now=NOW + EVERY) == []


def test_calendar_that_was_disconnected_meanwhile_is_not_read() -> None:
    doctor = practice()
    assert not read_calendar(calendar_id=upload(doctor).pk, now=NOW)
    with serving(Elsewhere(event(*BUSY))) as address:
        connected = connect(doctor, address)
        started = external_calendars._start(connected.pk, now=NOW)
        ExternalCalendar.objects.filter(pk=connected.pk).delete()
        assert started
        external_calendars._note_reading(started, None, now=NOW)
        external_calendars._note_trouble(started, "too-slow", now=NOW)
        assert not read_calendar(calendar_id=connected.pk, now=NOW)

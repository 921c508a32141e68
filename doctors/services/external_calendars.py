"""Connects calendars elsewhere, reads them again, and disconnects them.

Busy times are hours when a doctor does not work, like time off: slots that nobody has taken go, and
come back. Held and booked times stay as they are.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from accounts.kept_secrets import decrypt, encrypt, renewed
from accounts.models import User
from docbook.audit import services as audit
from docbook.errors import FieldError
from docbook.http.keyed_digest import digest
from docbook.http.outside import Marks
from doctors.calendar_troubles import CalendarTrouble, trouble_in_words
from doctors.models import BusyPeriod, Doctor, ExternalCalendar
from doctors.recurrence import Period
from doctors.services.calendar_reading import (
    Reading,
    checked_address,
    needed_until,
    read_address,
    read_file,
)
from doctors.services.hours import lock_hours
from doctors.services.slot_expansions import ask_for_expansion

MOST_CALENDARS = 5
EVERY = timedelta(minutes=15)
# After an error: 15 minutes, then twice as long each time, up to this.
LONGEST_PAUSE = timedelta(hours=6)
# Somebody waits for the page.
SECONDS_ON_A_PAGE, SECONDS = 8, 20
DUE_AT_ONCE = 500


def connect_address(
    *, doctor: Doctor, name: str, address: str, by: audit.Actor, user: User, now: datetime
) -> ExternalCalendar:
    """Reads the calendar, and only then keeps its address. Raises FieldError."""
    _check_room(doctor, field="address")
    try:
        checked = checked_address(address)
        marks = Marks()
        reading = read_address(
            checked, doctor=doctor, known=marks, now=now, seconds=SECONDS_ON_A_PAGE
        )
    except CalendarTrouble as trouble:
        raise _refusal("address", trouble) from None
    if reading is None:  # a server that answers "not modified" to a first question
        raise _refusal("address", CalendarTrouble("refused"))
    facts = {"address": encrypt(checked), "digest": _digest_of(checked), "next_at": now + EVERY}
    return _connect(
        doctor, name=name, reading=reading, by=by, user=user, now=now, field="address", **facts
    )


def connect_file(
    *, doctor: Doctor, name: str, content: bytes, by: audit.Actor, user: User, now: datetime
) -> ExternalCalendar:
    """Reads the file and forgets it: its busy times stay. Raises FieldError."""
    _check_room(doctor, field="file")
    try:
        reading = read_file(content, doctor=doctor, now=now)
    except CalendarTrouble as trouble:
        raise _refusal("file", trouble) from None
    return _connect(doctor, name=name, reading=reading, by=by, user=user, now=now, field="file")


def disconnect_calendar(*, calendar: ExternalCalendar, by: audit.Actor, user: User) -> bool:
    """Its times can be booked again. False if somebody was faster."""
    with transaction.atomic():
        lock_hours(calendar.doctor)
        deleted, _by_model = ExternalCalendar.objects.filter(pk=calendar.pk).delete()
        if not deleted:
            return False
        _record("calendar.disconnected", calendar, by=by, is_file=calendar.is_file)
        ask_for_expansion(doctor_ids=[calendar.doctor_id], by=user)
    return True


def read_calendar(*, calendar_id: int, now: datetime, seconds: float = SECONDS) -> bool:
    """Reads a connected address again. A calendar in trouble keeps the busy times that it had, and
    says since when. False if there is no such address any more, or it is in trouble.
    """
    calendar = _start(calendar_id, now=now)
    if calendar is None:
        return False
    doctor = calendar.doctor
    is_known = calendar.known_until >= needed_until(doctor, now=now)
    known = Marks(calendar.etag, calendar.last_modified) if is_known else Marks()
    try:
        # The address is one of ours if somebody has moved us there since.
        address = checked_address(decrypt(calendar.address))
        reading = read_address(address, doctor=doctor, known=known, now=now, seconds=seconds)
    except CalendarTrouble as trouble:
        _note_trouble(calendar, trouble.code, now=now)
        return False
    _note_reading(calendar, reading, now=now)
    return True


def host_of(calendar: ExternalCalendar) -> str:
    """All of the address that is shown: the rest is a key. Empty for a file."""
    return urlsplit(decrypt(calendar.address)).hostname or ""


def claim_due(*, now: datetime) -> list[int]:
    """The ids of calendars to read now. Nobody else gets them before the next time."""
    due = ExternalCalendar.objects.filter(next_at__lte=now, doctor__is_active=True)
    with transaction.atomic():
        rows = due.select_for_update(skip_locked=True, of=("self",)).order_by("next_at", "pk")
        ids = list(rows.values_list("pk", flat=True)[:DUE_AT_ONCE])
        ExternalCalendar.objects.filter(pk__in=ids).update(next_at=now + EVERY)
    return ids


def renew_kept_addresses() -> int:
    """Encrypts addresses that have an older key with the newest one; returns how many."""
    total = 0
    for pk in ExternalCalendar.objects.exclude(address="").values_list("pk", flat=True):
        with transaction.atomic():
            row = ExternalCalendar.objects.select_for_update().filter(pk=pk).first()
            if row and (text := renewed(row.address)) != row.address:
                row.address = text
                row.save(update_fields=["address"])
                total += 1
    return total


def _check_room(doctor: Doctor, *, field: str) -> None:
    if doctor.calendars.count() >= MOST_CALENDARS:
        message = f"At most {MOST_CALENDARS} calendars can be connected. Disconnect one first."
        raise FieldError(field, message, field_code="too-many-calendars")


def _refusal(field: str, trouble: CalendarTrouble) -> FieldError:
    return FieldError(field, trouble_in_words(trouble.code), field_code=trouble.code)


def _connect(
    doctor: Doctor,
    *,
    name: str,
    reading: Reading,
    by: audit.Actor,
    user: User,
    now: datetime,
    field: str,
    **facts: Any,
) -> ExternalCalendar:
    with transaction.atomic():
        lock_hours(doctor)
        _check_room(doctor, field=field)
        if facts and doctor.calendars.filter(digest=facts["digest"]).exists():
            message = "This calendar is connected already."
            raise FieldError(field, message, field_code="connected-already")
        calendar = ExternalCalendar.objects.create(
            doctor=doctor,
            name=name,
            connected_by=user,
            connected_at=now,
            read_at=now,
            known_until=reading.until,
            etag=reading.marks.etag,
            last_modified=reading.marks.last_modified,
            **facts,
        )
        _write_periods(calendar, reading.periods, now=now)
        _record("calendar.connected", calendar, by=by, is_file=calendar.is_file)
        ask_for_expansion(doctor_ids=[doctor.pk], by=user)
    return calendar


def _start(calendar_id: int, *, now: datetime) -> ExternalCalendar | None:
    """Numbers this reading, and puts off the next one."""
    with transaction.atomic():
        row = ExternalCalendar.objects.select_for_update().exclude(address="")
        calendar = row.filter(pk=calendar_id).first()
        if calendar is None:
            return None
        calendar.started += 1
        calendar.next_at = now + EVERY
        calendar.save(update_fields=["started", "next_at"])
    return calendar


def _present(read: ExternalCalendar) -> ExternalCalendar | None:
    """The row now, locked after the doctor's hours. None if it is gone, or a reading that began
    later has been applied.

    Without this, of two readings at once, the slower one would bring back what its calendar said
    earlier.
    """
    lock_hours(read.doctor)
    row = ExternalCalendar.objects.select_for_update()
    return row.filter(pk=read.pk, applied__lt=read.started).first()


def _note_reading(read: ExternalCalendar, reading: Reading | None, *, now: datetime) -> None:
    with transaction.atomic():
        calendar = _present(read)
        if calendar is None:
            return
        calendar.applied, calendar.read_at = read.started, now
        calendar.trouble, calendar.failing_since, calendar.failures = "", None, 0
        calendar.next_at = now + EVERY + _spread(calendar)
        if reading:
            calendar.known_until = reading.until
            calendar.etag = reading.marks.etag
            calendar.last_modified = reading.marks.last_modified
            _follow(calendar, reading.periods, now=now)
        calendar.save()


def _follow(calendar: ExternalCalendar, periods: Sequence[Period], *, now: datetime) -> None:
    """Times follow only if those to come have changed: others pass every day."""
    added, removed = _write_periods(calendar, periods, now=now)
    if added or removed:
        counts = {"added": added, "removed": removed}
        _record("busy_times.changed", calendar, by=audit.SYSTEM, **counts)
        ask_for_expansion(doctor_ids=[calendar.doctor_id], by=calendar.connected_by)


def _note_trouble(read: ExternalCalendar, code: str, *, now: datetime) -> None:
    with transaction.atomic():
        calendar = _present(read)
        if calendar is None:
            return
        calendar.trouble, calendar.failing_since = code, calendar.failing_since or now
        pause = min(EVERY * 2 ** min(calendar.failures, 10), LONGEST_PAUSE)
        calendar.failures = min(calendar.failures + 1, 1000)
        calendar.next_at = now + pause + _spread(calendar)
        calendar.save()


def _spread(calendar: ExternalCalendar) -> timedelta:
    """So that a thousand calendars are not read in the same minute for ever."""
    return timedelta(seconds=calendar.pk * 37 % 120)


def _write_periods(
    calendar: ExternalCalendar, periods: Sequence[Period], *, now: datetime
) -> tuple[int, int]:
    """Makes these the busy times of the calendar; returns how many to come were added and
    removed. Rows that say the same stay.
    """
    rows = calendar.periods.values_list("starts_at", "ends_at", "pk")
    present = {Period(starts, ends): pk for starts, ends, pk in rows}
    wanted = set(periods)
    gone = [each for each in present if each not in wanted]
    new = sorted(each for each in wanted if each not in present)
    if gone:
        BusyPeriod.objects.filter(pk__in=[present[each] for each in gone]).delete()
    BusyPeriod.objects.bulk_create(
        BusyPeriod(calendar=calendar, starts_at=each.starts_at, ends_at=each.ends_at)
        for each in new
    )
    added, removed = (sum(each.ends_at > now for each in some) for some in (new, gone))
    return added, removed


def _digest_of(address: str) -> str:
    return digest(f"calendar-address-{address}")


def _record(action: str, calendar: ExternalCalendar, *, by: audit.Actor, **facts: Any) -> None:
    """Neither the name nor the address: somebody typed them."""
    audit.record(
        action=action,
        by=by,
        on=("doctor", calendar.doctor_id),
        after={"calendar": calendar.pk, **facts},
    )

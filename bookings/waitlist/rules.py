"""What somebody on the waitlist would take, and when we may write to them. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from docbook.times_of_day import END_OF_DAY
from doctors.recurrence import local_day


@dataclass(frozen=True)
class Wish:
    """Days and times are on the clock of the slot's clinic; both days are included.

    No weekdays means all of them. The whole visit lies between `day_from` and `day_until`, where an
    end of 00:00 is the end of the day. It begins before the instant `earlier_than`, if there is
    one.
    """

    from_on: date
    until_on: date
    weekdays: frozenset[int] = frozenset()
    day_from: time | None = None
    day_until: time | None = None
    mode: str = ""
    earlier_than: datetime | None = None

    def wants(self, *, starts_at: datetime, ends_at: datetime, zone: ZoneInfo, mode: str) -> bool:
        """Whether a visit in [starts_at, ends_at) would suit. `mode` is the visit's."""
        start, end = starts_at.astimezone(zone), ends_at.astimezone(zone)
        return (
            self.wants_start(starts_at, zone=zone)
            and self.mode in ("", mode)
            and self._ends_in_time(start, end, zone=zone)
        )

    def wants_start(self, starts_at: datetime, *, zone: ZoneInfo) -> bool:
        """Whether a visit that begins then could suit, if it is short enough."""
        start = starts_at.astimezone(zone)
        return (
            self.from_on <= start.date() <= self.until_on
            and (not self.weekdays or start.weekday() in self.weekdays)
            and (self.earlier_than is None or starts_at < self.earlier_than)
            and (self.day_from is None or start.time() >= self.day_from)
        )

    def _ends_in_time(self, start: datetime, end: datetime, *, zone: ZoneInfo) -> bool:
        if self.day_until is None:
            return True
        if self.day_until == END_OF_DAY:
            return end <= local_day(day=start.date(), zone=zone).ends_at
        return end.date() == start.date() and end.time() <= self.day_until


@dataclass(frozen=True)
class QuietHours:
    """[begin, end) on the clinic's clock; over midnight if `end` is earlier, none if both
    are equal.
    """

    begin: time
    end: time

    @property
    def writing_hours(self) -> tuple[time, time] | None:
        """(from, until) of the hours when offers may begin; None if they may begin at any hour."""
        return None if self.begin == self.end else (self.end, self.begin)

    def running_until(self, *, now: datetime, zone: ZoneInfo) -> datetime | None:
        """The instant when the running quiet hours end; None if none are running."""
        local = now.astimezone(zone)
        since_begin, until_end = local.time() >= self.begin, local.time() < self.end
        over_midnight = self.end < self.begin
        if not (since_begin or until_end if over_midnight else since_begin and until_end):
            return None
        tomorrow = over_midnight and since_begin
        day = local.date() + timedelta(days=1 if tomorrow else 0)
        return datetime.combine(day, self.end, tzinfo=zone)

    def allow_offer(self, *, starts_at: datetime, now: datetime, zone: ZoneInfo) -> bool:
        """No offer begins in quiet hours, unless its time would be gone when they end."""
        until = self.running_until(now=now, zone=zone)
        return until is None or starts_at < until

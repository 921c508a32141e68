"""Formats times as people at the clinic read them, money, and the colour of an avatar.

Every filter takes the clinic's zone, as a ZoneInfo or an IANA name. The zone of the server or the
visitor is never the right one.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Protocol
from zlib import crc32
from zoneinfo import ZoneInfo

from django import template
from django.utils import formats, timezone
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from docbook.times_of_day import end_in_words
from doctors.clock_reading import city_of, clock_name, is_shown_twice, name_all_day
from doctors.names import initials_of

register = template.Library()

CURRENCY_SIGNS = {"EUR": "€", "GBP": "£", "USD": "$"}
AVATAR_COLOURS = 8


class Priced(Protocol):
    @property
    def price_cents(self) -> int: ...
    @property
    def currency(self) -> str: ...


def _zone(zone: ZoneInfo | str) -> ZoneInfo:
    return zone if isinstance(zone, ZoneInfo) else ZoneInfo(zone)


def _format(value: date | time, pattern: str) -> str:
    return _formatted(value, pattern, get_language())


@lru_cache(maxsize=4096)
def _formatted(value: date | time, pattern: str, _language: str | None) -> str:
    """A page of results shows hundreds of times, and most of them were on the page before."""
    if isinstance(value, time):
        return formats.time_format(value, pattern)
    return formats.date_format(value, pattern)


def _is_this_year(day: date, zone: ZoneInfo | str | None) -> bool:
    """By the clock of `zone`, or UTC."""
    return day.year == _this_year(zone)


def _this_year(zone: ZoneInfo | str | None) -> int:
    return timezone.now().astimezone(_zone(zone) if zone else UTC).year


@register.filter
def clock(value: datetime, zone: ZoneInfo | str) -> str:
    """Like "09:40", or "02:40 CEST" if the clock of that day shows 02:40 twice.

    A translation may choose the 12-hour clock.
    """
    # In UTC: two moments that one clock shows alike are equal as cache keys.
    return _clock(value.astimezone(UTC), _zone(zone), get_language())


@lru_cache(maxsize=16384)
def _clock(value: datetime, zone: ZoneInfo, _language: str | None) -> str:
    local = value.astimezone(zone).time().replace(second=0, microsecond=0)
    text = _format(local, pgettext("time, Django date format", "H:i"))
    return f"{text} {clock_name(value, zone)}" if is_shown_twice(value, zone) else text


@register.filter
def day_long(value: datetime, zone: ZoneInfo | str) -> str:
    """Like "Tuesday 24 November". Like all of these, with the year if it is not the current one."""
    return date_long(local_date(value, zone), zone)


@register.filter
def day_or_weekday(value: datetime, zone: ZoneInfo | str) -> str:
    """Like "Tuesday" within six days from today, otherwise like "Tuesday 24 November"."""
    day = local_date(value, zone)
    today = local_date(timezone.now(), zone)
    is_near = today <= day < today + timedelta(days=7)
    return _format(day, "l") if is_near else date_long(day, zone)


@register.filter
def day_medium(value: datetime, zone: ZoneInfo | str) -> str:
    """Like "Tue 24 November"."""
    return date_medium(local_date(value, zone), zone)


@register.filter
def day_short(value: datetime, zone: ZoneInfo | str) -> str:
    """Like "Tue 24 Nov"."""
    return date_short(local_date(value, zone), zone)


@register.filter
def day_and_clock(value: datetime, zone: ZoneInfo | str) -> str:
    """Like "Tue 24 Nov, 09:40"."""
    return _("%(day)s, %(time)s") % {"day": day_short(value, zone), "time": clock(value, zone)}


@register.filter
def moment_in_full(value: datetime, zone: ZoneInfo | str) -> str:
    """Like "24 Nov 2026, 09:40 Amsterdam time (CET)". It means the same moment to every reader."""
    zone = _zone(zone)
    # Without its tzinfo: date_format() would convert it to the server's zone.
    local = value.astimezone(zone).replace(tzinfo=None)
    return _("%(time)s %(place)s time (%(abbreviation)s)") % {
        "time": _format(local, pgettext("moment, Django date format", "j M Y, H:i")),
        "place": city_of(zone),
        "abbreviation": clock_name(value, zone),
    }


@register.filter
def date_long(day: date, zone: ZoneInfo | str | None = None) -> str:
    """Like "Tuesday 24 November"."""
    return dates_long([day], zone)[day]


def dates_long(days: Iterable[date], zone: ZoneInfo | str | None = None) -> dict[date, str]:
    """`date_long` of each, for a calendar. Looks up once what all of them share."""
    this_year = pgettext("day, Django date format", "l j F")
    other_year = pgettext("day of another year, Django date format", "l j F Y")
    year, language = _this_year(zone), get_language()
    return {
        day: _formatted(day, this_year if day.year == year else other_year, language)
        for day in days
    }


@register.filter
def date_medium(day: date, zone: ZoneInfo | str | None = None) -> str:
    """Like "Tue 24 November"."""
    return _medium(day, _is_this_year(day, zone), get_language())


@lru_cache(maxsize=4096)
def _medium(day: date, is_this_year: bool, language: str | None) -> str:
    if is_this_year:
        return _formatted(day, pgettext("day, Django date format", "D j F"), language)
    return _formatted(day, pgettext("day of another year, Django date format", "D j F Y"), language)


@register.filter
def date_short(day: date, zone: ZoneInfo | str | None = None) -> str:
    """Like "Tue 24 Nov"."""
    return _short(day, _is_this_year(day, zone), get_language())


@lru_cache(maxsize=4096)
def _short(day: date, is_this_year: bool, language: str | None) -> str:
    if is_this_year:
        return _formatted(day, pgettext("short day, Django date format", "D j M"), language)
    return _formatted(
        day, pgettext("short day of another year, Django date format", "D j M Y"), language
    )


@register.filter
def date_range(first: date, last: date) -> str:
    """Like "30 Nov – 6 Dec"."""
    return " – ".join(days_in_a_row([first, last]))


@register.filter
def day_of_month(day: date, zone: ZoneInfo | str | None = None) -> str:
    """Like "24 November", for places where the weekday is shown separately."""
    return _of_month(day, _is_this_year(day, zone), get_language())


@lru_cache(maxsize=4096)
def _of_month(day: date, is_this_year: bool, language: str | None) -> str:
    if is_this_year:
        return _formatted(day, pgettext("day, Django date format", "j F"), language)
    return _formatted(day, pgettext("day of another year, Django date format", "j F Y"), language)


def days_in_a_row(days: Iterable[date]) -> list[str]:
    """Like "31 Dec", "1 Jan 2027", "2 Jan": with the year when a new one begins."""
    texts, year = [], timezone.localdate().year
    for day in days:
        this_year = pgettext("short day, Django date format", "j M")
        other_year = pgettext("short day of another year, Django date format", "j M Y")
        texts.append(_format(day, this_year if day.year == year else other_year))
        year = day.year
    return texts


def today_or_weekday(day: date, *, today: date | None) -> str:
    """Like "Today" or "Tue", above the times of a day."""
    return _("Today") if day == today else _format(day, "D")


@register.filter
def month_name(day: date, zone: ZoneInfo | str | None = None) -> str:
    """Like "November"."""
    return _month(day, _is_this_year(day, zone), get_language())


@lru_cache(maxsize=4096)
def _month(day: date, is_this_year: bool, language: str | None) -> str:
    if is_this_year:
        return _formatted(day, pgettext("month, Django date format", "F"), language)
    return _formatted(day, pgettext("month of another year, Django date format", "F Y"), language)


@register.filter
def local_date(value: datetime, zone: ZoneInfo | str) -> date:
    """The calendar day at the clinic, for Django's own `date` filter."""
    return value.astimezone(_zone(zone)).date()


@register.filter
def iso(value: datetime, zone: ZoneInfo | str) -> str:
    """RFC 3339 with the clinic's offset, for `<time datetime>`."""
    return value.astimezone(_zone(zone)).isoformat(timespec="seconds")


@register.filter
def zone_label(zone: ZoneInfo | str, at: date) -> str:
    """Like "Amsterdam time (CET)", for the times of the local day of `at`, a moment or a day.

    On a day when the clocks change, there is no name in brackets: none is right for the whole day.
    Then each time that is shown twice carries its own name.
    """
    zone = _zone(zone)
    day = local_date(at, zone) if isinstance(at, datetime) else at
    return _zone_label(zone, day, get_language())


@lru_cache(maxsize=4096)
def _zone_label(zone: ZoneInfo, day: date, _language: str | None) -> str:
    given = {"place": city_of(zone), "abbreviation": name_all_day(day, zone)}
    if not given["abbreviation"]:
        return _("%(place)s time") % given
    return _("%(place)s time (%(abbreviation)s)") % given


@register.filter
def when(value: datetime, zone: ZoneInfo | str) -> str:
    """Like "today, 11:20", "tomorrow, 09:30" or "Wed 25 Nov, 10:00"."""
    days = days_until(local_date(value, zone), zone)
    if days == 0 and is_same_day_here(zone):
        return _("today, %(time)s") % {"time": clock(value, zone)}
    if days == 1 and is_same_day_here(zone):
        return _("tomorrow, %(time)s") % {"time": clock(value, zone)}
    return day_and_clock(value, zone)


def days_until(day: date, zone: ZoneInfo | str) -> int:
    """From today on, on the clinic's clock."""
    return (day - local_date(timezone.now(), zone)).days


def is_same_day_here(zone: ZoneInfo | str) -> bool:
    """Whether the clinic and the site have the same date now.

    Today in Sydney is tomorrow for many readers. Then the day is named.
    """
    now = timezone.now()
    return local_date(now, zone) == timezone.localdate(now)


@register.filter
def clock_or_day(value: datetime, zone: ZoneInfo | str) -> str:
    """Like "14:00" for today, otherwise like "Wed 25 Nov, 14:00": for a sentence about an end."""
    return clock_near(value, near=timezone.now(), zone=zone)


def clock_near(value: datetime, *, near: datetime, zone: ZoneInfo | str) -> str:
    """The time, with its day if that is not the day of `near`."""
    same_day = local_date(value, zone) == local_date(near, zone)
    return clock(value, zone) if same_day else day_and_clock(value, zone)


@register.filter
def end_of_hours(ends: time) -> str:
    """Like "17:30", or "24:00" for the end of the day: for daily hours, not for an instant."""
    return end_in_words(ends)


@register.filter
def money(value: Priced | int, currency: str = "EUR") -> str:
    """Like "€62", "€62.50", "CHF 62".

    Takes a visit type, an appointment, or cents with a currency.
    """
    cents = value if isinstance(value, int) else value.price_cents
    currency = currency if isinstance(value, int) else value.currency
    amount = formats.number_format(cents / 100, 2 if cents % 100 else 0, force_grouping=True)
    sign = CURRENCY_SIGNS.get(currency)
    return f"{sign}{amount}" if sign else f"{currency}\N{NO-BREAK SPACE}{amount}"


@register.filter
def avatar(value: object) -> str:
    """Like "avatar-3": the same id has the same colour on every page and every day."""
    return f"avatar-{crc32(str(value).encode()) % AVATAR_COLOURS + 1}"


register.filter("initials", initials_of)


@register.filter
def minutes_and_seconds(seconds: int) -> str:
    """Like "4:03"."""
    whole = max(0, int(seconds))
    return f"{whole // 60}:{whole % 60:02d}"

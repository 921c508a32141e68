"""Times as a person at the clinic reads them, money, and the small badge that stands for somebody.

Every filter takes the zone of the clinic, as a ZoneInfo or an IANA name, because the zone of the
server or of the visitor is never the one that is meant.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any, Protocol
from zlib import crc32
from zoneinfo import ZoneInfo

from django import template
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from docbook.times_of_day import end_in_words
from doctors.names import initials_of

register = template.Library()

CURRENCY_SIGNS = {"EUR": "€", "GBP": "£", "USD": "$"}
AVATAR_COLOURS = 8
NOON = time(12)


class Priced(Protocol):
    price_cents: int
    currency: str


def _zone(zone: ZoneInfo | str) -> ZoneInfo:
    return zone if isinstance(zone, ZoneInfo) else ZoneInfo(zone)


def _local(value: datetime, zone: ZoneInfo | str) -> datetime:
    # Without its tzinfo, because date_format() would turn it into the server's zone again.
    return value.astimezone(_zone(zone)).replace(tzinfo=None)


def _format(value: date, pattern: str) -> str:
    return formats.date_format(value, pattern)


@register.filter
def clock(value: datetime, zone: ZoneInfo | str) -> str:
    """Like "09:40"; a translation may choose the 12 hour clock."""
    return _format(_local(value, zone), pgettext("time, Django date format", "H:i"))


@register.filter
def day_long(value: datetime, zone: ZoneInfo | str) -> str:
    """Like "Tuesday 24 November"."""
    return date_long(_local(value, zone))


@register.filter
def day_short(value: datetime, zone: ZoneInfo | str) -> str:
    """Like "Tue 24 Nov"."""
    return date_short(_local(value, zone))


@register.filter
def date_long(value: date) -> str:
    return _format(value, pgettext("day, Django date format", "l j F"))


@register.filter
def date_short(value: date) -> str:
    return _format(value, pgettext("short day, Django date format", "D j M"))


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
    """Like "Amsterdam time (CET)"; the abbreviation is the one in force `at` that moment or day."""
    zone = _zone(zone)
    if not isinstance(at, datetime):
        at = datetime.combine(at, NOON, tzinfo=zone)
    place = zone.key.rsplit("/", 1)[-1].replace("_", " ")
    name = at.astimezone(zone).tzname() or ""
    # The tz database names many zones by their offset only.
    abbreviation = f"UTC{name}" if name[:1] in ("+", "-") else name
    return _("%(place)s time (%(abbreviation)s)") % {"place": place, "abbreviation": abbreviation}


@register.filter
def when(value: datetime, zone: ZoneInfo | str) -> str:
    """Like "today, 11:20", "tomorrow, 09:30" or "Wed 25 Nov, 10:00"."""
    day = local_date(value, zone)
    today = timezone.now().astimezone(_zone(zone)).date()
    at = clock(value, zone)
    if day == today:
        return _("today, %(time)s") % {"time": at}
    if day == today + timedelta(days=1):
        return _("tomorrow, %(time)s") % {"time": at}
    return _("%(day)s, %(time)s") % {"day": date_short(day), "time": at}


@register.filter
def clock_or_day(value: datetime, zone: ZoneInfo | str) -> str:
    """Like "14:00" for today, else like "Wed 25 Nov, 14:00": for a sentence about an end."""
    if local_date(value, zone) == timezone.now().astimezone(_zone(zone)).date():
        return clock(value, zone)
    return _("%(day)s, %(time)s") % {"day": day_short(value, zone), "time": clock(value, zone)}


@register.filter
def end_of_hours(ends: time) -> str:
    """Like "17:30", and "24:00" for the end of the day: hours of every day, not an instant."""
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
    """Like "avatar-3": the same colour for the same id on every page and every day."""
    return f"avatar-{crc32(str(value).encode()) % AVATAR_COLOURS + 1}"


register.filter("initials", initials_of)


@register.filter
def has_times(days: Iterable[Any]) -> bool:
    """Whether any of a doctor card's days has a free time."""
    return any(day.times for day in days)


@register.filter
def minutes_and_seconds(seconds: int) -> str:
    """Like "4:03"."""
    whole = max(0, int(seconds))
    return f"{whole // 60}:{whole % 60:02d}"

"""What hours, and a change of them, mean in a plain sentence."""

from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.text import capfirst, get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bookings.schedule.hours_preview import HoursPreview, Kind, Mark, Week
from docbook.times_of_day import end_in_words, length_of_hours
from doctors.models import AvailabilityOverride, AvailabilityRule, Mode, OverrideKind
from doctors.templatetags.clinic_time import date_long, date_short


def times_of(rule: AvailabilityRule, *, slot_minutes: int) -> int:
    """Times in a week in which the rule holds, on days when the clocks do not change."""
    minutes = length_of_hours(rule.starts, rule.ends).total_seconds() // 60
    return int(minutes // slot_minutes) * len(set(rule.weekdays))


def effect_of(
    rule: AvailabilityRule, *, slot_minutes: int, before: AvailabilityRule | None = None
) -> str:
    """Like "36 times a week" or "9 times every second week, video"; if `before` made another number
    of times as often, that number follows.
    """
    times = times_of(rule, slot_minutes=slot_minutes)
    said = _how_often(times, rule.every_weeks)
    if rule.mode != Mode.ANY:
        given = {"times": said, "mode": rule.get_mode_display()}
        said = _("%(times)s, %(mode)s") % given
    if before is None or before.every_weeks != rule.every_weeks:
        return said
    earlier = times_of(before, slot_minutes=slot_minutes)
    if earlier == times:
        return said
    return _("%(times)s instead of %(earlier)d") % {"times": said, "earlier": earlier}


def with_visit_types(effect: str, names: list[str]) -> str:
    """Like "36 times a week, only for Check-up and Vaccination"."""
    if not names:
        return effect
    return _("%(effect)s, only for %(names)s") % {"effect": effect, "names": get_text_list(names)}


def _how_often(times: int, every_weeks: int) -> str:
    texts = {
        1: ngettext("%(count)d time a week", "%(count)d times a week", times),
        2: ngettext("%(count)d time every second week", "%(count)d times every second week", times),
        3: ngettext("%(count)d time every third week", "%(count)d times every third week", times),
        4: ngettext("%(count)d time every fourth week", "%(count)d times every fourth week", times),
    }
    return texts[every_weeks] % {"count": times}


def title_of(rule: AvailabilityRule) -> str:
    """Like "Mon, Tue, Fri, 09:00 to 12:00"."""
    days = ", ".join(str(WEEKDAYS_ABBR[day]) for day in sorted(set(rule.weekdays)))
    given = {"days": days, "start": f"{rule.starts:%H:%M}", "end": end_in_words(rule.ends)}
    return _("%(days)s, %(start)s to %(end)s") % given


def days_of(override: AvailabilityOverride) -> str:
    """Like "Tue 24 Nov" or "Tue 24 Nov to Fri 27 Nov"."""
    first, last = date_short(override.first_day), date_short(override.last_day)
    if override.first_day == override.last_day:
        return first
    return _("%(first)s to %(last)s") % {"first": first, "last": last}


def hours_of_override(override: AvailabilityOverride) -> str:
    """Like "all day" or "13:00 to 15:00, video"."""
    said = _("%(start)s to %(end)s") % {
        "start": f"{override.starts:%H:%M}",
        "end": end_in_words(override.ends),
    }
    if override.starts == override.ends:
        said = _("all day")
    if override.kind == OverrideKind.EXTRA and override.mode != Mode.ANY:
        return _("%(hours)s, %(mode)s") % {"hours": said, "mode": override.get_mode_display()}
    return said


def kind_of(override: AvailabilityOverride) -> str:
    return str(capfirst(override.get_kind_display()))


def sentence_of(preview: HoursPreview, *, is_near: bool) -> str:
    """Like "The next four weeks: 148 times, 12 go, 3 booked visits are outside the new hours".

    `is_near`: the four weeks begin today.
    """
    what = ", ".join(_parts_of(preview))
    if is_near:
        return _("The next four weeks: %(what)s") % {"what": what}
    given = {"day": date_short(preview.first), "what": what}
    return _("The four weeks from %(day)s: %(what)s") % given


def _parts_of(preview: HoursPreview) -> list[str]:
    """Each stands alone, between commas."""
    outside = len(preview.outside)
    texts = [
        (preview.new, ngettext("%(count)d is new", "%(count)d are new", preview.new)),
        (preview.gone, ngettext("%(count)d goes", "%(count)d go", preview.gone)),
        (
            outside,
            ngettext(
                "%(count)d booked visit is outside the new hours",
                "%(count)d booked visits are outside the new hours",
                outside,
            ),
        ),
    ]
    times = ngettext("%(count)d time", "%(count)d times", preview.times)
    changes = [text % {"count": count} for count, text in texts if count]
    if preview.changes_nothing:
        changes.insert(0, _("nothing changes"))
    return [times % {"count": preview.times}, *changes]


@dataclass(frozen=True)
class DayInWords:
    name: str
    text: str


def week_in_words(week: Week) -> list[DayInWords]:
    """The grid for people who do not see it: like "09:00 to 12:00 as now, 13:00 to 16:00 removed"
    on each day with times.
    """
    in_order = sorted(week.marks)
    return [
        DayInWords(date_long(day), ", ".join(_stretches(list(marks))))
        for day, marks in groupby(in_order, attrgetter("day"))
    ]


def _stretches(marks: list[Mark]) -> list[str]:
    """Times of one kind that follow each other are one stretch."""
    joined: list[Mark] = []
    for mark in marks:
        if joined and joined[-1].kind == mark.kind and joined[-1].ends == mark.starts:
            joined[-1] = joined[-1]._replace(ends=mark.ends)
        else:
            joined.append(mark)
    return [_said(mark) for mark in joined]


def _said(mark: Mark) -> str:
    texts = {
        Kind.NOW: _("%(start)s to %(end)s as now"),
        Kind.NEW: _("%(start)s to %(end)s new"),
        Kind.GONE: _("%(start)s to %(end)s removed"),
        Kind.BOOKED: _("%(start)s to %(end)s booked"),
        Kind.OUTSIDE: _("%(start)s to %(end)s booked, outside the new hours"),
    }
    return texts[mark.kind] % {"start": _clock(mark.starts), "end": _clock(mark.ends)}


def _clock(minutes: int) -> str:
    """On the clock of the day; 24:00 is its end."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"

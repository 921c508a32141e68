"""Makes, revokes and reads calendar feeds."""

import secrets
from datetime import date, datetime

from django.db import transaction

from accounts.models import User
from bookings.actors.practice_member import PracticeMember
from bookings.models import CalendarFeed
from bookings.schedule.feeds.selectors import digest_of
from bookings.schedule.services import record_reading
from docbook.audit import services as audit
from docbook.errors import NotYours
from doctors.models import Doctor

TOKEN_BYTES = 32


def make_feed(*, doctor: Doctor, by: PracticeMember, with_names: bool, now: datetime) -> str:
    """Returns the token, which nobody can read again. Revokes the feed that they had before.

    Raises NotYours if they do not run this doctor's day.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with transaction.atomic():
        actor = _actor(doctor, by=by)
        _revoke(doctor, by=by, now=now)
        feed = CalendarFeed.objects.create(
            doctor=doctor,
            created_by=by.user,
            digest=digest_of(token),
            with_names=with_names,
            created_at=now,
        )
        audit.record(
            action="calendar_feed.made",
            by=actor,
            on=("calendar_feed", feed.pk),
            after={"doctor": doctor.pk, "with_names": with_names},
        )
    return token


def revoke_feed(*, doctor: Doctor, by: PracticeMember, now: datetime) -> bool:
    """False if there was none. Raises NotYours if they do not run this doctor's day."""
    with transaction.atomic():
        actor = _actor(doctor, by=by)
        revoked = _revoke(doctor, by=by, now=now)
        for pk in revoked:
            audit.record(
                action="calendar_feed.revoked",
                by=actor,
                on=("calendar_feed", pk),
                after={"doctor": doctor.pk},
            )
    return bool(revoked)


def note_reading(feed: CalendarFeed, *, on: date) -> None:
    """Once a day: the day itself, and in the audit that patients' names were read."""
    if feed.last_read_on == on:
        return
    with transaction.atomic():
        unread = CalendarFeed.objects.filter(pk=feed.pk).exclude(last_read_on=on)
        if unread.update(last_read_on=on) and feed.with_names:
            record_reading(
                reader=PracticeMember(feed.created_by),
                doctor=feed.doctor,
                days=[on],
                through="calendar feed",
            )


def _actor(doctor: Doctor, *, by: PracticeMember) -> audit.Actor:
    """Locks the person's account: of two requests for a link, the second replaces the first's."""
    User.objects.select_for_update(no_key=True).only("pk").get(pk=by.user.pk)
    actor = by.actor_for(doctor)
    if actor is None or actor.kind == "staff":
        raise NotYours("doctor", doctor.pk)
    return actor


def _revoke(doctor: Doctor, *, by: PracticeMember, now: datetime) -> list[int]:
    """The ids of what was active."""
    active = CalendarFeed.objects.filter(doctor=doctor, created_by=by.user, revoked_at=None)
    ids = list(active.values_list("pk", flat=True))
    active.update(revoked_at=now)
    return ids

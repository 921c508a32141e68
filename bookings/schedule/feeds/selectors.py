"""Finds calendar feeds, and the visits in them."""

from datetime import date, datetime, time, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from accounts.models import User
from bookings.models import Appointment, CalendarFeed
from bookings.states import ACTIVE
from docbook.errors import NotFound
from docbook.http.keyed_digest import digest
from doctors.models import Doctor, SecretaryAssignment

KEPT = timedelta(days=30)
# More entries would take seconds to write. With twenty visits a day these are 250 days.
MOST = 5000


def digest_of(token: str) -> str:
    return digest(f"calendar-feed-{token}")


def feed_behind(digest_of_token: str) -> CalendarFeed:
    """With its doctor, their clinic and the person who made it. Raises NotFound.

    Also for a feed of somebody who no longer runs this doctor's day. One statement decides all of
    this, so every refusal takes the same work.
    """
    assigned = SecretaryAssignment.objects.filter(
        doctor=OuterRef("doctor"), secretary=OuterRef("created_by")
    )
    entitled = Q(doctor__user=F("created_by")) | Q(Exists(assigned))
    feeds = CalendarFeed.objects.filter(entitled, revoked_at=None, created_by__is_active=True)
    found = feeds.select_related("doctor__clinic", "created_by").filter(digest=digest_of_token)
    feed = found.first()
    if feed is None:
        raise NotFound
    return feed


def active_feed(*, doctor: Doctor, of: User) -> CalendarFeed | None:
    return CalendarFeed.objects.filter(doctor=doctor, created_by=of, revoked_at=None).first()


def today_of(feed: CalendarFeed, *, now: datetime) -> date:
    """On the clock of the doctor's main clinic."""
    return now.astimezone(feed.doctor.clinic.zone).date()


def first_moment_of(feed: CalendarFeed, *, day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=feed.doctor.clinic.zone)


def visits_of(feed: CalendarFeed, *, day: date) -> QuerySet[Appointment]:
    """From a month before this day on, by their start; at most MOST, in one query.

    Visits that were cancelled or moved are in it for a month. There is no last day: a visit that
    is booked takes place, even if the doctor's horizon has become shorter since. `said_at` is when
    the visit became what it is now.
    """
    since = first_moment_of(feed, day=day) - KEPT
    visits = Appointment.objects.filter(doctor=feed.doctor_id, starts_at__gte=since)
    told = visits.filter(Q(status__in=ACTIVE) | Q(changed_at__gte=since))
    said_at = Coalesce("changed_at", "created_at")
    return told.annotate(said_at=said_at).order_by("starts_at", "id")[:MOST]

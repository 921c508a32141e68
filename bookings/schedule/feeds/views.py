"""The page on which somebody makes the address of a calendar feed, and the feed itself."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.practice_sessions import of_the_practice
from accounts.users import signed_in
from bookings.actors.practice_member import PracticeMember
from bookings.schedule.feeds.calendar_file import changed_at, entity_tag, feed_calendar
from bookings.schedule.feeds.forms import FeedForm
from bookings.schedule.feeds.selectors import (
    active_feed,
    digest_of,
    feed_behind,
    first_moment_of,
    today_of,
    visits_of,
)
from bookings.schedule.feeds.services import make_feed, note_reading, revoke_feed
from docbook.http.throttling import enforce, limit_of
from doctors.models import Doctor
from doctors.selectors.doctors import chosen_of, clinics_of_doctor, doctors_run_by

PRIVATE = {
    "Cache-Control": "private, no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}


@require_safe
def calendar(request: HttpRequest, token: str) -> HttpResponseBase:
    """For calendars, which cannot sign in: the address is the key. 404 if it opens nothing."""
    digest = digest_of(token)
    enforce(limit_of("feed-network", request), limit_of("feed", named=digest))
    feed = feed_behind(digest)
    day = today_of(feed, now=timezone.now())
    note_reading(feed, on=day)
    visits = list(visits_of(feed, day=day))
    tag = entity_tag(feed, visits, day=day)
    changed = int(changed_at(feed, visits, midnight=first_moment_of(feed, day=day)).timestamp())
    headers = PRIVATE | {"ETag": tag, "Last-Modified": http_date(changed)}
    answer = HttpResponse(content_type="text/calendar; charset=utf-8", headers=headers)
    known = get_conditional_response(request, etag=tag, last_modified=changed, response=answer)
    if known is not answer:
        return known or answer
    answer.headers["Content-Disposition"] = 'inline; filename="docbook.ics"'
    answer.content = feed_calendar(feed, visits)
    return answer


@of_the_practice
@require_safe
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Whether there is a feed, and forms that make or revoke it; 404 for people who run no day."""
    doctor, doctors = _chosen(request, request.GET.get("doctor", ""))
    return _show(request, doctor, doctors)


@of_the_practice
@require_POST
@login_required
def make_link(request: HttpRequest) -> HttpResponse:
    """Answers with the page itself: the address is shown this once and kept nowhere."""
    doctor, doctors = _chosen(request, request.POST.get("doctor", ""))
    form = FeedForm(request.POST)
    with_names = form.is_valid() and form.cleaned_data["with_names"]
    by = PracticeMember(signed_in(request))
    token = make_feed(doctor=doctor, by=by, with_names=with_names, now=timezone.now())
    return _show(request, doctor, doctors, token=token)


@of_the_practice
@require_POST
@login_required
def revoke_link(request: HttpRequest) -> HttpResponse:
    doctor, _doctors = _chosen(request, request.POST.get("doctor", ""))
    by = PracticeMember(signed_in(request))
    if revoke_feed(doctor=doctor, by=by, now=timezone.now()):
        messages.success(request, _("The link is revoked. Calendars that use it get nothing more."))
    return redirect(_page_of(doctor))


def _chosen(request: HttpRequest, wanted: str) -> tuple[Doctor, list[Doctor]]:
    doctors = list(doctors_run_by(signed_in(request)))
    return chosen_of(doctors, wanted=wanted), doctors


def _show(
    request: HttpRequest, doctor: Doctor, doctors: list[Doctor], *, token: str = ""
) -> HttpResponse:
    feed = active_feed(doctor=doctor, of=signed_in(request))
    path = reverse("bookings:calendar_feed", args=[token]) if token else ""
    context = {
        "doctor": doctor,
        "clinics": clinics_of_doctor(doctor, now=timezone.now()),
        "doctors": [
            {"doctor": each, "url": _page_of(each), "current": each == doctor} for each in doctors
        ],
        "zone": doctor.clinic.zone,
        "feed": feed,
        "address": f"{settings.SITE_URL}{path}" if token else "",
        "form": FeedForm(initial={"with_names": feed is not None and feed.with_names}),
        "schedule_url": f"{reverse('bookings:schedule')}?{urlencode({'doctor': doctor.pk})}",
        "nav": "schedule",
    }
    return render(request, "bookings/schedule/feed.html", context)


def _page_of(doctor: Doctor) -> str:
    return f"{reverse('bookings:feed')}?{urlencode({'doctor': doctor.pk})}"

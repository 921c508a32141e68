"""A patient's appointments: the list, one of them, and its calendar file."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts.users import signed_in
from bookings.actors.holder import current_holder
from bookings.appointments.calendar_file import appointment_calendar
from bookings.appointments.forms import CancelForm
from bookings.appointments.presentation import AppointmentView, seconds_left, view_of
from bookings.appointments.selectors.appointments import (
    TABS,
    Link,
    appointments_of_patient,
    contact_of,
    counts_by_tab,
    get_appointment,
    in_tab,
    links_to,
)
from bookings.appointments.selectors.chains import chain_of
from bookings.appointments.views.sign_in import sign_in_where_nothing_is_found
from bookings.engine.links import offer_token, present_step
from bookings.engine.selectors import live_holds
from bookings.models import Appointment, Hold
from bookings.states import AppointmentStatus
from docbook.notify.masking import masked_email
from doctors.templatetags.clinic_time import days_until, is_same_day_here
from doctors.views.picker_page import Notice

PAGE_SIZE = 20


@require_safe
@sign_in_where_nothing_is_found
def appointment(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Shown after the booking, and whenever the patient comes back."""
    found = get_appointment(appointment_id=appointment_id, holder=current_holder(request))
    return show_appointment(request, found, just_confirmed=request.GET.get("confirmed") == "1")


def show_appointment(
    request: HttpRequest,
    found: Appointment,
    *,
    just_confirmed: bool = False,
    notice: Notice | None = None,
    status: int = 200,
) -> HttpResponse:
    """The visit as it is now. The notice says why a request did not change it."""
    contact = contact_of(found)
    view = view_of(found, now=timezone.now(), phone=contact.phone)
    # The address stays in histories and bookmarks, and would say "confirmed" forever.
    just_confirmed = (
        just_confirmed and found.status == AppointmentStatus.CONFIRMED and not view.is_past
    )
    links = links_to([found.replaces, found.replaced_by])
    context = {
        "appointment": view,
        "moved_from": links.get(found.replaces) if found.replaces else None,
        "moved_to": links.get(found.replaced_by) if found.replaced_by else None,
        "just_confirmed": just_confirmed,
        # How somebody without a password comes back, on this device or another one.
        "code_goes_to": ""
        if request.user.is_authenticated and request.user.has_usable_password()
        else masked_email(contact.email),
        "notice": notice,
        "cancel_form": CancelForm(),
        "google_url": view.google_url,
        "outlook_url": view.outlook_url,
        "map_url": view.map_url,
        "nav": "appointments",
    }
    return render(request, "bookings/appointments/appointment.html", context, status=status)


@require_safe
def calendar_file(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    found = get_appointment(appointment_id=appointment_id, holder=current_holder(request))
    now = timezone.now()
    url = request.build_absolute_uri(reverse("bookings:appointment", args=[appointment_id]))
    content = appointment_calendar(view_of(found, now=now), chain=chain_of(found), now=now, url=url)
    headers = {"Content-Disposition": 'attachment; filename="appointment.ics"'}
    return HttpResponse(content, content_type="text/calendar; charset=utf-8", headers=headers)


@login_required
@require_safe
def appointments(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    tab = request.GET.get("tab", "")
    tab = tab if tab in TABS else TABS[0]
    mine = appointments_of_patient(patient=signed_in(request))
    page = Paginator(in_tab(mine, tab=tab, now=now), PAGE_SIZE).get_page(request.GET.get("page"))
    moved_to = links_to(each.replaced_by for each in page.object_list)
    rows = [_row(view_of(each, now=now), moved_to=moved_to) for each in page.object_list]
    held = list(live_holds(holder=current_holder(request)))
    counts = counts_by_tab(patient=signed_in(request), now=now)
    context = {
        "tabs": [_tab(key, count=counts[key], chosen=tab) for key in TABS],
        "tab": tab,
        "offers": _offers((each for each in held if each.waitlist_entry_id), now=now),
        "held": _held(each for each in held if not each.waitlist_entry_id),
        "page": page,
        "months": _by_month(rows),
        "names_zones": len({each.time_zone for each in page.object_list}) > 1,
        "nav": "appointments",
    }
    return render(request, "bookings/appointments/appointments.html", context)


def _tab(key: str, *, count: int, chosen: str) -> dict[str, object]:
    labels = {"upcoming": _("Upcoming"), "past": _("Past"), "cancelled": _("Cancelled")}
    return {
        "key": key,
        "label": labels[key],
        "count": count,
        "url": f"{reverse('bookings:appointments')}?tab={key}",
        "current": key == chosen,
    }


def _held(holds: Iterable[Hold]) -> list[dict[str, object]]:
    """Unconfirmed times, for people who have lost the page."""
    return [{"hold": hold, "url": present_step(hold)} for hold in holds]


@dataclass(frozen=True)
class HeldOffer:
    """A time that waits for an answer, for people who have lost the mail with its link."""

    hold: Hold
    token: str
    url: str
    seconds_left: int
    term: int
    replaced: Link | None


def _offers(holds: Iterable[Hold], *, now: datetime) -> list[HeldOffer]:
    offers = list(holds)
    replaced = links_to(hold.replaces for hold in offers) if offers else {}
    return [
        HeldOffer(
            hold=hold,
            token=offer_token(hold),
            url=reverse("bookings:offer", args=[offer_token(hold)]),
            seconds_left=seconds_left(hold, now=now),
            term=settings.OFFER_SECONDS,
            replaced=replaced.get(hold.replaces) if hold.replaces else None,
        )
        for hold in offers
    ]


def _row(view: AppointmentView, *, moved_to: dict[UUID, Link]) -> dict[str, object]:
    return {
        "appointment": replace(view, relative=_relative(view)),
        "moved_to": moved_to.get(view.replaced_by) if view.replaced_by else None,
        "month": _local_day(view).replace(day=1),
    }


def _by_month(rows: Iterable[dict[str, object]]) -> list[dict[str, object]]:
    """In the given order, under the name of each month."""
    return [
        {"label": date_format(month, "F Y"), "rows": list(group)}
        for month, group in groupby(rows, key=itemgetter("month"))
    ]


def _local_day(view: AppointmentView) -> date:
    return view.starts_at.astimezone(ZoneInfo(view.zone)).date()


def _relative(view: AppointmentView) -> str:
    """How far away the day is, by the clinic's calendar; empty for past and cancelled visits.
    "Today" and "tomorrow" must be true here as well.
    """
    days = days_until(_local_day(view), view.zone)
    if view.is_off or days < 0 or (days < 2 and not is_same_day_here(view.zone)):
        return ""
    if days < 2:
        return _("tomorrow") if days else _("today")
    if days < 21:
        return ngettext("in %(count)d day", "in %(count)d days", days) % {"count": days}
    weeks = days // 7
    return ngettext("in %(count)d week", "in %(count)d weeks", weeks) % {"count": weeks}

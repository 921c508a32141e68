"""One tap on a time holds it, another gives it back."""

from functools import partial
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import resolve, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from bookings.actors.sessions import current_holder, remember
from bookings.appointments.views.changes import REFUSALS as CHANGE_REFUSALS
from bookings.appointments.views.changes import show_refused_change, visit_to_move
from bookings.engine.links import present_step
from bookings.engine.selectors import get_hold
from bookings.engine.services import release_hold
from bookings.errors import HoldExpired, SlotHeld
from bookings.holding.drafts import drop_draft
from bookings.holding.forms import StartForm
from bookings.holding.services.codes import request_code_of_move
from bookings.holding.services.holds import hold_slot
from bookings.holding.views.attempt import limit_codes, visit_where_the_answer_was_lost
from bookings.holding.views.refusals import WantedTime, show_refusal
from docbook.errors import DomainError, NotFound
from docbook.http import pages
from docbook.http.htmx import lead_to
from docbook.http.keyed_digest import address_key
from docbook.http.templatetags.ui import without_fragment
from docbook.http.throttling import enforce_together, limit_of
from doctors.selectors.doctors import doctor_of_visit_type, is_bookable, slot_of_doctor
from doctors.views.addresses import day_url, page_of, with_query

# The pages where somebody who gives a time back may want to continue.
TIMES = ("doctors:detail", "bookings:reschedule")


@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponseBase:
    """A tap on the time makes the hold. A reload of this address leads back to the doctors."""
    if request.method != "POST":
        return redirect("doctors:list")
    enforce_together(limit_of("hold", request))
    form = StartForm(request.POST)
    if not form.is_valid():
        return pages.error_page(request, status=400)
    asked, holder = form.cleaned_data, current_holder(request, begins=True)
    slot_id, visit_type_id, replaces = asked["slot"], asked["visit_type"], asked["replaces"]
    try:
        hold = hold_slot(
            slot_id=slot_id,
            visit_type_id=visit_type_id,
            holder=holder,
            address=address_key(request),
            replaces=replaces,
            instead_of=asked["instead_of"],
            now=timezone.now(),
        )
    except CHANGE_REFUSALS as error:
        return show_refused_change(request, error, appointment_id=replaces)
    except DomainError as error:
        if isinstance(error, SlotHeld) and error.attempt_id:  # the second tap on the same time
            own = get_hold(hold_id=error.attempt_id, holder=holder)
            return lead_to(request, present_step(own))
        wanted = {"slot_id": slot_id, "visit_type_id": visit_type_id}
        return _start_refused(request, error, replaces=replaces, **wanted)
    remember(request, hold)
    if replaces:
        limit = partial(limit_codes, request)  # the page of the details tells its refusal
        hold = request_code_of_move(hold, holder=holder, count_request=limit, now=timezone.now())
    return lead_to(request, present_step(hold))


@require_POST
@visit_where_the_answer_was_lost
def release(request: HttpRequest, hold_id: UUID) -> HttpResponseBase:
    """Gives the time back and shows the doctor's other times, or the times they wanted instead."""
    holder = current_holder(request)
    hold = get_hold(hold_id=hold_id, holder=holder)
    try:
        release_hold(hold_id=hold_id, holder=holder)
    except HoldExpired:
        return redirect("bookings:appointment", appointment_id=hold_id)
    drop_draft(request)
    messages.success(request, _("The time is free again. Pick another one whenever you like."))
    day = hold.starts_at.astimezone(hold.zone).date()
    own_day = day_url(hold.doctor, visit_type_id=hold.visit_type_id, day=day)
    if hold.replaces:
        page = reverse("bookings:reschedule", args=[hold.replaces])
        own_day = with_query(page, date=day.isoformat())
    elif not hold.doctor.is_active:
        own_day = reverse("doctors:list")
    to = _wanted_next(request) or own_day
    # The message is at the top; a fragment would scroll past it.
    return redirect(without_fragment(to))


def _start_refused(
    request: HttpRequest,
    error: DomainError,
    *,
    slot_id: int,
    visit_type_id: int,
    replaces: UUID | None,
) -> HttpResponse:
    doctor = None if isinstance(error, NotFound) else doctor_of_visit_type(visit_type_id)
    if doctor is None:
        return pages.error_page(request, status=404)
    slot = slot_of_doctor(doctor, slot_id=slot_id)
    wanted = WantedTime(
        doctor=doctor,
        visit_type_id=visit_type_id,
        slot_id=slot_id,
        starts_at=slot.starts_at if slot else None,
        clinic=slot.clinic if slot else doctor.clinic,
        moves=visit_to_move(request, replaces) if replaces else None,
    )
    return show_refusal(request, error, wanted=wanted)


def _wanted_next(request: HttpRequest) -> str:
    """Where they wanted to continue; empty if that doctor can no longer be booked."""
    page = page_of(request.POST.get("next", ""), request=request, views=TIMES)
    slug = resolve(urlsplit(page).path).kwargs.get("slug") if page else None
    return "" if slug and not is_bookable(slug=slug) else page

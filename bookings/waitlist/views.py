"""A time offered to somebody on the waitlist, behind the link in the mail.

The link is as good as the patient's mailbox: it takes the time or gives it back, and opens nothing
else of theirs. Nobody has to sign in, because fifteen minutes are short.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.services import SignInRefused
from bookings.appointments.presentation import countdown_of
from bookings.appointments.selectors.appointments import links_to
from bookings.engine.links import read_offer_token
from bookings.errors import AppointmentLimit, HoldExpired, NotChangeable, OtpLocked, PatientBusy
from bookings.models import Appointment, Hold, HoldState
from bookings.models.holds import MAX_CODE_ATTEMPTS
from bookings.waitlist.forms import NumberForm
from bookings.waitlist.rules import QuietHours
from bookings.waitlist.selectors import LIVE, Offer, get_offer, visit_to_move
from bookings.waitlist.services.offers import accept_offer, decline_offer
from docbook.errors import DomainError
from docbook.http.problems import STATUS_BY_CODE
from docbook.http.throttling import enforce, limit_of

REFUSALS = (AppointmentLimit, HoldExpired, NotChangeable, OtpLocked, PatientBusy, SignInRefused)


@require_safe
def offer(request: HttpRequest, token: str) -> HttpResponse:
    """What is offered and until when, or what happened to it."""
    return _page(request, _offer(token), token=token)


@require_POST
def accept(request: HttpRequest, token: str) -> HttpResponseBase:
    enforce(limit_of("offer", request))
    offered = _offer(token)
    form, phone = _number_form(offered, request.POST), ""
    if form is not None:
        if not form.is_valid():
            return _page(request, offered, token=token, form=form)
        phone = form.cleaned_data["phone"]
    try:
        accept_offer(offer_id=offered.hold.pk, patient=offered.patient, phone=phone)
    except REFUSALS as error:
        return _page(request, _offer(token), token=token, error=error)
    return redirect("bookings:offer", token=token)


@require_POST
def decline(request: HttpRequest, token: str) -> HttpResponseBase:
    """A time that was already taken is cancelled on the appointment's own page, not here."""
    enforce(limit_of("offer", request))
    offered = _offer(token)
    try:
        decline_offer(offer_id=offered.hold.pk, patient=offered.patient)
    except HoldExpired as error:
        return _page(request, _offer(token), token=token, error=error)
    return redirect("bookings:offer", token=token)


def _offer(token: str) -> Offer:
    return get_offer(read_offer_token(token))


def _number_form(offered: Offer, data: QueryDict | None = None) -> NumberForm | None:
    if _state(offered.hold) != "open" or not offered.hold.needs_number:
        return None
    return NumberForm(data, caller=offered.hold.doctor.name)


def _page(
    request: HttpRequest,
    offered: Offer,
    *,
    token: str,
    error: DomainError | None = None,
    form: NumberForm | None = None,
) -> HttpResponse:
    state = _state(offered.hold)
    context = {
        "offer": offered.hold,
        "zone": offered.hold.time_zone,
        "countdown": countdown_of(offered.hold, now=timezone.now()),
        "term": settings.OFFER_SECONDS,
        "token": token,
        "state": state,
        # With the visit, the wait for an earlier time has ended, even if nobody has recorded that
        # yet.
        "is_waiting": offered.entry.state in LIVE and state != "visit-changed",
        "writing_hours": QuietHours(*settings.WAITLIST_QUIET_HOURS).writing_hours,
        "replaced": _visit_to_move(offered) if state == "open" else None,
        "is_busy": isinstance(error, PatientBusy),
        "is_gone": isinstance(error, NotChangeable),
        "is_closed": isinstance(error, SignInRefused),
        "form": form or _number_form(offered),
        "is_locked": offered.hold.otp_attempts >= MAX_CODE_ATTEMPTS,
        "visits": error.limit if isinstance(error, AppointmentLimit) else None,
    }
    status = STATUS_BY_CODE[error.code] if error else 422 if form else 200
    return render(request, "bookings/waitlist/offer.html", context, status=status)


def _state(hold: Hold) -> str:
    """open, taken, given-back, visit-changed, passed-on, or withdrawn: still held, but nobody can
    book the doctor or the visit type any more.
    """
    if hold.state == HoldState.CONFIRMED:
        return "taken"
    if hold.state == HoldState.RELEASED:
        is_off = any(visit.is_off for visit in links_to([hold.replaces]).values())
        return "visit-changed" if is_off else "given-back"
    if hold.state == HoldState.EXPIRED or hold.is_over:
        return "passed-on"
    return "open" if hold.doctor.is_active and hold.visit_type.is_active else "withdrawn"


def _visit_to_move(offered: Offer) -> Appointment | None:
    if offered.hold.replaces is None:
        return None
    return visit_to_move(
        appointment_id=offered.hold.replaces, patient=offered.patient, now=timezone.now()
    )

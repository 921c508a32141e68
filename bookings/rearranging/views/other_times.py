"""Other times that the practice offers for a visit, behind the link in the mail.

The link is as good as the patient's mailbox: it moves this visit to one of these times, and opens
nothing else of theirs. Nobody has to sign in.
"""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.services import SignInRefused
from bookings.engine.links import read_other_times_token
from bookings.errors import HoldExpired, NotChangeable, PatientBusy
from bookings.models import RearrangedVisit
from bookings.rearranging.selectors import Offer, get_offer, offer_of
from bookings.rearranging.services.offers import take_offered_time
from bookings.states import CALLED_OFF, AppointmentStatus
from docbook.errors import DomainError, NotFound
from docbook.http.problems import STATUS_BY_CODE
from docbook.http.throttling import enforce, limit_of

REFUSALS = (HoldExpired, NotChangeable, PatientBusy, SignInRefused)


@require_safe
def other_times(request: HttpRequest, token: str) -> HttpResponse:
    """The times, or what happened to the visit."""
    return _page(request, _item(token), token=token)


@require_POST
def take(request: HttpRequest, token: str) -> HttpResponseBase:
    """404 for a time that was not offered here."""
    enforce(limit_of("offer", request))
    item = _item(token)
    try:
        take_offered_time(item=item, hold_id=_id(request.POST.get("hold", "")))
    except REFUSALS as error:
        return _page(request, item, token=token, error=error)
    return redirect("bookings:other_times", token=token)


def _item(token: str) -> RearrangedVisit:
    return get_offer(read_other_times_token(token))


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound from error


def _state(offer: Offer) -> str:
    """moved, cancelled, open, or over: nobody has chosen in time."""
    if offer.new:
        return "moved"
    if offer.visit.status in CALLED_OFF:
        return "cancelled"
    is_open = offer.times and offer.visit.status == AppointmentStatus.CONFIRMED
    return "open" if is_open else "over"


def _page(
    request: HttpRequest,
    item: RearrangedVisit,
    *,
    token: str,
    error: DomainError | None = None,
) -> HttpResponse:
    offer = offer_of(item)
    context = {
        "offer": offer,
        "visit": offer.visit,
        "zone": offer.visit.time_zone,
        "state": _state(offer),
        "held_until": item.offered_until,
        "token": token,
        "is_busy": isinstance(error, PatientBusy),
        "is_closed": isinstance(error, SignInRefused),
        "is_late": isinstance(error, HoldExpired | NotChangeable),
    }
    status = STATUS_BY_CODE[error.code] if error else 200
    return render(request, "bookings/rearranging/other_times.html", context, status=status)

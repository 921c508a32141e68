"""From the tap on a time to the confirmation: hold, details, code."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from bookings.code_limits import limits_of, send_counted
from bookings.destinations import destination_of
from bookings.drafts import DRAFT_FIELDS, draft_of, drop_draft, keep_draft
from bookings.errors import (
    AppointmentLimit,
    DetailsMissing,
    HoldExpired,
    NotChangeable,
    OtpInvalid,
    OtpLocked,
    PatientBusy,
    SlotHeld,
)
from bookings.forms import CodeForm, DetailsForm, StartForm
from bookings.holder import Holder
from bookings.models import Hold, HoldState
from bookings.models.holds import MAX_CODE_ATTEMPTS, MAX_CODE_RESENDS
from bookings.offer_link import offer_token
from bookings.selectors.appointments import Link, links_to
from bookings.selectors.holds import get_hold, is_over
from bookings.services.codes import (
    Details,
    request_code,
    resend_code,
    seconds_until_resend,
)
from bookings.services.confirmation import confirm_booking
from bookings.services.holds import hold_slot
from bookings.services.releases import release_hold
from bookings.sessions import current_holder, holder_who_starts, open_account, remember
from bookings.views.changes import REFUSALS as CHANGE_REFUSALS
from bookings.views.changes import show_refused_change, visit_to_move
from bookings.views.refusals import Wanted, show_lost_hold, show_refusal
from docbook.errors import DomainError, NotFound, RateLimited
from docbook.http import pages
from docbook.http.htmx import wants_fragment
from docbook.http.problems import STATUS_BY_CODE
from docbook.http.throttling import address_key, limit_by_address
from doctors.models import Clinic, Doctor, VisitType
from doctors.selectors.doctors import get_bookable_doctor
from doctors.views.addresses import day_url, page_of, with_query

HOLD_RATE = "30/m"
CODE_RATE = "30/m"
# After these the hold's own page has nothing more to say.
LOST = (HoldExpired, OtpLocked, PatientBusy, AppointmentLimit)
# Where somebody who gives a time back may want to go on picking.
TIMES = ("doctors:detail", "bookings:reschedule")


@dataclass(frozen=True)
class Ticket:
    """What is being booked, as every step shows it."""

    id: UUID
    doctor: Doctor
    clinic: Clinic
    visit_type: VisitType
    zone: str
    starts_at: datetime
    ends_at: datetime
    expires_at: datetime
    seconds_left: int
    who: str
    patient_email: str
    # The time that is kept until this one is confirmed.
    keeps: Link | None


@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponseBase:
    """The tap on a time is the hold. A reload of its address leads back to the doctors."""
    if request.method != "POST":
        return redirect("doctors:list")
    limit_by_address(request, group="hold", rate=HOLD_RATE)
    form = StartForm(request.POST)
    if not form.is_valid():
        return pages.error_page(request, status=400)
    slot_id, visit_type_id = form.cleaned_data["slot"], form.cleaned_data["visit_type"]
    holder, replaces = holder_who_starts(request), form.cleaned_data["replaces"]
    if instead_of := form.cleaned_data["instead_of"]:
        _give_back(instead_of, holder=holder)
    try:
        hold = hold_slot(
            slot_id=slot_id,
            visit_type_id=visit_type_id,
            holder=holder,
            address=address_key(request),
            replaces=replaces,
            now=timezone.now(),
        )
    except CHANGE_REFUSALS as error:
        return show_refused_change(request, error, appointment_id=replaces)
    except DomainError as error:
        if own := _same_hold(error, holder=holder, wanted=(slot_id, visit_type_id, replaces)):
            return _go(request, _present_step(own))
        wanted = {"slot_id": slot_id, "visit_type_id": visit_type_id}
        return _start_refused(request, error, replaces=replaces, **wanted)
    remember(request, hold)
    return _go(request, _first_step(request, hold, holder=holder))


@require_http_methods(["GET", "HEAD", "POST"])
def details(request: HttpRequest, hold_id: UUID) -> HttpResponseBase:
    """Who comes, typed while the time is held."""
    holder = current_holder(request)
    hold = get_hold(hold_id=hold_id, holder=holder)
    if elsewhere := _over(request, hold) or _offered(hold):
        return elsewhere
    if request.POST.get("then") == "sign-in":
        keep_draft(request)
        return redirect_to_login(request.path)
    known = _known(hold, holder) | draft_of(request)
    form = DetailsForm(request.POST or None, patient=holder.patient, initial=known)
    error: DomainError | None = None
    if request.method == "POST" and form.is_valid():
        limit_by_address(request, group="code", rate=CODE_RATE)
        try:
            given = form.details()
            _send_code(hold, holder=holder, details=given)
        except HoldExpired as refusal:
            return _lost(request, refusal, hold)
        except RateLimited as refusal:
            error = refusal
            form.add_error(None, _no_code(hold))
        else:
            drop_draft(request)
            return redirect("bookings:code", hold_id=hold_id)
    context = {
        "ticket": _ticket(hold, holder),
        "form": form,
        "codes_by_sms": settings.CODE_CHANNEL == "sms",
        "nav": "doctors",
    }
    return render(request, "bookings/details.html", context, status=_status(form, error))


@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest, hold_id: UUID) -> HttpResponseBase:
    """The code from the e-mail; the right one books."""
    holder = current_holder(request)
    hold = get_hold(hold_id=hold_id, holder=holder)
    if elsewhere := _over(request, hold) or _offered(hold):
        return elsewhere
    if hold.code_sent_at is None:
        return redirect("bookings:details", hold_id=hold_id)
    form = CodeForm(request.POST or None)
    error: DomainError | None = None
    if request.method == "POST" and form.is_valid():
        limit_by_address(request, group="confirm", rate=CODE_RATE)
        try:
            return _confirm(request, hold, holder=holder, typed=form.cleaned_data["code"])
        except OtpInvalid as refusal:
            error = refusal
            form.add_error("code", _wrong_code(refusal.attempts_left))
        except LOST as refusal:
            return _lost(request, refusal, hold)
        except NotChangeable as refusal:
            # The visit that would have moved has become something else meanwhile.
            return show_refused_change(request, refusal, appointment_id=hold.replaces or hold.pk)
        hold = get_hold(hold_id=hold_id, holder=holder)
    return _code_page(request, hold, holder=holder, form=form, status=_status(form, error))


@require_POST
def resend(request: HttpRequest, hold_id: UUID) -> HttpResponseBase:
    """A new code; the old one stops working."""
    limit_by_address(request, group="code", rate=CODE_RATE)
    holder = current_holder(request)
    hold = get_hold(hold_id=hold_id, holder=holder)
    try:
        send_counted(
            lambda now: resend_code(hold_id=hold_id, holder=holder, now=now),
            limits=limits_of(patient_id=hold.patient_id, email=hold.email, phone=hold.phone),
            now=timezone.now(),
        )
    except HoldExpired as refusal:
        return _over(request, hold) or _lost(request, refusal, hold)
    except DetailsMissing:
        return redirect("bookings:details", hold_id=hold_id)
    except RateLimited as refusal:
        messages.warning(request, _no_new_code(refusal))
    else:
        text = _("A new code is on its way to %(address)s. The old one no longer works.")
        messages.success(request, text % {"address": destination_of(hold).masked})
    return redirect("bookings:code", hold_id=hold_id)


@require_POST
def release(request: HttpRequest, hold_id: UUID) -> HttpResponseBase:
    """Gives the time back and shows the doctor's other times, or those that were wanted instead."""
    holder = current_holder(request)
    hold = get_hold(hold_id=hold_id, holder=holder)
    try:
        release_hold(hold_id=hold_id, holder=holder)
    except HoldExpired:
        return redirect("bookings:appointment", appointment_id=hold_id)
    messages.success(request, _("The time is free again. Pick another one whenever you like."))
    day = hold.starts_at.astimezone(hold.clinic.zone).date()
    own_day = day_url(hold.doctor, visit_type_id=hold.visit_type_id, day=day)
    if hold.replaces:
        page = reverse("bookings:reschedule", args=[hold.replaces])
        own_day = with_query(page, date=day.isoformat())
    return redirect(page_of(request.POST.get("next", ""), request=request, views=TIMES) or own_day)


def _go(request: HttpRequest, url: str) -> HttpResponseBase:
    """Htmx would put the next page into the picker's place, so it is told to go there."""
    return HttpResponseClientRedirect(url) if wants_fragment(request) else redirect(url)


def _first_step(request: HttpRequest, hold: Hold, *, holder: Holder) -> str:
    """Who comes is known where a visit moves: its code goes out at once."""
    if hold.replaces and _send_code_of_move(request, hold, holder=holder):
        return reverse("bookings:code", args=[hold.pk])
    return reverse("bookings:details", args=[hold.pk])


def _same_hold(
    error: DomainError, *, holder: Holder, wanted: tuple[int, int, UUID | None]
) -> Hold | None:
    """The hold of the first tap, where this is the second one on the same time."""
    if not (isinstance(error, SlotHeld) and error.attempt_id):
        return None
    hold = get_hold(hold_id=error.attempt_id, holder=holder)
    return hold if (hold.slot_ids[0], hold.visit_type_id, hold.replaces) == wanted else None


def _present_step(hold: Hold) -> str:
    step = "bookings:code" if hold.code_sent_at else "bookings:details"
    return reverse(step, args=[hold.pk])


def _send_code_of_move(request: HttpRequest, hold: Hold, *, holder: Holder) -> bool:
    """False where something has to be typed or waited for; the page of the details says what."""
    known = _known(hold, holder)
    email = holder.patient.email if holder.patient else known["email"]
    details = Details(**{**known, "email": email.lower()})
    if not (details.first_name and details.last_name and details.email):
        return False
    try:
        limit_by_address(request, group="code", rate=CODE_RATE)
        _send_code(hold, holder=holder, details=details)
    except RateLimited:
        return False
    return True


def _send_code(hold: Hold, *, holder: Holder, details: Details) -> None:
    patient_id = holder.patient.pk if holder.patient else None
    send_counted(
        lambda now: request_code(hold_id=hold.pk, holder=holder, details=details, now=now),
        limits=limits_of(patient_id=patient_id, email=details.email, phone=details.phone),
        now=timezone.now(),
    )


def _start_refused(
    request: HttpRequest,
    error: DomainError,
    *,
    slot_id: int,
    visit_type_id: int,
    replaces: UUID | None,
) -> HttpResponse:
    visit_type = VisitType.objects.filter(pk=visit_type_id, doctor__is_active=True).first()
    if visit_type is None or isinstance(error, NotFound):
        return pages.error_page(request, status=404)
    starts_at = visit_type.doctor.slots.filter(pk=slot_id).values_list("starts_at", flat=True)
    wanted = Wanted(
        doctor=get_bookable_doctor(pk=visit_type.doctor_id),
        visit_type_id=visit_type_id,
        slot_id=slot_id,
        starts_at=starts_at.first(),
        moves=visit_to_move(request, replaces) if replaces else None,
    )
    return show_refusal(request, error, wanted=wanted)


def _give_back(hold_id: UUID, *, holder: Holder) -> None:
    """Raises NotFound for somebody else's. A hold that became an appointment is in no one's way."""
    with suppress(HoldExpired):
        release_hold(hold_id=hold_id, holder=holder)


def _over(request: HttpRequest, hold: Hold) -> HttpResponseBase | None:
    """Where to go with a hold that no longer waits to be confirmed."""
    if hold.state == HoldState.CONFIRMED:
        return redirect("bookings:appointment", appointment_id=hold.pk)
    if hold.state == HoldState.HELD and not is_over(hold.pk):
        return None
    locked = hold.otp_attempts >= MAX_CODE_ATTEMPTS
    return _lost(request, OtpLocked() if locked else HoldExpired(), hold)


def _offered(hold: Hold) -> HttpResponseBase | None:
    """An offer of the waitlist wants neither details nor a code, and has a page of its own."""
    if hold.waitlist_entry_id is None:
        return None
    return redirect("bookings:offer", token=offer_token(hold))


def _lost(request: HttpRequest, error: DomainError, hold: Hold) -> HttpResponse:
    """What was typed, now or before, waits for the next hold."""
    keep_draft(request, sent=_sent(hold))
    return show_lost_hold(request, error, hold)


def _confirm(request: HttpRequest, hold: Hold, *, holder: Holder, typed: str) -> HttpResponseBase:
    appointment = confirm_booking(hold_id=hold.pk, holder=holder, code=typed)
    drop_draft(request)
    open_account(request, appointment)
    url = reverse("bookings:appointment", args=[appointment.pk])
    return redirect(f"{url}?confirmed=1")


def _code_page(
    request: HttpRequest, hold: Hold, *, holder: Holder, form: CodeForm, status: int
) -> HttpResponse:
    to = destination_of(hold)
    context = {
        "ticket": _ticket(hold, holder),
        "form": form,
        "sent_to": to.masked,
        "by_sms": to.channel == "sms",
        "resend_in": seconds_until_resend(hold=hold, now=timezone.now()),
        "resends_left": MAX_CODE_RESENDS - hold.otp_resends,
        "attempts_left": MAX_CODE_ATTEMPTS - hold.otp_attempts,
        "nav": "doctors",
    }
    return render(request, "bookings/code.html", context, status=status)


def _no_code(hold: Hold) -> str:
    if hold.code_sent_at:
        return _("No further code can be sent just now. The last one still works.")
    return _("Very many codes went to this address. The next one can be sent in an hour.")


def _no_new_code(refusal: RateLimited) -> str:
    # Any longer wait is none for a pause, and would outlast the hold.
    if refusal.retry_after > settings.CODE_RESEND_SECONDS:
        return _("No further code can be sent for this time. The last one still works.")
    return ngettext(
        "A new code in %(count)d second. The last one still works.",
        "A new code in %(count)d seconds. The last one still works.",
        refusal.retry_after,
    ) % {"count": refusal.retry_after}


def _wrong_code(attempts_left: int) -> str:
    return ngettext(
        "That is not the code we sent. %(count)d try left.",
        "That is not the code we sent. %(count)d tries left.",
        attempts_left,
    ) % {"count": attempts_left}


def _status(form: DetailsForm | CodeForm, error: DomainError | None) -> int:
    if error is not None:
        return STATUS_BY_CODE[error.code]
    return 422 if form.is_bound and not form.is_valid() else 200


def _known(hold: Hold, holder: Holder) -> dict[str, str]:
    """What was typed before, for this time or the one that moves; else what the account knows."""
    patient = holder.patient
    if hold.replaces and not hold.code_sent_at:
        moved = get_hold(hold_id=hold.replaces, holder=holder)
        return {name: getattr(moved, name) for name in DRAFT_FIELDS}
    if hold.code_sent_at or patient is None:
        return _sent(hold)
    return {name: getattr(patient, name) for name in ("first_name", "last_name", "phone")}


def _sent(hold: Hold) -> dict[str, str]:
    """The details as they stand in the hold."""
    return {name: getattr(hold, name) for name in DRAFT_FIELDS} if hold.code_sent_at else {}


def _ticket(hold: Hold, holder: Holder) -> Ticket:
    left = (hold.expires_at - timezone.now()).total_seconds()
    return Ticket(
        id=hold.pk,
        doctor=hold.doctor,
        clinic=hold.clinic,
        visit_type=hold.visit_type,
        zone=hold.clinic.time_zone,
        starts_at=hold.starts_at,
        ends_at=hold.ends_at,
        expires_at=hold.expires_at,
        seconds_left=max(0, int(left)),
        who=f"{hold.first_name} {hold.last_name}".strip(),
        patient_email=holder.patient.email if holder.patient else "",
        keeps=links_to([hold.replaces]).get(hold.replaces) if hold.replaces else None,
    )

"""From the held time to the visit: who comes, and the code that proves it."""

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

from accounts.services import SignInRefused
from bookings.actors.holder import Holder
from bookings.actors.sessions import current_holder, open_account
from bookings.appointments.services.changes import find_changeable_appointment
from bookings.appointments.views.changes import REFUSALS as CHANGE_REFUSALS
from bookings.appointments.views.changes import show_refused_change
from bookings.engine.links import present_step
from bookings.engine.selectors import ending_of, get_hold
from bookings.errors import (
    AlreadyConfirmed,
    AppointmentLimit,
    DetailsMissing,
    HoldExpired,
    NotChangeable,
    NumberNeeded,
    OtpInvalid,
    OtpLocked,
    PatientBusy,
    TooManyGuesses,
)
from bookings.holding.destinations import Recipient, destination_of
from bookings.holding.drafts import draft_of, drop_draft, keep_draft
from bookings.holding.forms import CodeForm, DetailsForm
from bookings.holding.selectors import wants_long_code
from bookings.holding.services.codes import (
    known_details,
    request_code,
    resend_code,
    seconds_until_resend,
    send_counted,
)
from bookings.holding.services.confirmation import confirm
from bookings.holding.views.attempt import (
    guessers_at,
    limit_codes,
    ticket_of,
    visit_where_the_answer_was_lost,
)
from bookings.holding.views.refusals import show_lost_hold
from bookings.models import Hold, HoldState
from bookings.models.holds import MAX_CODE_ATTEMPTS, MAX_CODE_RESENDS
from docbook.errors import DomainError, FieldError, RateLimited
from docbook.http.problems import STATUS_BY_CODE
from docbook.http.rate_headers import add_headers, headers_of
from docbook.http.throttling import enforce_together, limit_of
from docbook.observability import refusal
from doctors.models import Mode
from doctors.templatetags.clinic_time import moment_in_full
from doctors.views.picker_page import Notice

# After these, the hold's own page has nothing more to show.
LOST = (HoldExpired, OtpLocked, PatientBusy, AppointmentLimit, SignInRefused)


@require_http_methods(["GET", "HEAD", "POST"])
@visit_where_the_answer_was_lost
def details(request: HttpRequest, hold_id: UUID) -> HttpResponseBase:
    """The patient's details, entered while the time is held."""
    holder = current_holder(request)
    hold = get_hold(hold_id=hold_id, holder=holder)
    if elsewhere := _elsewhere(request, hold):
        return elsewhere
    if request.POST.get("then") == "sign-in":
        keep_draft(request)
        return redirect_to_login(request.path)
    caller = hold.doctor.name if hold.mode == Mode.PHONE else ""
    form = DetailsForm(request.POST or None, patient=holder.patient, caller=caller)
    error: DomainError | None = None
    if not form.is_bound:
        form.initial = known_details(hold, holder=holder) | draft_of(request)
    elif form.is_valid():
        try:
            limit_codes(request)
        except RateLimited:
            keep_draft(request)
            raise
        given = form.details()
        patient_id = holder.patient.pk if holder.patient else None
        try:
            send_counted(
                lambda now: request_code(hold_id=hold_id, holder=holder, details=given, now=now),
                to=Recipient(patient_id, given.email, given.phone),
                now=timezone.now(),
            )
        except AlreadyConfirmed:  # in another tab, a moment ago
            return redirect("bookings:appointment", appointment_id=hold_id)
        except HoldExpired as over:
            return _lost(request, over, hold)
        except (RateLimited, NumberNeeded, FieldError) as refused:
            keep_draft(request)
            error = refused
            form.add_error(*_said_of(refused, form=form, hold=hold, holder=holder))
        else:
            drop_draft(request)
            return redirect("bookings:code", hold_id=hold_id)
    context = {
        "ticket": ticket_of(hold, holder),
        "form": form,
        "codes_by_sms": settings.CODE_CHANNEL == "sms",
        "nav": "appointments" if hold.replaces else "doctors",
    }
    response = render(
        request, "bookings/holding/details.html", context, status=_status(form, error)
    )
    add_headers(response, headers_of(error))
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@visit_where_the_answer_was_lost
def code(request: HttpRequest, hold_id: UUID) -> HttpResponseBase:
    """The code from the e-mail. The right one books."""
    holder = current_holder(request)
    hold = get_hold(hold_id=hold_id, holder=holder)
    if elsewhere := _elsewhere(request, hold):
        return elsewhere
    if hold.code_sent_at is None:
        return redirect(present_step(hold))
    form = CodeForm(request.POST) if request.method == "POST" else _form_of_code(request, hold)
    if request.method == "POST" and form.is_valid():
        limits = ["confirm"] if holder.patient is None else ["confirm", "confirm-user"]
        enforce_together(*(limit_of(name, request) for name in limits))
        if form.cleaned_data["seen"] not in ("", hold.digest):
            return _ask_again(request, hold, holder=holder)
        return _try(request, hold, holder=holder, typed=form.cleaned_data["code"])
    status = 422 if request.method == "POST" else 200
    return _code_page(request, hold, holder=holder, form=form, status=status)


@require_POST
@visit_where_the_answer_was_lost
def resend(request: HttpRequest, hold_id: UUID) -> HttpResponseBase:
    """A new code; the old one stops working."""
    limit_codes(request)
    holder = current_holder(request)
    hold = get_hold(hold_id=hold_id, holder=holder)
    try:
        send_counted(
            lambda now: resend_code(hold_id=hold_id, holder=holder, now=now),
            to=hold,
            now=timezone.now(),
        )
    except AlreadyConfirmed:
        return redirect("bookings:appointment", appointment_id=hold_id)
    except HoldExpired as over:
        return _elsewhere(request, hold) or _lost(request, over, hold)
    except DetailsMissing:
        return redirect("bookings:details", hold_id=hold_id)
    except RateLimited as limit:
        messages.warning(request, _no_new_code(limit))
    else:
        text = _("A new code is on its way to %(address)s. The old one no longer works.")
        messages.success(request, text % {"address": destination_of(hold).masked})
    return redirect("bookings:code", hold_id=hold_id)


def _elsewhere(request: HttpRequest, hold: Hold) -> HttpResponseBase | None:
    """Where to go with a hold that can no longer be confirmed, or that is a waitlist offer."""
    ending = ending_of(hold)
    if ending is None:
        is_here = hold.state == HoldState.HELD and hold.waitlist_entry_id is None
        return None if is_here else redirect(present_step(hold))
    if hold.replaces:
        try:
            find_changeable_appointment(
                appointment_id=hold.replaces,
                by=current_holder(request),
                version=None,
                now=timezone.now(),
            )
        except CHANGE_REFUSALS as changed:  # otherwise they would book a second visit
            return show_refused_change(request, changed, appointment_id=hold.replaces, attempt=hold)
    return _lost(request, ending, hold)


def _lost(request: HttpRequest, error: DomainError, hold: Hold) -> HttpResponse:
    """The typed details wait for the next hold."""
    sent = known_details(hold, holder=current_holder(request)) if hold.code_sent_at else {}
    keep_draft(request, sent=sent)
    return show_lost_hold(request, error, hold)


def _try(request: HttpRequest, hold: Hold, *, holder: Holder, typed: str) -> HttpResponseBase:
    try:
        guessers = guessers_at(request, hold) if holder.patient is None else None
        confirm(hold_id=hold.pk, holder=holder, code=typed, guessers=guessers)
    except OtpInvalid as wrong:
        refusal.note(wrong.code)
        # Away from the POST: reloading, or reopening a tab that the phone has dropped, would try
        # again.
        return redirect(f"{request.path}?wrong=1")
    except TooManyGuesses as many:
        refusal.note(many.code)
        form = CodeForm.after_wrong_code(_too_many_guesses(hold, holder))
        response = _code_page(request, hold, holder=holder, form=form, status=429)
        add_headers(response, headers_of(many))
        return response
    except LOST as gone:
        return _lost(request, gone, hold)
    except NotChangeable as changed:
        # The visit that would have moved has changed in the meantime.
        return show_refused_change(
            request, changed, appointment_id=hold.replaces or hold.pk, attempt=hold
        )
    drop_draft(request)
    if holder.patient is None:
        open_account(request, visit_id=hold.pk)
    return redirect(f"{reverse('bookings:appointment', args=[hold.pk])}?confirmed=1")


def _ask_again(request: HttpRequest, hold: Hold, *, holder: Holder) -> HttpResponse:
    """The practice has changed the visit, so the patient must see it before it is booked."""
    notice = Notice(
        "changed",
        _("The practice has just changed this visit."),
        _(
            "It is now: %(when)s, %(visit)s, %(place)s, %(address)s. Enter the code to book it with"
            " these details."
        )
        % {
            "when": moment_in_full(hold.starts_at, hold.time_zone),
            "visit": hold.visit_name,
            "place": hold.place.name,
            "address": hold.place.address,
        },
    )
    return _code_page(request, hold, holder=holder, form=CodeForm(), status=409, notice=notice)


def _form_of_code(request: HttpRequest, hold: Hold) -> CodeForm:
    if hold.otp_attempts and request.GET.get("wrong") == "1":
        return CodeForm.after_wrong_code(_wrong_code(MAX_CODE_ATTEMPTS - hold.otp_attempts))
    return CodeForm()


def _code_page(
    request: HttpRequest,
    hold: Hold,
    *,
    holder: Holder,
    form: CodeForm,
    status: int,
    notice: Notice | None = None,
) -> HttpResponse:
    to, is_long = destination_of(hold), wants_long_code(hold)
    if is_long:
        form.ask_for_long_code()
    context = {
        "ticket": ticket_of(hold, holder),
        "form": form,
        "seen": hold.digest,
        "notice": notice,
        "sent_to": to.masked,
        "by_sms": to.channel == "sms",
        "wants_long_code": is_long,
        "resend_in": seconds_until_resend(hold=hold, now=timezone.now()),
        "resends_left": MAX_CODE_RESENDS - hold.otp_resends,
        "attempts_left": MAX_CODE_ATTEMPTS - hold.otp_attempts,
        "nav": "appointments" if hold.replaces else "doctors",
    }
    return render(request, "bookings/holding/code.html", context, status=status)


def _said_of(
    refused: DomainError, *, form: DetailsForm, hold: Hold, holder: Holder
) -> tuple[str | None, str]:
    """The field of the form that a refusal is about, and what is said there."""
    if isinstance(refused, RateLimited):
        return None, _no_code(hold, holder, refused)
    if isinstance(refused, FieldError):
        return refused.field, _("A visit that moves keeps the address it was booked with.")
    return "phone", str(form.fields["phone"].error_messages["required"])


def _no_code(hold: Hold, holder: Holder, refusal: RateLimited) -> str:
    if hold.code_sent_at:
        return _("We cannot send another code right now. The last one still works.")
    minutes = -(-refusal.retry_after // 60)
    if holder.patient is None:  # strangers cannot use up what an account has
        return ngettext(
            "We have sent many codes to this address. We can send the next one in %(count)d"
            " minute. If the address is yours and has an account, sign in below to continue at"
            " once.",
            "We have sent many codes to this address. We can send the next one in %(count)d"
            " minutes. If the address is yours and has an account, sign in below to continue at"
            " once.",
            minutes,
        ) % {"count": minutes}
    return _("We have sent many codes to this address. We can send the next one in an hour.")


def _no_new_code(refusal: RateLimited) -> str:
    # A longer wait is no short pause, and would outlast the hold.
    if refusal.retry_after > settings.CODE_RESEND_SECONDS:
        return _("We cannot send another code for this time. The last one still works.")
    return ngettext(
        "You can get a new code in %(count)d second. The last one still works.",
        "You can get a new code in %(count)d seconds. The last one still works.",
        refusal.retry_after,
    ) % {"count": refusal.retry_after}


def _too_many_guesses(hold: Hold, holder: Holder) -> str:
    if holder.patient is not None:
        return _("You have entered too many wrong codes today. Please call the clinic.")
    if hold.otp_resends < MAX_CODE_RESENDS:
        return _(
            "Too many wrong codes were entered for this address today. Send a new code. It will"
            " have twelve characters, which nobody can guess."
        )
    return _(
        "Too many wrong codes were entered for this address today. Give the time back and hold it"
        " again. The new code will have twelve characters, which nobody can guess."
    )


def _wrong_code(attempts_left: int) -> str:
    return ngettext(
        "That is not the code we sent. %(count)d try left.",
        "That is not the code we sent. %(count)d tries left.",
        attempts_left,
    ) % {"count": attempts_left}


def _status(form: DetailsForm, error: DomainError | None) -> int:
    if error is not None:
        refusal.note(error.code)
        return STATUS_BY_CODE[error.code]
    return 422 if form.is_bound and not form.is_valid() else 200

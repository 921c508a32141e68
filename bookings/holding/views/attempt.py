"""The pages of a booking's steps, and what they say."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bookings.actors.holder import Holder
from bookings.holding.forms import UNTOUCHED, CodeForm, DetailsForm
from bookings.holding.selectors import wants_long_code
from bookings.holding.services.codes import destination_of, seconds_until_resend
from bookings.holding.views.ticket import ticket_of
from bookings.models import Hold
from bookings.models.holds import MAX_CODE_ATTEMPTS, MAX_CODE_RESENDS
from docbook.errors import DomainError, FieldError, RateLimited
from docbook.http.problems import STATUS_BY_CODE
from docbook.http.rate_headers import add_headers, headers_of
from docbook.observability import refusal
from doctors.templatetags.clinic_time import moment_in_full
from doctors.views.picker_page import Notice


def details_page(
    request: HttpRequest,
    hold: Hold,
    *,
    holder: Holder,
    form: DetailsForm,
    error: DomainError | None,
) -> HttpResponse:
    context = {
        "ticket": ticket_of(hold, holder),
        "form": form,
        "codes_by_sms": settings.CODE_CHANNEL == "sms",
        "nav": "appointments" if hold.replaces else "doctors",
    }
    status = 422 if form.is_bound and not form.is_valid() else 200
    if error is not None:
        refusal.note(error.code)
        status = STATUS_BY_CODE[error.code]
    response = render(request, "bookings/holding/details.html", context, status=status)
    add_headers(response, headers_of(error))
    return response


def code_page(
    request: HttpRequest,
    hold: Hold,
    *,
    holder: Holder,
    form: CodeForm | None = None,
    status: int = 200,
    notice: Notice | None = None,
) -> HttpResponse:
    """Without a form, nobody has typed a code yet."""
    to, is_long = destination_of(hold), wants_long_code(hold)
    if is_long:
        form = form or CodeForm()
        form.ask_for_long_code()
    context = {
        "ticket": ticket_of(hold, holder),
        "form": form or UNTOUCHED,
        "is_untouched": form is None,
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


def notice_of_change(hold: Hold) -> Notice:
    return Notice(
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


def form_after_wrong_code(request: HttpRequest, hold: Hold) -> CodeForm | None:
    if hold.otp_attempts and request.GET.get("wrong") == "1":
        return CodeForm.after_wrong_code(_wrong_code(MAX_CODE_ATTEMPTS - hold.otp_attempts))
    return None


def said_of(
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


def no_new_code(refusal: RateLimited) -> str:
    # A longer wait is no short pause, and would outlast the hold.
    if refusal.retry_after > settings.CODE_RESEND_SECONDS:
        return _("We cannot send another code for this time. The last one still works.")
    return ngettext(
        "You can get a new code in %(count)d second. The last one still works.",
        "You can get a new code in %(count)d seconds. The last one still works.",
        refusal.retry_after,
    ) % {"count": refusal.retry_after}


def too_many_guesses(hold: Hold, holder: Holder) -> str:
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

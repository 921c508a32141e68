"""The steps of a booking: a tap on a time holds it; then come who it is for, and the code."""

from collections.abc import Callable, Mapping
from functools import wraps
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import resolve, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.guesses import Guessers, guessers_of
from accounts.known_browsers import is_known_to_anybody, name_of_browser
from accounts.services import SignInRefused
from accounts.users import owner_of
from bookings.actors.holder import Holder, current_holder
from bookings.actors.sessions import open_account
from bookings.appointments.services.changes import find_changeable_appointment
from bookings.appointments.views.changes import REFUSALS as CHANGE_REFUSALS
from bookings.appointments.views.changes import show_refused_change
from bookings.engine.links import present_step
from bookings.engine.selectors import became_a_visit, ending_of, get_hold
from bookings.engine.services import release_hold
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
    SlotHeld,
    TooManyGuesses,
)
from bookings.holding.forms import (
    CodeForm,
    DetailsForm,
    PatientDetailsForm,
    StartForm,
    require_phone,
)
from bookings.holding.services import drafts
from bookings.holding.services.codes import (
    Details,
    destination_of,
    known_details,
    request_code,
    resend_code,
)
from bookings.holding.services.confirmation import confirm_booking
from bookings.holding.services.holds import hold_slot
from bookings.holding.views.attempt import (
    code_page,
    details_page,
    form_after_wrong_code,
    no_new_code,
    notice_of_change,
    said_of,
    too_many_guesses,
)
from bookings.holding.views.refusals import show_lost_hold, show_refused_tap
from bookings.models import Hold, HoldState
from docbook.errors import DomainError, FieldError, NotFound, RateLimited
from docbook.http import pages
from docbook.http.htmx import lead_to
from docbook.http.keyed_digest import address_key, network_digest
from docbook.http.rate_headers import add_headers, headers_of
from docbook.http.templatetags.ui import without_fragment
from docbook.http.throttling import enforce, enforce_together, limit_of, limits_of
from docbook.observability import refusal
from doctors.models import Mode
from doctors.selectors.doctors import is_bookable
from doctors.views.addresses import day_url, page_of, with_query
from doctors.views.detail import SESSION_HOLDS

MOST_REMEMBERED = 10
# The pages where somebody who gives a time back may want to continue.
TIMES = ("doctors:detail", "bookings:reschedule")
# After these, the hold's own page has nothing more to show.
LOST = (HoldExpired, OtpLocked, PatientBusy, AppointmentLimit, SignInRefused)

# What somebody has typed about themselves but not sent yet. It survives a sign-in and a lost time.
# The session has only its id. The text is a row, deleted after a quarter of an hour, or as soon as
# it was sent, confirmed or given back.
SESSION_DRAFT = "booking_draft"
DRAFT_FIELDS = ("first_name", "last_name", "email", "phone", "reason")
LONGEST = 500

View = Callable[..., HttpResponseBase]


def step(*, of_any_hold: bool = False) -> Callable[[View], View]:
    """For the pages of a hold: the view gets the caller's own hold, and the caller. With a hold
    that can no longer be confirmed, or that is a waitlist offer, they are led elsewhere; a view
    `of_any_hold` gets it too.

    A confirmation opens an account, and with it another session. If its answer was lost, the
    browser has neither and sends the step again. If the hold became a visit, this leads to the
    visit's page, where the guest can sign in. Anything else is not found.
    """

    def decorated(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, hold_id: UUID) -> HttpResponseBase:
            holder = current_holder(request)
            try:
                hold = get_hold(hold_id=hold_id, holder=holder)
                is_here = hold.state == HoldState.HELD and hold.waitlist_entry_id is None
                ending = ending_of(hold)
                if of_any_hold or (is_here and ending is None):
                    return view(request, hold, holder)
                return _elsewhere(request, hold, ending)
            except NotFound:
                if request.user.is_authenticated or not became_a_visit(hold_id):
                    raise
                return lead_to(request, reverse("bookings:appointment", args=[hold_id]))

        return wrapped

    return decorated


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
            # The page of the details tells that it was refused.
            count_request=lambda: enforce(*limits_of("code", request)),
        )
    except CHANGE_REFUSALS as error:
        return show_refused_change(request, error, appointment_id=replaces)
    except DomainError as error:
        if isinstance(error, SlotHeld) and error.attempt_id:  # the second tap on the same time
            own = get_hold(hold_id=error.attempt_id, holder=holder)
            return lead_to(request, present_step(own))
        wanted = {"slot_id": slot_id, "visit_type_id": visit_type_id}
        return show_refused_tap(request, error, replaces=replaces, **wanted)
    # The picker shows "yours" at the times of this browser.
    kept = request.session.get(SESSION_HOLDS, {}) | {str(hold.pk): hold.slot_ids[0]}
    request.session[SESSION_HOLDS] = dict(list(kept.items())[-MOST_REMEMBERED:])
    following = "bookings:code" if hold.code_sent_at else "bookings:details"
    return lead_to(request, reverse(following, args=[hold.pk]))


@require_http_methods(["GET", "HEAD", "POST"])
@step()
def details(request: HttpRequest, hold: Hold, holder: Holder) -> HttpResponseBase:
    """The patient's details, entered while the time is held."""
    if request.POST.get("then") == "sign-in":
        _keep_draft(request)
        return redirect_to_login(request.path)
    form = (DetailsForm if holder.patient is None else PatientDetailsForm)(request.POST or None)
    if hold.mode == Mode.PHONE:
        require_phone(form.fields["phone"], caller=hold.doctor.name)
    error: DomainError | None = None
    if not form.is_bound:
        form.initial = known_details(hold, holder=holder) | _draft_of(request)
    elif form.is_valid():
        try:
            enforce(*limits_of("code", request))
        except RateLimited:
            _keep_draft(request)
            raise
        given = Details(**form.cleaned_data)
        try:
            request_code(hold_id=hold.pk, holder=holder, details=given, now=timezone.now())
        except AlreadyConfirmed:  # in another tab, a moment ago
            return redirect("bookings:appointment", appointment_id=hold.pk)
        except HoldExpired as over:
            return _lost(request, over, hold)
        except (RateLimited, NumberNeeded, FieldError) as refused:
            _keep_draft(request)
            error = refused
            form.add_error(*said_of(refused, form=form, hold=hold, holder=holder))
        else:
            _drop_draft(request)
            return redirect("bookings:code", hold_id=hold.pk)
    return details_page(request, hold, holder=holder, form=form, error=error)


@require_http_methods(["GET", "HEAD", "POST"])
@step()
def code(request: HttpRequest, hold: Hold, holder: Holder) -> HttpResponseBase:
    """The code from the e-mail. The right one books."""
    if hold.code_sent_at is None:
        return redirect("bookings:details", hold_id=hold.pk)
    if request.method != "POST":
        return code_page(request, hold, holder=holder, form=form_after_wrong_code(request, hold))
    form = CodeForm(request.POST)
    if not form.is_valid():
        return code_page(request, hold, holder=holder, form=form, status=422)
    enforce_together(*limits_of("confirm", request))
    if form.cleaned_data["seen"] not in ("", hold.digest):
        # The practice has changed the visit, so the patient must see it before it is booked.
        notice = notice_of_change(hold)
        return code_page(request, hold, holder=holder, status=409, notice=notice)
    try:
        guessers = _guessers_at(request, hold) if holder.patient is None else None
        code = form.cleaned_data["code"]
        confirm_booking(hold_id=hold.pk, holder=holder, code=code, guessers=guessers)
    except (OtpInvalid, TooManyGuesses, NotChangeable, *LOST) as error:
        return _code_refused(request, error, hold, holder=holder)
    _drop_draft(request)
    if holder.patient is None:
        open_account(request, visit_id=hold.pk)
    return redirect(f"{reverse('bookings:appointment', args=[hold.pk])}?confirmed=1")


@require_POST
@step()
def resend(request: HttpRequest, hold: Hold, holder: Holder) -> HttpResponseBase:
    """A new code; the old one stops working."""
    enforce(*limits_of("code", request))
    try:
        resend_code(hold_id=hold.pk, holder=holder, now=timezone.now())
    except AlreadyConfirmed:
        return redirect("bookings:appointment", appointment_id=hold.pk)
    except HoldExpired as over:
        return _lost(request, over, hold)
    except DetailsMissing:
        return redirect("bookings:details", hold_id=hold.pk)
    except RateLimited as limit:
        messages.warning(request, no_new_code(limit))
    else:
        text = _("A new code is on its way to %(address)s. The old one no longer works.")
        messages.success(request, text % {"address": destination_of(hold).masked})
    return redirect("bookings:code", hold_id=hold.pk)


@require_POST
@step(of_any_hold=True)
def release(request: HttpRequest, hold: Hold, holder: Holder) -> HttpResponseBase:
    """Gives the time back and shows the doctor's other times, or the times they wanted instead."""
    try:
        release_hold(hold_id=hold.pk, holder=holder)
    except HoldExpired:
        return redirect("bookings:appointment", appointment_id=hold.pk)
    _drop_draft(request)
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


def _code_refused(
    request: HttpRequest, error: DomainError, hold: Hold, *, holder: Holder
) -> HttpResponseBase:
    if isinstance(error, OtpInvalid):
        refusal.note(error.code)
        # Away from the POST: reloading, or reopening a tab that the phone has dropped, would try
        # again.
        return redirect(f"{request.path}?wrong=1")
    if isinstance(error, TooManyGuesses):
        refusal.note(error.code)
        form = CodeForm.after_wrong_code(too_many_guesses(hold, holder))
        response = code_page(request, hold, holder=holder, form=form, status=429)
        add_headers(response, headers_of(error))
        return response
    if isinstance(error, NotChangeable):
        # The visit that would have moved has changed in the meantime.
        moved = hold.replaces or hold.pk
        return show_refused_change(request, error, appointment_id=moved, attempt=hold)
    return _lost(request, error, hold)


def _elsewhere(
    request: HttpRequest, hold: Hold, ending: HoldExpired | OtpLocked | None
) -> HttpResponseBase:
    """Where to go with a hold that can no longer be confirmed, or that is a waitlist offer."""
    if ending is None:
        return redirect(present_step(hold))
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
    _keep_draft(request, sent=sent)
    return show_lost_hold(request, error, hold)


def _guessers_at(request: HttpRequest, hold: Hold) -> Guessers:
    """The guessers that a guest's wrong code counts for. Only a known browser counts separately, so
    a stranger's account need not be looked up.
    """
    owner = owner_of(hold.email) if is_known_to_anybody(request) else None
    return guessers_of(network=network_digest(request), browser=name_of_browser(request, owner))


def _wanted_next(request: HttpRequest) -> str:
    """Where they wanted to continue; empty if that doctor can no longer be booked."""
    page = page_of(request.POST.get("next", ""), request=request, views=TIMES)
    slug = resolve(urlsplit(page).path).kwargs.get("slug") if page else None
    return "" if slug and not is_bookable(slug=slug) else page


def _keep_draft(request: HttpRequest, *, sent: Mapping[str, str] | None = None) -> None:
    """Stores what a POST of the details brings, on top of what was `sent` with a lost hold."""
    given = {name: request.POST.get(name, "").replace("\0", "") for name in DRAFT_FIELDS}
    now = {name: text[:LONGEST] for name, text in given.items() if text}
    if typed := {**(sent or {}), **now}:
        draft_id = drafts.write_draft(
            draft_id=_draft_id(request), user_id=request.user.pk, typed=typed, now=timezone.now()
        )
        request.session[SESSION_DRAFT] = str(draft_id)


def _draft_of(request: HttpRequest) -> dict[str, str]:
    """Empty if somebody else typed it, or too long ago; then it is deleted."""
    draft_id = _draft_id(request)
    if draft_id is None:
        return {}
    typed = drafts.read_draft(draft_id=draft_id, user_id=request.user.pk, now=timezone.now())
    if typed is None:
        _drop_draft(request)
    return typed or {}


def _drop_draft(request: HttpRequest) -> None:
    known = request.session.pop(SESSION_DRAFT, None)
    if isinstance(known, str):
        drafts.drop_draft(draft_id=UUID(known))


def _draft_id(request: HttpRequest) -> UUID | None:
    """Old sessions, from before drafts had rows, contain the text itself. The first look
    removes it.
    """
    known = request.session.get(SESSION_DRAFT)
    if isinstance(known, dict):
        del request.session[SESSION_DRAFT]
        return None
    return UUID(known) if known else None

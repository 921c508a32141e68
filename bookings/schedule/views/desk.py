"""The desk: somebody of the practice books a caller, with the keyboard alone if they like."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.practice_sessions import of_the_practice
from accounts.users import signed_in
from bookings.actors.practice_member import PracticeMember
from bookings.appointments.selectors.appointments import contact_of
from bookings.errors import NumberNeeded, OutsideBookingWindow, PatientBusy, SlotTaken
from bookings.models import Appointment
from bookings.schedule.desk.desk_page import Caller, Choice, Offer, offer_of
from bookings.schedule.desk.selectors.next_times import doctor_with
from bookings.schedule.desk.services import (
    book_for_patient,
    caller_behind,
    caller_key,
    search_callers,
)
from bookings.schedule.desk.typed_words import Typed, typed_words
from bookings.schedule.forms.desk import LONGEST_WORDS, NEW, DeskForm, TimesForm
from bookings.schedule.views.chosen_doctor import chosen_doctor, page_of_doctor
from docbook.errors import DomainError, FieldError
from docbook.http.htmx import wants_fragment
from docbook.http.problems import STATUS_BY_CODE
from docbook.http.throttling import enforce, limit_of
from docbook.observability import refusal
from doctors.models import Doctor
from doctors.selectors.doctors import clinics_of_doctor
from doctors.templatetags.clinic_time import clock, day_and_clock
from doctors.views.picker_page import Notice

PAGE = "desk"


@dataclass(frozen=True)
class Call:
    """One request of somebody at the desk."""

    request: HttpRequest
    member: PracticeMember
    doctor: Doctor
    doctors: list[Doctor]
    now: datetime

    @property
    def step(self) -> str:
        """What was pressed: find, times or book. Empty on the first look."""
        return self.request.POST.get("step", "")

    @property
    def words(self) -> str:
        return self.request.POST.get("words", "")[:LONGEST_WORDS]

    def offer(self) -> Offer:
        """As the times are now."""
        choice = _choice(self.request)
        return offer_of(self.doctor, colleagues=self.doctors, choice=choice, now=self.now)


@of_the_practice
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def desk(request: HttpRequest) -> HttpResponse:
    """Searches, shows times, or books; 404 for people who run no day. Names come in the body of a
    request, never in an address.
    """
    member = PracticeMember(signed_in(request))
    doctor, doctors = chosen_doctor(request, member.user)
    call = Call(request, member, doctor, doctors, timezone.now())
    if wants_fragment(request):
        return _swap(call)
    offer = call.offer()
    # Times of another choice than the one that is sent with them were never looked at.
    if call.step == "book" and request.POST.get("shown_for") == offer.shown_for:
        return _book(call, offer)
    return _look(call, offer)


def _choice(request: HttpRequest) -> Choice:
    form = TimesForm(request.POST)
    form.is_valid()
    asked = form.cleaned_data
    return Choice(asked.get("visit_type"), asked.get("anybody", False), asked.get("from_on"))


def _swap(call: Call) -> HttpResponse:
    """A part of the page, which leaves the focus where it is."""
    if call.step == "times":
        context, template = _times_context(call, call.offer()), "_times"
    else:
        typed, callers = _callers(call)
        form = _form_after_search(typed, callers)
        context, template = _callers_context(call, form, typed, callers), "_callers"
    return render(call.request, f"bookings/schedule/{template}.html", context)


def _look(call: Call, offer: Offer) -> HttpResponse:
    """Books nothing: shows who may be calling, and the times."""
    typed, callers = _callers(call)
    if call.step in ("times", "book"):
        form = DeskForm(initial=call.request.POST.dict())
    else:
        form = _form_after_search(typed, callers)
    context = _callers_context(call, form, typed, callers) | _times_context(call, offer)
    return _page(call, context | {"focus": _focus(call, typed, callers)})


def _form_after_search(typed: Typed, callers: list[Caller]) -> DeskForm:
    """Somebody is chosen already only if there is no doubt. A wrong patient would get the mail."""
    sure = _surely(callers)
    chosen = sure.key if sure else "" if callers else NEW
    return DeskForm.after_search(typed, caller=chosen)


def _surely(callers: list[Caller]) -> Caller | None:
    """The only one found, if they are a patient of the practice and fit without a slip."""
    if len(callers) != 1:
        return None
    found = callers[0].found
    return callers[0] if found.is_own and found.is_exact else None


def _book(call: Call, offer: Offer) -> HttpResponse:
    form = DeskForm(call.request.POST)
    if not form.is_valid():
        return _refused(call, offer, form)
    enforce(limit_of("practice-change", call.request))
    try:
        visit = _booked(call, form)
    except NumberNeeded as error:
        form.add_error("phone" if form.is_new else "visit_phone", error.message)
        return _refused(call, offer, form)
    except FieldError as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return _refused(call, offer, form)
    except (OutsideBookingWindow, PatientBusy, SlotTaken) as error:
        refusal.note(error.code)
        status = STATUS_BY_CODE[error.code]
        return _refused(call, call.offer(), form, notice=_notice(error), status=status)
    messages.success(call.request, _what_was_done(visit))
    return redirect("bookings:visit", appointment_id=visit.pk)


def _booked(call: Call, form: DeskForm) -> Appointment:
    given = form.cleaned_data
    slot_id, visit_type_id = form.chosen_slot
    known = None if form.is_new else caller_behind(given["caller"], by=call.member)
    patient = known or form.new_patient
    return book_for_patient(
        booking_id=given["booking"],
        doctor=doctor_with(visit_type_id, doctors=call.doctors) or call.doctor,
        visit_type_id=visit_type_id,
        slot_id=slot_id,
        patient=patient,
        phone=given["visit_phone"] or patient.phone,
        reason=given["reason"],
        by=call.member,
        now=call.now,
    )


def _refused(
    call: Call,
    offer: Offer,
    form: DeskForm,
    *,
    notice: Notice | None = None,
    status: int = 422,
) -> HttpResponse:
    """Everything that was typed stays."""
    context = _callers_context(call, form, *_callers(call)) | _times_context(call, offer)
    return _page(call, context | {"notice": notice}, status=status)


def _callers(call: Call) -> tuple[Typed, list[Caller]]:
    typed = typed_words(call.words)
    if typed.says_enough:
        enforce(limit_of("desk-search", call.request))
    found = search_callers(
        typed, doctor=call.doctor, doctors=call.doctors, by=call.member, through=PAGE
    )
    return typed, [Caller(caller_key(each, by=call.member), each) for each in found]


def _callers_context(
    call: Call, form: DeskForm, typed: Typed, callers: list[Caller]
) -> dict[str, Any]:
    return {
        "form": form,
        "words": call.words,
        "is_searched": typed.says_enough,
        "callers": callers,
        "caller": form["caller"].value() or "",
    }


def _times_context(call: Call, offer: Offer) -> dict[str, Any]:
    asked = call.request.POST.get("slot", "")
    values = [each.value for each in offer.times]
    first = next(iter(values), "")
    return {"offer": offer, "chosen_slot": asked if asked in values else first}


def _page(call: Call, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    frame = {
        "doctor": call.doctor,
        "doctors": [
            {"doctor": each, "url": page_of_doctor(PAGE, each), "current": each == call.doctor}
            for each in call.doctors
        ],
        "clinics": clinics_of_doctor(call.doctor, now=call.now),
        "url": page_of_doctor(PAGE, call.doctor),
        "schedule_url": page_of_doctor("schedule", call.doctor),
        "times_form": TimesForm(call.request.POST if call.request.method == "POST" else None),
        "nav": "schedule",
    }
    template = "bookings/schedule/book_caller.html"
    return render(call.request, template, frame | context, status=status)


def _focus(call: Call, typed: Typed, callers: list[Caller]) -> str:
    """Where typing goes on: in the search, at the choice of a caller, or at the times if that
    is clear.
    """
    if call.step == "find" and typed.says_enough:
        is_new = not callers and all(typed.names) and bool(typed.phone or typed.email)
        return "slot" if is_new or _surely(callers) else "caller"
    return "slot" if call.step in ("times", "book") else "words"


def _notice(error: DomainError) -> Notice:
    if isinstance(error, PatientBusy):
        title = _("This patient has another visit at that time.")
        other = error.appointment
        when = day_and_clock(other.starts_at, other.zone) if other else ""
        return Notice("busy", title, f"{when}. " + _("Choose another time.") if when else "")
    if isinstance(error, SlotTaken):
        first = error.alternatives[0].zone if error.alternatives else None
        at = clock(error.starts_at, first) if first else _("This time")
        title = _("%(time)s was just taken by somebody else.") % {"time": at}
        return Notice("taken", title, _("Choose another time. Nothing was booked."))
    return Notice("taken", _("This time has begun."), _("Choose another time."))


def _what_was_done(visit: Appointment) -> str:
    said = {
        "email": _("Booked. The patient gets a mail with a file for their calendar."),
        "sms": _("Booked. The patient gets a text message."),
    }
    nobody = _("Booked. We have no way to write to this patient: tell them yourself.")
    return said.get(contact_of(visit).channel, nobody)

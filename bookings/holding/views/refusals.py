"""Refusals on pages: what happened, what is still free, and the next step as a button."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.services import SignInRefused
from bookings.actors.holder import current_holder
from bookings.appointments.views.changes import show_move, visit_to_move
from bookings.engine.links import present_step
from bookings.engine.selectors import kept_times, own_hold_in_the_way
from bookings.errors import (
    AppointmentLimit,
    BookingDisabled,
    HoldExpired,
    HoldLimit,
    OtpLocked,
    OutsideBookingWindow,
    PatientBusy,
    SlotHeld,
    SlotTaken,
)
from bookings.holding.views.offers import again_or_next, still_free
from bookings.models import Appointment, Hold, HoldState
from docbook.errors import DomainError, NotFound
from docbook.http import pages
from docbook.http.problems import STATUS_BY_CODE
from docbook.http.templatetags.ui import without_fragment
from docbook.observability import refusal
from doctors.models import Clinic, Doctor
from doctors.selectors.doctors import doctor_of_visit_type, slot_of_doctor
from doctors.selectors.slots import place_of
from doctors.templatetags.clinic_time import clock, clock_near, day_and_clock
from doctors.views.addresses import day_url, doctor_url, with_query
from doctors.views.detail import render_doctor
from doctors.views.picker_page import KeptTime, Notice, PickerQuery, TimeInstead


@dataclass(frozen=True)
class WantedTime:
    """The time that could not be held, on the clock of its `clinic`. If the doctor has no such
    slot, `starts_at` is None and the clinic is the main one.

    `moves` is the visit that would have moved there.
    """

    doctor: Doctor
    visit_type_id: int
    slot_id: int
    starts_at: datetime | None
    clinic: Clinic
    moves: Appointment | None = None

    @property
    def length(self) -> timedelta:
        if self.moves:
            return self.moves.duration
        offered = (each for each in self.doctor.visit_types.all() if each.pk == self.visit_type_id)
        return next(offered).duration

    def clock(self) -> str:
        return clock(self.starts_at, zone=self.clinic.zone) if self.starts_at else ""

    def query(self) -> PickerQuery:
        """The day of the wanted time, with fresh times."""
        day = self.starts_at.astimezone(self.clinic.zone).date() if self.starts_at else None
        return PickerQuery(visit_type_id=self.visit_type_id, date=day)

    @property
    def replaces(self) -> UUID | None:
        return self.moves.pk if self.moves else None

    def url(self) -> str:
        day = self.query().date
        if self.replaces:
            page = reverse("bookings:reschedule", args=[self.replaces])
            return with_query(page, date=day.isoformat() if day else None)
        if day is None:
            return doctor_url(self.doctor, visit_type=self.visit_type_id)
        return day_url(self.doctor, visit_type_id=self.visit_type_id, day=day)


def show_refused_tap(
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


def show_refusal(request: HttpRequest, error: DomainError, *, wanted: WantedTime) -> HttpResponse:
    """The doctor's page on the wanted day, with fresh times and the reason for the refusal."""
    return _show(request, error, wanted=wanted, notice=_notice(request, error, wanted=wanted))


def show_lost_hold(request: HttpRequest, error: DomainError, hold: Hold) -> HttpResponse:
    """The page for a hold that has ended, opened from one of its own pages."""
    wanted = WantedTime(
        doctor=hold.doctor,
        visit_type_id=hold.visit_type_id,
        slot_id=hold.slot_ids[0],
        starts_at=hold.starts_at,
        clinic=hold.clinic,
        moves=visit_to_move(request, hold.replaces) if hold.replaces else None,
    )
    if not isinstance(error, HoldExpired | OtpLocked):
        return show_refusal(request, error, wanted=wanted)
    return _show(request, error, wanted=wanted, notice=_over_notice(error, hold, wanted=wanted))


def _show(
    request: HttpRequest, error: DomainError, *, wanted: WantedTime, notice: Notice
) -> HttpResponse:
    refusal.note(error.code)
    query, status = wanted.query(), STATUS_BY_CODE[error.code]
    if wanted.moves or wanted.doctor.is_active:
        notice = replace(notice, address=without_fragment(wanted.url()))
    if wanted.moves:
        response = show_move(request, wanted.moves, query=query, notice=notice, status=status)
    else:
        response = render_doctor(
            request, doctor=wanted.doctor, query=query, notice=notice, status=status
        )
    if isinstance(error, BookingDisabled):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _notice(request: HttpRequest, error: DomainError, *, wanted: WantedTime) -> Notice:
    if isinstance(error, SlotTaken | SlotHeld):
        own = _own_hold(request, wanted=wanted) if isinstance(error, SlotHeld) else None
        return _own_notice(own, wanted=wanted) if own else _lost_race(error, wanted=wanted)
    if isinstance(error, HoldLimit):
        return _limit_notice(request, error, wanted=wanted)
    if isinstance(error, PatientBusy):
        return _busy_notice(request, error)
    if isinstance(error, BookingDisabled):
        return _pause_notice(error, wanted=wanted)
    return _plain_notice(error)


def _network_notice(until: datetime, *, wanted: WantedTime) -> Notice:
    """For somebody in a waiting room who holds nothing themselves."""
    title = _("Your network is holding too many times right now.")
    text = _("The next one is free again at %(time)s.") % {
        "time": clock(until, zone=wanted.clinic.zone)
    }
    return Notice("held", title, text)


def _plain_notice(error: DomainError) -> Notice:
    if isinstance(error, AppointmentLimit):
        return _visits_notice(error)
    if isinstance(error, SignInRefused):
        title = _("The account with this e-mail address is disabled.")
        return Notice("closed", title, _("Please call the clinic."))
    if isinstance(error, OutsideBookingWindow):
        title = _("This time cannot be booked online right now.")
        return Notice("window", title, _("Pick another one."), [_all_times()])
    return _no_longer_offered()


def _no_longer_offered(wanted: WantedTime | None = None) -> Notice:
    title = _("This time is no longer offered.")
    if wanted and not wanted.doctor.is_active:
        return Notice("unknown", title)
    return Notice("unknown", title, _("Pick another one."), [_all_times()])


def _all_times() -> dict[str, str]:
    return {"label": _("See all times of that day."), "url": "#times"}


def _pause_notice(error: BookingDisabled, *, wanted: WantedTime) -> Notice:
    title = _("Booking is paused.")
    if error.until is not None:
        zone, now = wanted.clinic.zone, timezone.now()
        until = clock_near(error.until, near=now, zone=zone)
        title = _("Booking is paused until %(time)s.") % {"time": until}
    return Notice("paused", title, f"{error.message} {_('Your appointments are safe.')}".strip())


def _visits_notice(error: AppointmentLimit) -> Notice:
    title = ngettext(
        "You already have an upcoming visit.",
        "You already have %(count)d upcoming visits.",
        error.limit,
    ) % {"count": error.limit}
    links = [{"label": _("See your appointments"), "url": reverse("bookings:appointments")}]
    return Notice("visits", title, _("You can book another one when one of them is over."), links)


def _over_notice(error: HoldExpired | OtpLocked, hold: Hold, *, wanted: WantedTime) -> Notice:
    is_expired = isinstance(error, HoldExpired)
    had_time = hold.state == HoldState.HELD and timezone.now() < hold.expires_at
    if is_expired and had_time:  # refused for another reason than the clock
        return _no_longer_offered(wanted)
    text, offers = again_or_next(hold, now=timezone.now())
    if is_expired:
        title = _("The five minutes are over, so we gave %(time)s back.")
        if hold.state == HoldState.RELEASED:
            title = _("You gave %(time)s back.")
        return Notice("expired", title % {"time": wanted.clock()}, text, offers=offers)
    return Notice(
        "locked", _("You have used all five tries, so we gave the time back."), text, offers=offers
    )


def _lost_race(error: SlotTaken | SlotHeld, *, wanted: WantedTime) -> Notice:
    offers = still_free(
        error.alternatives,
        near=error.starts_at,
        clinic_id=wanted.clinic.pk,
        visit_type_id=wanted.visit_type_id,
        replaces=wanted.replaces,
    )
    taken = isinstance(error, SlotTaken)
    title = (
        _("%(time)s was just taken by somebody else.")
        if taken
        else _("Somebody is confirming %(time)s.")
    )
    when = day_and_clock(error.starts_at, zone=wanted.clinic.zone)
    return Notice(
        "taken" if taken else "held",
        title % {"time": when},
        "" if taken else _("It may become free again soon."),
        [_all_times()],
        offers_label=_("Still free:") if offers else "",
        offers=offers,
        taken_at=error.starts_at if taken else None,
        taken_in=place_of(wanted.clinic),
    )


def _own_hold(request: HttpRequest, *, wanted: WantedTime) -> Hold | None:
    if wanted.starts_at is None:
        return None
    return own_hold_in_the_way(
        holder=current_holder(request),
        doctor=wanted.doctor,
        slot_id=wanted.slot_id,
        start=wanted.starts_at,
        end=wanted.starts_at + wanted.length,
    )


def _own_notice(hold: Hold, *, wanted: WantedTime) -> Notice:
    title = _("You are already holding this time.")
    if wanted.starts_at and hold.starts_at != wanted.starts_at:
        title = _("You are holding %(kept)s, which overlaps %(wanted)s.") % {
            "kept": clock(hold.starts_at, zone=hold.zone),
            "wanted": wanted.clock(),
        }
    return Notice(
        "limit",
        title,
        _("Confirm it or give it back first."),
        # An offer is taken on its own page, without a code and with more time.
        offers=[] if hold.waitlist_entry_id else [_swap(hold, wanted=wanted)],
        kept=[_kept(hold)],
        next_url=wanted.url(),
    )


def _busy_notice(request: HttpRequest, error: PatientBusy) -> Notice:
    """Only its patient learns which visit it is: a code does not open a used account."""
    visit, text = error.appointment, _("Pick another time.")
    if visit is None or visit.patient_id != request.user.pk:
        return Notice("busy", _("You already have a visit at that time."), text, [_all_times()])
    title = _("You already have a visit at that time: %(when)s, %(doctor)s.") % {
        "when": day_and_clock(visit.starts_at, zone=visit.zone),
        "doctor": visit.doctor.name,
    }
    links = [
        {"label": _("See that visit"), "url": reverse("bookings:appointment", args=[visit.pk])},
        _all_times(),
    ]
    return Notice("busy", title, text, links)


def _limit_notice(request: HttpRequest, error: HoldLimit, *, wanted: WantedTime) -> Notice:
    if error.until:
        return _network_notice(error.until, wanted=wanted)
    title = ngettext(
        "You are already holding a time.", "You are already holding %(count)d times.", error.limit
    ) % {"count": error.limit}
    holds = kept_times(holder=current_holder(request), most=error.limit)
    text = ngettext(
        "Confirm it or give it back first.",
        "Confirm or give back one of them first.",
        error.limit,
    )
    return Notice(
        "limit",
        title,
        text,
        offers=[_swap(holds[0], wanted=wanted)] if len(holds) == 1 else [],
        kept=[_kept(hold) for hold in holds],
        next_url=wanted.url(),
    )


def _swap(hold: Hold, *, wanted: WantedTime) -> TimeInstead:
    """Gives back the only held time for the one wanted now."""
    zone, at = wanted.clinic.zone, wanted.starts_at or hold.starts_at
    label = _("Give back %(kept)s and hold %(wanted)s") % {
        "kept": clock_near(hold.starts_at, near=at, zone=hold.zone),
        "wanted": clock_near(at, near=hold.starts_at, zone=zone),
    }
    return TimeInstead(
        label,
        wanted.slot_id,
        wanted.visit_type_id,
        instead_of=hold.pk,
        replaces=wanted.replaces,
    )


def _kept(hold: Hold) -> KeptTime:
    label = _("%(when)s, %(doctor)s") % {
        "when": day_and_clock(hold.starts_at, zone=hold.zone),
        "doctor": hold.doctor.name,
    }
    return KeptTime(hold.pk, label, present_step(hold))

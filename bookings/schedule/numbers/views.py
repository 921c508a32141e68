"""The page of a doctor's numbers, and its days as a file."""

from dataclasses import dataclass
from datetime import date

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.practice_sessions import of_the_practice
from accounts.users import signed_in
from bookings.schedule.numbers.csv_file import days_as_csv
from bookings.schedule.numbers.forms import DaysForm, named_period, span_of
from bookings.schedule.numbers.periods import Period, Span
from bookings.schedule.numbers.presentation import numbers_of
from bookings.schedule.numbers.selectors import days_of_both_periods, days_of_period
from doctors.models import Doctor
from doctors.selectors.doctors import chosen_of, clinics_of_doctor, doctors_run_by

_LABELS = {
    Span.WEEK: _("This week"),
    Span.MONTH: _("This month"),
    Span.QUARTER: _("3 months"),
    Span.YEAR: _("12 months"),
}


@dataclass(frozen=True)
class Asked:
    """What the address asks for. `period` is None if the form of days has errors."""

    doctor: Doctor
    doctors: list[Doctor]
    span: Span
    form: DaysForm
    period: Period | None

    def url(self, name: str = "numbers", *, doctor: Doctor | None = None, span: str = "") -> str:
        """The same days, of another doctor, or of another span."""
        asked_doctor = str((doctor or self.doctor).pk)
        query = {"doctor": asked_doctor, "period": span or self.span.value}
        if query["period"] == Span.CUSTOM and self.period:
            days = self.period.days
            query |= {"first": days.first.isoformat(), "last": days.last.isoformat()}
        return f"{reverse(f'bookings:{name}')}?{urlencode(query)}"


@of_the_practice
@require_safe
@login_required
def numbers(request: HttpRequest) -> HttpResponse:
    """404 for people who run no doctor's day; 422 with the form if the days are refused."""
    asked = _asked(request)
    if asked.period is None:
        return _show(request, asked, status=422)
    return _show(request, asked)


@of_the_practice
@require_safe
@login_required
def days_file(request: HttpRequest) -> HttpResponse:
    """The days of the period as CSV; for days that are refused, the page that says why."""
    asked = _asked(request)
    if asked.period is None:
        return _show(request, asked, status=422)
    days = asked.period.days
    name = f"{asked.doctor.slug}-{days.first}-{days.last}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    text = days_as_csv(days_of_period(asked.doctor, asked.period))
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


def _asked(request: HttpRequest) -> Asked:
    doctors = list(doctors_run_by(signed_in(request)))
    doctor = chosen_of(doctors, wanted=request.GET.get("doctor", ""))
    span, today = span_of(request.GET.get("period", "")), _today(doctor)
    if span is Span.CUSTOM:
        form = DaysForm(request.GET, today=today)
        return Asked(doctor, doctors, span, form, form.period if form.is_valid() else None)
    period = named_period(span, today=today)
    days = {"first": period.days.first, "last": period.days.last}
    return Asked(doctor, doctors, span, DaysForm(initial=days, today=today), period)


def _today(doctor: Doctor) -> date:
    """At the doctor's main clinic."""
    return timezone.now().astimezone(doctor.clinic.zone).date()


def _show(request: HttpRequest, asked: Asked, *, status: int = 200) -> HttpResponse:
    doctor, period = asked.doctor, asked.period
    rows = days_of_both_periods(doctor, period) if period else []
    context = {
        "doctor": doctor,
        "clinics": clinics_of_doctor(doctor, now=timezone.now()),
        "doctors": [
            {"doctor": each, "url": asked.url(doctor=each), "current": each == doctor}
            for each in asked.doctors
        ],
        "is_own": doctor.user_id == signed_in(request).pk,
        "form": asked.form,
        "spans": [
            {"label": label, "url": asked.url(span=span), "current": span is asked.span}
            for span, label in _LABELS.items()
        ],
        "is_custom": asked.span is Span.CUSTOM,
        "file_url": asked.url("numbers_file") if period else "",
        "availability_url": f"{reverse('bookings:availability')}?doctor={doctor.pk}",
        "period": period,
        "numbers": numbers_of(rows, period=period) if period else None,
        "nav": "numbers",
    }
    return render(request, "bookings/schedule/numbers/page.html", context, status=status)

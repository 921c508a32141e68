"""Admin pages of holds, appointments and the waitlist, read-only: services make every change. Also
the switch that pauses booking, and a page about booked visits whose clinic or visit type has
changed.

Staff with the right to read of patients see who comes and how to reach them, as in the API. The
reason for a visit stays between patient and practice and is not shown.
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.admin import record_reading
from accounts.users import signed_in
from bookings import merges_admin  # noqa: F401 - registers its pages
from bookings.actors.practice_member import PracticeMember
from bookings.admin_notes import OUTSIDE_HOURS, Note, may_amend, notes_on_clinic, notes_on_doctor
from bookings.appointments.selectors.amendments import (
    Source,
    digest_of,
    facts_of,
    find_source,
    how_many_outdated,
    what_they_say,
)
from bookings.appointments.selectors.by_reference import visits_by_reference
from bookings.appointments.selectors.outside_hours import coming_visits, visits_outside_hours
from bookings.appointments.services.amendments import ask_to_amend
from bookings.holding.services.pause import set_pause
from bookings.models import Appointment, BookingPause, Hold, WaitlistEntry
from bookings.states import AppointmentStatus
from docbook.audit.services import Actor
from docbook.observability.read_only_admin import OwnFiltersAdmin, ReadOnlyAdmin
from docbook.references import reference
from doctors.admin import ClinicAdmin, DoctorAdmin
from doctors.clinic_admin import AtTheClinic
from doctors.csv_admin import csv_response
from doctors.models import Clinic, Doctor
from doctors.selectors.doctors import doctors_run_by
from doctors.services.approval import set_bookable


class OfPatientsAdmin(ReadOnlyAdmin):
    """Without the right to read of patients, staff can neither see nor search what names or
    describes one.
    """

    of_the_patient: tuple[str, ...] = ()
    found_by_the_patient: tuple[str, ...] = ()

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **more: Any) -> Any:
        response = super().change_view(request, object_id, *args, **more)
        record_reading(request, response, on=(str(self.opts.model_name), object_id))
        return response

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return _allowed(request, self.list_display, but=self.of_the_patient)

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return _allowed(request, self.search_fields, but=self.found_by_the_patient)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        return _allowed(request, super().get_fields(request, obj), but=self.of_the_patient)


def _allowed(request: HttpRequest, names: Iterable[Any], *, but: tuple[str, ...]) -> list[Any]:
    may_read = PracticeMember(signed_in(request)).may_read_patients()
    return [name for name in names if may_read or name not in but]


class OutsideHours(admin.SimpleListFilter):
    """Reached only by a link from a doctor's page. The value is the doctor's id."""

    title = gettext_lazy("outside the hours")
    parameter_name = OUTSIDE_HOURS

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        doctor = self._doctor()
        return [(str(doctor.pk), doctor.name)] if doctor else []

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Appointment]
    ) -> QuerySet[Appointment]:
        doctor = self._doctor()
        if doctor is None:
            return queryset
        return queryset.filter(pk__in=visits_outside_hours(doctor, now=timezone.now()))

    def _doctor(self) -> Doctor | None:
        value = str(self.value() or "")
        is_id = re.fullmatch("[0-9]{1,18}", value)
        return Doctor.objects.filter(pk=value).first() if is_id else None


EXPORTED = (
    "reference", "starts_at", "ends_at", "time_zone", "doctor", "clinic", "visit_type", "mode",
    "price", "currency",
)  # fmt: skip


def _cells(visit: Appointment, *, names: bool) -> list[str]:
    zone = ZoneInfo(visit.time_zone)
    cells = [
        reference(visit.pk),
        visit.starts_at.astimezone(zone).isoformat(),
        visit.ends_at.astimezone(zone).isoformat(),
        visit.time_zone,
        visit.doctor.name,
        visit.place_name,
        visit.visit_name,
        visit.mode,
        f"{visit.price_cents / 100:.2f}",
        visit.currency,
    ]
    return [*cells, visit.patient_name] if names else cells


# On an appointment's page. The other fields show what was agreed.
_GROUP_OF = {
    **dict.fromkeys(("starts_at", "ends_at", "time_zone", "status", "version"), "when"),
    **dict.fromkeys(("doctor", "patient", "patient_name"), "who"),
}


@admin.register(Appointment)
class AppointmentAdmin(AtTheClinic, OfPatientsAdmin):
    """Searched by id or reference, by the patient's address or name, or by the doctor's name."""

    list_display = ("starts_at", "doctor", "patient", "visit_name", "status")
    list_filter = ("status", "starts_at", OutsideHours)
    list_select_related = ("doctor", "patient")
    found_by_the_patient = ("=patient__email", "patient_name__unaccent")
    search_fields = (*found_by_the_patient, "doctor__name")
    ordering = ("-starts_at", "id")
    exclude = ("reason", "change_reason")
    of_the_patient = ("patient", "patient_name")

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [*super().get_list_display(request), "reference"]

    @admin.display(description=gettext_lazy("reference"))
    def reference(self, visit: Appointment) -> str:
        return reference(visit.pk)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Appointment], search_term: str
    ) -> tuple[QuerySet[Appointment], bool]:
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        return found | visits_by_reference(queryset, search_term), may_repeat

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        groups: dict[str, list[Any]] = {"when": [], "who": [], "agreed": []}
        for field in self.get_fields(request, obj):
            name = getattr(field, "__name__", field)
            groups[_GROUP_OF.get(name, "agreed")].append(field)
        labels = {"when": _("When"), "who": _("Who"), "agreed": _("Agreed")}
        return [(labels[group], {"fields": fields}) for group, fields in groups.items()]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.outdated_view)
        name = "bookings_appointment_outdated"
        export = self.admin_site.admin_view(self.export_view)
        return [
            path("outdated/<slug:kind>/<int:pk>/", view, name=name),
            path("export/", export, name="bookings_appointment_export"),
            *super().get_urls(),
        ]

    def export_view(self, request: HttpRequest) -> HttpResponse:
        """The booked visits ahead as CSV. Each has its clinic's zone, and times with an offset."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        names = PracticeMember(signed_in(request)).may_read_patients()
        coming = Appointment.objects.filter(
            status=AppointmentStatus.CONFIRMED, starts_at__gt=timezone.now()
        ).select_related("doctor")
        headers = [*EXPORTED, "patient_name"] if names else list(EXPORTED)
        rows = (_cells(visit, names=names) for visit in coming.order_by("starts_at", "id"))
        response = csv_response("docbook-visits", headers, rows)
        if names:
            record_reading(request, response, on=("appointment", "export"))
        return response

    def outdated_view(self, request: HttpRequest, kind: str, pk: int) -> HttpResponse:
        """Shows which booked visits a change concerns, and the button that tells their patients."""
        source = find_source(kind=kind, pk=pk)
        if source is None:
            raise Http404
        if not may_amend(request, source):
            raise PermissionDenied
        if request.method == "POST":
            return self._amend(request, source)
        says = what_they_say(source, now=timezone.now())
        context = {
            **self.admin_site.each_context(request),
            "title": _("Booked visits"),
            "opts": self.opts,
            "source": source,
            "count": how_many_outdated(source, now=timezone.now()),
            "says": [(row.pop("number"), _in_a_line(row)) for row in says],
            "will_say": _in_a_line(facts_of(source)),
            "digest": digest_of(source),
        }
        return TemplateResponse(request, "admin/bookings/outdated_visits.html", context)

    def _amend(self, request: HttpRequest, source: Source) -> HttpResponse:
        if request.POST.get("digest") != digest_of(source):
            text = _(
                "Somebody has changed this in the meantime. No patient was told. Look at it again."
            )
            messages.warning(request, text)
        elif number := how_many_outdated(source, now=timezone.now()):
            ask_to_amend(source=source, by=Actor("staff", request.user.pk))
            text = ngettext(
                "The patient of %(number)d visit is being told.",
                "The patients of %(number)d visits are being told.",
                number,
            )
            messages.success(request, text % {"number": number})
            return redirect("admin:bookings_appointment_changelist")
        return redirect(request.path)


@admin.register(Hold)
class HoldAdmin(AtTheClinic, OfPatientsAdmin):
    """Searched by id, by the address or name it was made with, or by the doctor's name."""

    list_display = ("created_at", "doctor", "starts_at", "state", "expires_at", "email", "id")
    list_filter = ("state", "created_at")
    list_select_related = ("doctor",)
    found_by_the_patient = ("=email", "first_name__unaccent", "last_name__unaccent")
    search_fields = (*found_by_the_patient, "doctor__name")
    exclude = ("reason", "guest_key")
    of_the_patient = ("patient", "first_name", "last_name", "email", "phone")


@admin.register(WaitlistEntry)
class WaitlistEntryAdmin(OfPatientsAdmin):
    """In the order in which times are offered. Searched by id, address or doctor's name."""

    list_display = (
        "created_at", "patient", "doctor", "specialty", "city", "from_on", "until_on", "state",
    )  # fmt: skip
    list_filter = ("state", "created_at")
    list_select_related = ("patient", "doctor", "specialty")
    found_by_the_patient = (
        "=patient__email", "patient__first_name__unaccent", "patient__last_name__unaccent",
    )  # fmt: skip
    search_fields = (*found_by_the_patient, "doctor__name")
    ordering = ("created_at", "id")
    of_the_patient = ("patient",)


def _in_a_line(facts: dict[str, Any]) -> str:
    return ", ".join(str(value) for value in facts.values() if value)


admin.site.unregister(Clinic)
admin.site.unregister(Doctor)


_NOTES: dict[type[Model], Callable[..., list[Note]]] = {
    Clinic: notes_on_clinic,
    Doctor: notes_on_doctor,
}


class WithNotesOnVisits(admin.ModelAdmin):
    """Shows notes about booked visits on the page and after every change."""

    change_form_template = "admin/bookings/practice_change_form.html"

    def notes_on(self, request: HttpRequest, obj: Any) -> list[Note]:
        return _NOTES[self.model](request, obj, now=timezone.now())

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if (obj := context.get("original")) is not None:
            context["visit_notes"] = self.notes_on(request, obj)
        return super().render_change_form(request, context, *args, **kwargs)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        if "_continue" not in request.POST:
            for note in self.notes_on(request, obj):
                messages.warning(request, str(note))
        return super().response_change(request, obj)


@admin.register(Clinic)
class ClinicWithVisitsAdmin(WithNotesOnVisits, ClinicAdmin):
    pass


@admin.register(Doctor)
class DoctorWithVisitsAdmin(WithNotesOnVisits, DoctorAdmin):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.booking_view)
        page = path("<int:object_id>/booking/", view, name="doctors_doctor_booking")
        return [page, *super().get_urls()]

    def booking_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Asks for confirmation, then approves or suspends the doctor."""
        doctor = get_object_or_404(Doctor, pk=object_id)
        if not self.has_change_permission(request, doctor):
            raise PermissionDenied
        if request.method == "POST":
            return self._set_bookable(request, doctor)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Suspend") if doctor.is_active else _("Approve"),
            "opts": self.opts,
            "doctor": doctor,
            "visits": len(coming_visits(doctor, now=timezone.now())),
        }
        return TemplateResponse(request, "admin/doctors/doctor/booking.html", context)

    def _set_bookable(self, request: HttpRequest, doctor: Doctor) -> HttpResponse:
        """Says which of the two is wanted: a form that is sent twice changes nothing back."""
        wanted = request.POST.get("wanted")
        if wanted not in ("approve", "suspend"):
            return redirect(request.path)
        user, is_bookable = signed_in(request), wanted == "approve"
        by = Actor("staff", user.pk)
        set_bookable(doctor=doctor, is_bookable=is_bookable, by=by, user=user)
        if is_bookable:
            text = _("Patients can see %(name)s. The bookable times will be there in a moment.")
        else:
            text = _("Patients no longer see %(name)s, and nobody can book.")
        messages.success(request, text % {"name": doctor.name})
        doctor.refresh_from_db()
        return redirect(self._after(request, doctor))

    def _after(self, request: HttpRequest, doctor: Doctor) -> str:
        """The visits of a suspended doctor, for a decision: on the page of the practice for those
        who run the doctor's day, otherwise in the list of the admin.
        """
        if not doctor.is_active and coming_visits(doctor, now=timezone.now()):
            if doctors_run_by(signed_in(request)).filter(pk=doctor.pk).exists():
                return f"{reverse('bookings:outside_hours')}?{urlencode({'doctor': doctor.pk})}"
            if request.user.has_perm("bookings.view_appointment"):
                query = urlencode({OUTSIDE_HOURS: doctor.pk})
                return f"{reverse('admin:bookings_appointment_changelist')}?{query}"
        return reverse("admin:doctors_doctor_change", args=[doctor.pk])


class PauseForm(ModelForm):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "until" in self.fields:
            self.fields["until"].help_text = _("In UTC, 24 hours: 14:30.")

    def clean_until(self) -> datetime | None:
        until: datetime | None = self.cleaned_data["until"]
        if until is not None and self.cleaned_data.get("is_on") and until <= timezone.now():
            raise ValidationError(_("This time has passed: nothing would be paused."), code="past")
        return until


@admin.register(BookingPause)
class BookingPauseAdmin(OwnFiltersAdmin):
    """One row. A change takes effect at once."""

    list_display = ("is_on", "until", "message")
    list_display_links = ("is_on", "message")
    fields = ("is_on", "until", "message")
    form = PauseForm

    def save_model(self, request: HttpRequest, obj: BookingPause, form: Any, change: bool) -> None:
        set_pause(
            is_on=obj.is_on,
            until=obj.until,
            message=obj.message,
            by=Actor("staff", request.user.pk),
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not BookingPause.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: BookingPause | None = None) -> bool:
        return False

"""Holds, appointments and the waitlist, for looking only: the services own every change. The switch
that pauses booking. And what a changed clinic or reason means for visits that are booked.

Who comes and how to reach them is shown to staff with the right to read of patients, as in the
API. What a visit is about stays between patient and practice and is not shown.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.admin import record_reading
from accounts.users import signed_in
from bookings.models import Appointment, BookingPause, Hold, WaitlistEntry
from bookings.practice import PracticeMember
from bookings.selectors.amendments import (
    Source,
    digest_of,
    facts_of,
    find_source,
    how_many_outdated,
    kind_of,
    what_they_say,
)
from bookings.services.amendments import ask_to_amend
from bookings.services.pause import set_pause
from docbook.audit.services import Actor
from docbook.observability.read_only_admin import ReadOnlyAdmin
from doctors.admin import ClinicAdmin, DoctorAdmin
from doctors.clinic_admin import AtTheClinic
from doctors.models import Clinic, Doctor, VisitType


class OfPatientsAdmin(ReadOnlyAdmin):
    """Without the right to read of patients, what names or describes one is neither shown nor
    searched.
    """

    of_the_patient: tuple[str, ...] = ()

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **more: Any) -> Any:
        response = super().change_view(request, object_id, *args, **more)
        record_reading(request, response, on=(str(self.opts.model_name), object_id))
        return response

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return _allowed(request, self.list_display, but=self.of_the_patient)

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return _allowed(request, self.search_fields, but=("=patient__email", "=email"))

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        return _allowed(request, super().get_fields(request, obj), but=self.of_the_patient)


def _allowed(request: HttpRequest, names: Iterable[Any], *, but: tuple[str, ...]) -> list[Any]:
    may_read = PracticeMember(signed_in(request)).may_read_patients()
    return [name for name in names if may_read or name not in but]


@admin.register(Appointment)
class AppointmentAdmin(AtTheClinic, OfPatientsAdmin):
    """Found by its id, by the patient's address or by the doctor's name."""

    list_display = ("starts_at", "doctor", "patient", "visit_name", "status", "version", "id")
    list_filter = ("status", "starts_at")
    list_select_related = ("doctor", "patient")
    search_fields = ("=patient__email", "doctor__name")
    ordering = ("-starts_at", "id")
    exclude = ("reason", "change_reason")
    of_the_patient = ("patient", "patient_name")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.outdated_view)
        name = "bookings_appointment_outdated"
        return [path("outdated/<slug:kind>/<int:pk>/", view, name=name), *super().get_urls()]

    def outdated_view(self, request: HttpRequest, kind: str, pk: int) -> HttpResponse:
        """Which booked visits a changed clinic or reason concerns, and the button that tells their
        patients.
        """
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
            text = _("Somebody has changed this meanwhile. Nobody was told; look at it again.")
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
    """Found by its id, by the address it was made with or by the doctor's name."""

    list_display = ("created_at", "doctor", "starts_at", "state", "expires_at", "email", "id")
    list_filter = ("state", "created_at")
    list_select_related = ("doctor",)
    search_fields = ("=email", "doctor__name")
    exclude = ("reason", "guest_key")
    of_the_patient = ("patient", "first_name", "last_name", "email", "phone")


@admin.register(WaitlistEntry)
class WaitlistEntryAdmin(OfPatientsAdmin):
    """In the order in which the times are offered; found by its id, address or doctor's name."""

    list_display = (
        "created_at", "patient", "doctor", "specialty", "city", "from_on", "until_on", "state",
    )  # fmt: skip
    list_filter = ("state", "created_at")
    list_select_related = ("patient", "doctor", "specialty")
    search_fields = ("=patient__email", "doctor__name")
    ordering = ("created_at", "id")
    of_the_patient = ("patient",)


def may_amend(request: HttpRequest, source: Source) -> bool:
    """Those who may change the clinic, or the doctor's reasons, and appointments as well."""
    of = "clinic" if isinstance(source, Clinic) else "visittype"
    return request.user.has_perms([f"doctors.change_{of}", "bookings.change_appointment"])


def tell_of_booked_visits(request: HttpRequest, source: Source) -> None:
    """What was saved holds for new visits; says how many booked ones say something else."""
    number = how_many_outdated(source, now=timezone.now())
    if not number:
        return
    text = ngettext(
        "%(number)d booked visit still says what was agreed before.",
        "%(number)d booked visits still say what was agreed before.",
        number,
    ) % {"number": number}
    if may_amend(request, source):
        url = reverse("admin:bookings_appointment_outdated", args=[kind_of(source), source.pk])
        label = _("Change them and tell their patients…")
        text = format_html('{} <a href="{}">{}</a>', text, url, label)
    messages.warning(request, text)


def _in_a_line(facts: dict[str, Any]) -> str:
    return ", ".join(str(value) for value in facts.values() if value)


admin.site.unregister(Clinic)
admin.site.unregister(Doctor)


@admin.register(Clinic)
class ClinicWithVisitsAdmin(ClinicAdmin):
    def save_model(self, request: HttpRequest, obj: Clinic, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change:
            tell_of_booked_visits(request, obj)


@admin.register(Doctor)
class DoctorWithVisitsAdmin(DoctorAdmin):
    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        for each in formsets:
            for row in each.initial_forms if each.model is VisitType else ():
                if "name" in row.changed_data:
                    tell_of_booked_visits(request, row.instance)


class PauseForm(ModelForm):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "until" in self.fields:
            self.fields["until"].help_text = _("By UTC, on 24 hours: 14:30.")

    def clean_until(self) -> datetime | None:
        until: datetime | None = self.cleaned_data["until"]
        if until is not None and self.cleaned_data.get("is_on") and until <= timezone.now():
            raise ValidationError(_("This has passed: it would pause nothing."), code="past")
        return until


@admin.register(BookingPause)
class BookingPauseAdmin(admin.ModelAdmin):
    """One row, and what it says holds at once."""

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

"""Clinics, doctors and what they offer. Slots are made from the hours; here they are read-only."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.admin import BySuperusers, is_superuser
from accounts.users import signed_in
from docbook.audit import services as audit
from docbook.observability.read_only_admin import OwnFiltersAdmin, ReadOnlyAdmin
from doctors.clinic_admin import AtTheClinic
from doctors.csv_admin import WithFiles
from doctors.models import (
    AvailabilityOverride,
    AvailabilityRule,
    Clinic,
    ClosedDay,
    Doctor,
    SecretaryAssignment,
    Slot,
    SlotExpansion,
    Specialty,
    VisitType,
)
from doctors.schedule_forms import ClinicForm, OverrideForm, RuleForm, RuleFormSet
from doctors.selectors.alphabet import letters_of
from doctors.selectors.hours import doctors_with_hours_at
from doctors.selectors.public_holidays import PublicHoliday, public_holidays
from doctors.services.hours import save_overrides, save_rules
from doctors.services.slot_expansions import ask_for_expansion


def bring_times_in_line(request: HttpRequest, *, doctor_ids: list[int]) -> None:
    """A worker updates the times. The message links to a page that shows its progress."""
    asked = ask_for_expansion(doctor_ids=doctor_ids, by=signed_in(request))
    url = reverse("admin:doctors_slotexpansion_change", args=[asked.pk])
    text = ngettext(
        "The bookable times of %(count)d doctor will be updated in a moment.",
        "The bookable times of %(count)d doctors will be updated in a moment.",
        len(asked.doctor_ids),
    ) % {"count": len(asked.doctor_ids)}
    link = format_html('{} <a href="{}">{}</a>', text, url, _("See the progress."))
    messages.info(request, link)


@admin.register(Specialty)
class SpecialtyAdmin(OwnFiltersAdmin):
    list_display = ("name", "practitioner", "icon")
    ordering = (letters_of("name"), "id")
    search_fields = ("name", "practitioner")
    prepopulated_fields = {"slug": ("name",)}


class ClosedDayInline(admin.TabularInline):
    model = ClosedDay
    extra = 0
    ordering = ("day",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClosedDay]:
        yesterday = timezone.now().date() - timedelta(days=1)
        return super().get_queryset(request).filter(day__gte=yesterday)


@admin.register(Clinic)
class ClinicAdmin(OwnFiltersAdmin):
    """A clinic in use cannot be deleted: slots and appointments refer to it."""

    form = ClinicForm
    list_display = ("name", "street", "city", "country", "time_zone")
    ordering = (letters_of("name"), "id")
    list_filter = ("country", "city")
    search_fields = ("name", "city", "street")
    inlines = (ClosedDayInline,)
    actions = None

    def has_delete_permission(self, request: HttpRequest, obj: Clinic | None = None) -> bool:
        in_use = obj is not None and (obj.doctors.exists() or obj.rules.exists())
        return super().has_delete_permission(request, obj) and not in_use

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Hours follow the wall clock, so a new zone makes them different times; closed days have
        no hours.
        """
        super().save_related(request, form, formsets, change)
        moves = change and "time_zone" in form.changed_data
        if moves or any(formset.has_changed() for formset in formsets):
            _bring_times_of_clinic_in_line(request, form.instance)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.public_holidays_view)
        name = "doctors_clinic_public_holidays"
        return [path("<int:object_id>/public-holidays/", view, name=name), *super().get_urls()]

    def public_holidays_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Offers the public holidays of the next twelve months as closed days."""
        clinic = get_object_or_404(Clinic, pk=object_id)
        if not self.has_change_permission(request, clinic):
            raise PermissionDenied
        today = timezone.now().astimezone(clinic.zone).date()
        offered = public_holidays(clinic, first=today, last=today + timedelta(days=365))
        if request.method == "POST":
            chosen = set(request.POST.getlist("day"))
            added = [each for each in offered if each.day.isoformat() in chosen]
            self._close(request, clinic, added)
            return redirect("admin:doctors_clinic_change", clinic.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Public holidays"),
            "opts": self.opts,
            "clinic": clinic,
            "offered": offered,
        }
        return TemplateResponse(request, "admin/doctors/clinic/public_holidays.html", context)

    def _close(self, request: HttpRequest, clinic: Clinic, days: Sequence[PublicHoliday]) -> None:
        if not days:
            messages.info(request, _("No day was chosen."))
            return
        rows = [ClosedDay(clinic=clinic, day=each.day, name=each.name) for each in days]
        with transaction.atomic():
            # Somebody else may have added some of them a moment ago.
            ClosedDay.objects.bulk_create(rows, ignore_conflicts=True)
            self.log_change(request, clinic, _("Added public holidays."))
            _bring_times_of_clinic_in_line(request, clinic)
        text = ngettext(
            "%(count)d closed day was added.", "%(count)d closed days were added.", len(days)
        )
        messages.success(request, text % {"count": len(days)})


def _bring_times_of_clinic_in_line(request: HttpRequest, clinic: Clinic) -> None:
    if doctors := doctors_with_hours_at(clinic):
        bring_times_in_line(request, doctor_ids=doctors)


class VisitTypeInline(admin.TabularInline):
    """Switched off instead of deleted: appointments refer to them."""

    model = VisitType
    extra = 0
    can_delete = False
    ordering = ("position", "id")


class RuleInline(admin.TabularInline):
    model = AvailabilityRule
    form = RuleForm
    formset = RuleFormSet
    extra = 0
    ordering = ("starts", "id")
    autocomplete_fields = ("clinic",)


class OverrideInline(admin.TabularInline):
    """Those of the past are in nobody's way and would fill the page."""

    model = AvailabilityOverride
    form = OverrideForm
    extra = 0
    ordering = ("first_day", "starts", "id")
    autocomplete_fields = ("clinic",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AvailabilityOverride]:
        yesterday = timezone.now().date() - timedelta(days=1)
        return super().get_queryset(request).filter(last_day__gte=yesterday)


class SecretaryInline(BySuperusers, admin.TabularInline):
    """A secretary can read what patients write."""

    model = SecretaryAssignment
    extra = 0
    autocomplete_fields = ("secretary",)


@admin.register(Doctor)
class DoctorAdmin(WithFiles, OwnFiltersAdmin):
    """Saving brings the doctor's future slots in line with the hours.

    Doctors are suspended instead of deleted: appointments refer to them. New ones wait for
    approval.
    """

    list_display = ("name", "specialty", "clinic", "slot_minutes", "horizon_days", "is_active")
    ordering = (letters_of("name"), "id")
    list_filter = ("is_active", "specialty", "clinic__city")
    list_select_related = ("specialty", "clinic")
    search_fields = ("name",)
    autocomplete_fields = ("user", "specialty", "clinic")
    prepopulated_fields = {"slug": ("name",)}
    inlines = (VisitTypeInline, RuleInline, OverrideInline, SecretaryInline)
    actions = None

    class Media:
        css: ClassVar = {"all": ["admin/docbook.css"]}

    def has_delete_permission(self, request: HttpRequest, obj: Doctor | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Doctor | None = None) -> list[str]:
        """A doctor's login can read what patients write, so only superusers choose it. To approve
        and suspend are acts of their own.
        """
        return ["is_active"] if is_superuser(request) else ["user", "is_active"]

    def save_model(self, request: HttpRequest, obj: Doctor, form: Any, change: bool) -> None:
        if not change:
            obj.is_active = False
        super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Hours go through the service that the pages of the practice use."""
        if formset.model not in (AvailabilityRule, AvailabilityOverride):
            super().save_formset(request, form, formset, change)
            return
        saved, by = formset.save(commit=False), audit.Actor("staff", request.user.pk)
        given = {"saved": saved, "removed": formset.deleted_objects, "by": by}
        if formset.model is AvailabilityRule:
            save_rules(doctor=form.instance, **given)
        else:
            save_overrides(doctor=form.instance, **given)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        _record_rights(request, form, formsets)
        bring_times_in_line(request, doctor_ids=[form.instance.pk])


@admin.register(SlotExpansion)
class SlotExpansionAdmin(ReadOnlyAdmin):
    """How far the times have been updated after a change of hours."""

    list_display = ("asked_at", "asked_by", "progress", "added", "removed", "finished_at")
    list_select_related = ("asked_by",)
    fields = ("asked_at", "asked_by", "progress", "added", "removed", "finished_at")

    @admin.display(description=gettext_lazy("doctors done"))
    def progress(self, asked: SlotExpansion) -> str:
        return _("%(done)d of %(all)d") % {"done": asked.done, "all": len(asked.doctor_ids)}


def _record_rights(request: HttpRequest, form: Any, formsets: Any) -> None:
    """Records whose login can read the visits of this doctor."""
    secretaries = [each for each in formsets if each.model is SecretaryAssignment]
    if "user" not in form.changed_data and not any(each.has_changed() for each in secretaries):
        return
    doctor: Doctor = form.instance
    audit.record(
        action="doctor.rights_changed",
        by=audit.Actor("staff", request.user.pk),
        on=("doctor", doctor.pk),
        after={
            "user": doctor.user_id,
            "secretaries": sorted(doctor.secretaries.values_list("secretary", flat=True)),
        },
    )


@admin.register(Slot)
class SlotAdmin(AtTheClinic, ReadOnlyAdmin):
    """Searched by the doctor's name, or by the id of a hold or an appointment."""

    list_display = ("starts_at", "ends_at", "doctor", "clinic", "mode", "state", "held_until")
    list_filter = ("state", "mode", "starts_at")
    list_select_related = ("doctor", "clinic")
    search_fields = ("doctor__name",)

    def filter_by_uuid(self, queryset: QuerySet[Slot], identifier: Any) -> QuerySet[Slot]:
        return queryset.filter(hold_id=identifier)

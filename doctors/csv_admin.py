"""The admin's pages for files of doctors and of hours: check, then save; and the way out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from tablib import Dataset

from accounts.users import signed_in
from docbook.audit.services import Actor
from doctors.csv_resources import CheckedResource, DoctorResource, HoursResource, Totals
from doctors.csv_tables import MOST_BYTES, MOST_ROWS, UnreadableFile, read_table, write_table

# A checked file waits this long to be saved.
KEPT_SECONDS = 30 * 60
MOST_ERRORS_SHOWN = 500


@dataclass(frozen=True)
class Kind:
    title: Any
    resource: type[CheckedResource]
    needed: tuple[str, ...]


KINDS = {
    "doctors": Kind(
        gettext_lazy("Doctors in a file"),
        DoctorResource,
        ("doctors.add_doctor", "doctors.change_doctor"),
    ),
    "hours": Kind(
        gettext_lazy("Hours in a file"),
        HoursResource,
        (
            "doctors.change_doctor",
            "doctors.add_availabilityrule",
            "doctors.change_availabilityrule",
            "doctors.delete_availabilityrule",
        ),
    ),
}


@dataclass(frozen=True)
class RowError:
    """`row` is the number that a spreadsheet shows."""

    row: int
    column: str
    text: str


@dataclass
class Checked:
    """`problem` is about the file as a whole. A file is saved only if nothing is wrong."""

    problem: str = ""
    errors: list[RowError] = field(default_factory=list)
    rows: int = 0
    totals: Totals = field(default_factory=Totals)
    version: str = ""

    @property
    def is_good(self) -> bool:
        return not self.problem and not self.errors

    @property
    def wrong_rows(self) -> int:
        return len({error.row for error in self.errors})

    @property
    def shown(self) -> list[RowError]:
        return self.errors[:MOST_ERRORS_SHOWN]

    @property
    def not_shown(self) -> int:
        return len(self.errors) - len(self.shown)


def check_file(data: bytes, resource: CheckedResource) -> Checked:
    """Saves nothing."""
    try:
        table = read_table(data, required=resource.required, known=resource.known())
    except UnreadableFile as error:
        return Checked(problem=str(error))
    dataset = Dataset(*table.rows, headers=table.headers)
    result = resource.import_data(dataset, use_transactions=False)
    for failed in (*result.base_errors, *(row.errors[0] for row in result.error_rows)):
        raise failed.error
    errors = [
        RowError(table.numbers[row.number - 1], column, text)
        for row in result.invalid_rows
        for column, texts in row.error_dict.items()
        for text in texts
    ]
    errors.sort(key=lambda error: error.row)
    if errors:
        return Checked(errors=errors, rows=len(table.rows))
    return Checked(rows=len(table.rows), totals=resource.totals(), version=resource.version())


class UploadForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            text = _("The file is larger than 2 MB. Split it into several files.")
            raise forms.ValidationError(text, code="too-large")
        return file


class WithFiles(admin.ModelAdmin):
    """A mixin for the admin of doctors."""

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        return [
            path("csv/<slug:kind>/", site.admin_view(self.csv_view), name="doctors_doctor_csv"),
            path(
                "csv/<slug:kind>/export/",
                site.admin_view(self.csv_export_view),
                name="doctors_doctor_csv_export",
            ),
            *super().get_urls(),
        ]

    def csv_export_view(self, request: HttpRequest, kind: str) -> HttpResponse:
        resource = _kind(kind).resource()
        if not request.user.has_perm("doctors.view_doctor"):
            raise PermissionDenied
        dataset = resource.export(resource.get_queryset())
        return csv_response(f"docbook-{kind}", dataset.headers, dataset)

    def csv_view(self, request: HttpRequest, kind: str) -> HttpResponse:
        """A file is checked when it comes, and checked again when it is saved."""
        asked = _kind(kind)
        if not request.user.has_perms(asked.needed):
            raise PermissionDenied
        if request.method != "POST":
            return self._csv_page(request, kind, UploadForm())
        if "token" in request.POST:
            return self._save_file(request, kind, token=request.POST["token"])
        form = UploadForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._csv_page(request, kind, form)
        return self._checked_page(request, kind, form, form.cleaned_data["file"].read())

    def _checked_page(
        self, request: HttpRequest, kind: str, form: UploadForm, data: bytes
    ) -> HttpResponse:
        checked, token = check_file(data, _kind(kind).resource()), ""
        if checked.is_good:
            token = token_urlsafe(16)
            cache.set(_key(request, kind, token), data, KEPT_SECONDS)
        return self._csv_page(request, kind, form, checked=checked, token=token)

    def _save_file(self, request: HttpRequest, kind: str, *, token: str) -> HttpResponse:
        data = cache.get(_key(request, kind, token))
        if data is None:
            messages.warning(request, _("Nothing was saved. Choose the file once more."))
            return redirect(request.path)
        resource = _kind(kind).resource()
        checked = check_file(data, resource)
        if not checked.is_good or checked.version != request.POST.get("version"):
            messages.warning(request, _CHANGED_MEANWHILE)
            return self._checked_page(request, kind, UploadForm(), data)
        user = signed_in(request)
        try:
            expansion = resource.save(by=Actor("staff", user.pk), user=user)
        except IntegrityError:
            messages.warning(request, _CHANGED_MEANWHILE)
            return self._checked_page(request, kind, UploadForm(), data)
        cache.delete(_key(request, kind, token))
        messages.success(request, _("The file was saved."))
        if expansion:
            url = reverse("admin:doctors_slotexpansion_change", args=[expansion.pk])
            text = _("The bookable times will be updated in a moment.")
            link = format_html('{} <a href="{}">{}</a>', text, url, _("See the progress."))
            messages.info(request, link)
        return redirect("admin:doctors_doctor_changelist")

    def _csv_page(
        self,
        request: HttpRequest,
        kind: str,
        form: UploadForm,
        *,
        checked: Checked | None = None,
        token: str = "",
    ) -> HttpResponse:
        asked = _kind(kind)
        resource = asked.resource()
        context = {
            **self.admin_site.each_context(request),
            "title": asked.title,
            "opts": self.opts,
            "kind": kind,
            "form": form,
            "checked": checked,
            "token": token,
            "required": resource.required,
            "optional": [name for name in resource.known() if name not in resource.required],
            "most_rows": MOST_ROWS,
        }
        return TemplateResponse(request, "admin/doctors/doctor/csv.html", context)


_CHANGED_MEANWHILE = gettext_lazy(
    "Somebody has changed this in the meantime. Nothing was saved. Look at it again."
)


def csv_response(name: str, headers: Sequence[str], rows: Any) -> HttpResponse:
    """A download with the day of UTC in its name."""
    response = HttpResponse(write_table(headers, rows), content_type="text/csv; charset=utf-8")
    day = timezone.now().date().isoformat()
    response["Content-Disposition"] = f'attachment; filename="{name}-{day}.csv"'
    return response


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise Http404
    return KINDS[name]


def _key(request: HttpRequest, kind: str, token: str) -> str:
    """Only the person who had the file checked can save it."""
    return f"import:{kind}:{signed_in(request).pk}:{token[:40]}"

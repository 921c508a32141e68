"""Admin pages of accounts that may belong to one patient: found in pairs, compared, merged, and
parted again for a day.

For staff who may change accounts and read of patients.
"""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.admin import UserAdmin
from accounts.models import PatientMerge, User
from accounts.users import signed_in
from bookings.actors.practice_member import PracticeMember
from bookings.merging.selectors import people_with, possible_duplicates, recent_merges
from bookings.merging.services import UNDO_WITHIN, merge_patients, undo_merge
from docbook.audit import services as audit
from docbook.errors import FieldError, NotFound

PAGE = "admin:accounts_user_duplicates"
# Merges that can no longer be undone are shown a little longer.
_SHOWN_FOR = timedelta(days=7)
_REASONS = {
    "number": gettext_lazy("same phone number"),
    "birthday": gettext_lazy("same name and birthday"),
    "mailbox": gettext_lazy("same mailbox"),
}

admin.site.unregister(User)


@admin.register(User)
class UserWithDuplicatesAdmin(UserAdmin):
    change_list_template = "admin/accounts/user/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        pages = (
            ("duplicates/", self.duplicates_view, "duplicates"),
            ("duplicates/<int:kept>/<int:merged>/", self.merge_view, "merge"),
            ("duplicates/undo/<int:merge>/", self.undo_view, "undo_merge"),
        )
        return [
            *(
                path(route, self.admin_site.admin_view(view), name=f"accounts_user_{name}")
                for route, view, name in pages
            ),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        more = {**(extra_context or {}), "may_merge": _may_merge(request)}
        return super().changelist_view(request, more)

    def duplicates_view(self, request: HttpRequest) -> HttpResponse:
        """Pairs of accounts that share something, and what was merged lately."""
        by, now = _staff(request), timezone.now()
        pairs = possible_duplicates(now=now)
        merges = recent_merges(since=now - _SHOWN_FOR)
        _record_reading(by, shown=2 * len(pairs))
        context = {
            "title": _("Possible duplicates"),
            "pairs": [(pair, [_REASONS[each] for each in pair.reasons]) for pair in pairs],
            "merges": [(merge, _can_be_undone(merge, now=now)) for merge in merges],
        }
        return self._page(request, "duplicates", context)

    def merge_view(self, request: HttpRequest, kept: int, merged: int) -> HttpResponse:
        """Both accounts side by side, and the button that merges them."""
        by, now = _staff(request), timezone.now()
        if request.method == "POST":
            return self._merge(request, kept, merged, by=by)
        people = people_with((kept, merged), now=now)
        if len(people) < 2:
            raise Http404
        _record_reading(by, shown=2)
        context = {"title": _("Merge two accounts"), "stays": people[kept], "goes": people[merged]}
        return self._page(request, "merge", context)

    def _merge(
        self, request: HttpRequest, kept: int, merged: int, *, by: audit.Actor
    ) -> HttpResponse:
        try:
            merge_patients(kept_id=kept, merged_id=merged, by=by, now=timezone.now())
        except NotFound as error:
            raise Http404 from error
        except FieldError as refusal:
            messages.error(request, str(refusal))
            return redirect(request.path)
        messages.success(request, _("The accounts are one. This can be undone for a day."))
        return redirect(PAGE)

    def undo_view(self, request: HttpRequest, merge: int) -> HttpResponse:
        by = _staff(request)
        if request.method != "POST":
            return redirect(PAGE)
        try:
            stay = undo_merge(merge_id=merge, by=by, now=timezone.now())
        except NotFound as error:
            raise Http404 from error
        except FieldError as refusal:
            messages.error(request, str(refusal))
            return redirect(PAGE)
        messages.success(request, _("The accounts are two again."))
        if stay:
            text = ngettext(
                "%(number)d visit has changed since and stays where it is.",
                "%(number)d visits have changed since and stay where they are.",
                stay,
            )
            messages.warning(request, text % {"number": stay})
        return redirect(PAGE)

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        page = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/accounts/user/{name}.html", page)


def _may_merge(request: HttpRequest) -> bool:
    user = signed_in(request)
    return user.has_perm("accounts.change_user") and PracticeMember(user).may_read_patients()


def _staff(request: HttpRequest) -> audit.Actor:
    if not _may_merge(request):
        raise PermissionDenied
    return audit.Actor("staff", signed_in(request).pk)


def _record_reading(by: audit.Actor, *, shown: int) -> None:
    if shown:
        after = {"through": "admin", "shown": shown}
        audit.record(action="patients.read", by=by, on=("account", by.user_id), after=after)


def _can_be_undone(merge: PatientMerge, *, now: Any) -> bool:
    return merge.undone_at is None and now < merge.merged_at + UNDO_WITHIN

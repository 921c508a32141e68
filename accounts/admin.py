"""Users, found by their e-mail address; their rights; and the admin's own titles.

Only superusers give rights. Anything that leads to a right counts as one: a password, a proven
address, or the account of a member of staff.
"""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.admin import EmailAddressAdmin as AllauthEmailAddressAdmin
from allauth.account.models import EmailAddress
from allauth.mfa.admin import Authenticator
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from accounts import account_events, second_factor
from accounts.first_proof import secure_first_proof
from accounts.models import User
from accounts.roles import works_here
from accounts.users import signed_in
from docbook.audit import services as audit
from docbook.observability.read_only_admin import (
    CappedPaginator,
    OwnFiltersAdmin,
    ReadOnlyAdmin,
)

admin.site.site_header = "DocBook"
admin.site.site_title = "DocBook"
admin.site.index_title = _("Clinics, people and records")


RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")


class BySuperusers:
    """Other staff with the right may look, but change nothing."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_superuser(request)


def record_reading(request: HttpRequest, response: Any, *, on: tuple[str, object]) -> None:
    """Records that staff have looked at a row with personal data."""
    if request.method == "GET" and response.status_code == 200:
        by = audit.Actor("staff", signed_in(request).pk)
        audit.record(action="patient.read", by=by, on=on, after={"through": "admin"})


def is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and getattr(request.user, "is_superuser", False))


admin.site.unregister(Group)
admin.site.unregister(EmailAddress)
admin.site.unregister(Authenticator)


@admin.register(Group)
class GroupAdmin(BySuperusers, OwnFiltersAdmin, DjangoGroupAdmin):
    pass


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    """Who has a second factor, and since when. Nobody may see its secret. A change to a row here
    would end no session, so rows cannot be changed.
    """

    fields = list_display = ("user", "type", "created_at", "last_used_at")
    list_select_related = ("user",)


@admin.register(EmailAddress)
class EmailAddressAdmin(BySuperusers, OwnFiltersAdmin, AllauthEmailAddressAdmin):  # type: ignore[misc]  # no types
    """A proven address opens its account with a code."""

    actions = None

    def save_model(self, request: HttpRequest, obj: EmailAddress, form: Any, change: bool) -> None:
        """If nobody had proven an address of the account, strangers may know its password."""
        is_first = not EmailAddress.objects.filter(user=obj.user, verified=True).exists()
        if obj.verified and is_first and secure_first_proof(obj.user, by=signed_in(request)):
            text = _(
                "This account lost its password: it was chosen before the address was confirmed."
                " The owner can sign in with a code by e-mail, or you can set a new password."
            )
            messages.warning(request, text)
        super().save_model(request, obj, form, change)


class UserCreationForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "first_name", "last_name")
        field_classes: dict[str, Any] = {}

    def __init__(self, *args: Any, **named: Any) -> None:
        """Accounts are made here for people who sign in. The desk adds patients without e-mail."""
        super().__init__(*args, **named)
        self.fields["email"].required = True

    def clean_email(self) -> str:
        """Lower case, like every address that enters by another door."""
        return str(self.cleaned_data["email"]).lower()


@admin.register(User)
class UserAdmin(OwnFiltersAdmin, DjangoUserAdmin):
    """The address of an account is proven by mail, so only its owner changes it."""

    paginator = CappedPaginator
    show_full_result_count = False
    add_form = UserCreationForm
    ordering = ("-id",)
    list_display = ("email", "first_name", "last_name", "is_staff", "is_active", "created_at")
    list_filter = ("is_staff", "is_superuser", "is_active")
    search_fields = ("email", "first_name", "last_name")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        (_("Personal details"), {"fields": ("first_name", "last_name", "phone", "born_on")}),
        (_("Permissions"), {"fields": ("is_active", *RIGHTS)}),
        (_("Dates"), {"fields": ("last_login", "created_at")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "first_name", "last_name")}),
        (_("Password"), {"fields": ("usable_password", "password1", "password2")}),
    )
    readonly_fields = ("last_login", "created_at")
    actions = ("end_all_sessions",)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        rights = () if is_superuser(request) else RIGHTS
        return (*rights, *self.readonly_fields, *(() if obj is None else ("email",)))

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Only superusers read what refers to an account: visits say who comes here."""
        found, counts, needed, protected = super().get_deleted_objects(objs, request)
        if is_superuser(request):
            return found, counts, needed, protected
        needed = {str(_("rows that refer to the account"))} if needed or protected else set()
        return [str(user) for user in objs], {}, needed, []

    def user_change_password(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        """Tells the owner, because anybody who sets the password can use the account."""
        if not is_superuser(request):
            raise PermissionDenied
        response = super().user_change_password(request, *args, **options)
        if request.method == "POST" and response.status_code == 302:
            user = User.objects.get(pk=args[0] if args else options["id"])
            account_events.record("password_changed", user, by=signed_in(request))
            get_adapter().send_notification_mail("account/email/password_changed", user)
        return response

    @admin.action(description=_("Sign out everywhere"), permissions=["change"])
    def end_all_sessions(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Only superusers end the sessions of staff. The session that asks goes on."""
        touched = [user for user in users if _may_touch(request, user)]
        for user in touched:
            account_events.record("sessions_ended", user, by=signed_in(request))
            account_events.end_sessions(user)
        text = _("Signed out everywhere: %(count)s of the selected accounts.")
        messages.success(request, text % {"count": len(touched)})

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.second_factor_view)
        name = "accounts_user_second_factor"
        return [path("<int:object_id>/second-factor/", view, name=name), *super().get_urls()]

    def second_factor_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Asks for confirmation, then removes a second factor that its owner has lost."""
        user = get_object_or_404(User, pk=object_id)
        if not may_reset_second_factor(request, user.pk):
            raise PermissionDenied
        if request.method == "POST":
            if second_factor.reset(user=user, by=signed_in(request)):
                text = _("%(email)s no longer has a second step and was told by mail.")
                messages.success(request, text % {"email": user.email})
            return redirect("admin:accounts_user_change", user.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Second step to sign in"),
            "opts": self.opts,
            "account": user,
            "authenticators": Authenticator.objects.filter(user=user).order_by("-type"),
        }
        return TemplateResponse(request, "admin/accounts/user/second_factor.html", context)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **more: Any) -> Any:
        more["extra_context"] = {
            **(more.get("extra_context") or {}),
            "may_reset_second_factor": may_reset_second_factor(request, object_id),
        }
        response = super().change_view(request, object_id, *args, **more)
        record_reading(request, response, on=("account", object_id))
        return response

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if change and "phone" in form.changed_data:
            account_events.record("phone_changed", form.instance, by=signed_in(request))
            get_adapter().send_notification_mail("account/email/phone_changed", form.instance)
        if given := set(form.changed_data) & {*RIGHTS, "is_active"}:
            user = form.instance
            account_events.record(
                "rights_changed",
                user,
                by=signed_in(request),
                changed=sorted(given),
                is_active=user.is_active,
                is_staff=user.is_staff,
                is_superuser=user.is_superuser,
                groups=sorted(user.groups.values_list("pk", flat=True)),
                permissions=sorted(user.user_permissions.values_list("codename", flat=True)),
            )


def may_reset_second_factor(request: HttpRequest, user_id: int | str) -> bool:
    """Superusers may, but not their own: a borrowed session could remove it without a code."""
    return is_superuser(request) and str(user_id) != str(signed_in(request).pk)


def _may_touch(request: HttpRequest, user: User | None) -> bool:
    """Only superusers touch the accounts of people who work here."""
    return user is None or is_superuser(request) or not works_here(user)

"""Messages that wait, were delivered, were refused, or were given up. The last two kinds can be
tried again.
"""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from docbook.observability.read_only_admin import ReadOnlyAdmin
from docbook.outbox import services
from docbook.outbox.models import OutboxDelivery, OutboxMessage


class Stage(admin.SimpleListFilter):
    """The stage that a message has reached."""

    title = _("stage")
    parameter_name = "stage"

    conditions = {
        "waiting": Q(done_at__isnull=True, dead_at__isnull=True),
        "done": Q(done_at__isnull=False, is_refused=False),
        "refused": Q(is_refused=True),
        "dead": Q(dead_at__isnull=False),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("waiting", _("waiting")),
            ("done", _("delivered")),
            ("refused", _("refused by the recipient")),
            ("dead", _("given up")),
        ]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[OutboxMessage]
    ) -> QuerySet[OutboxMessage]:
        condition = self.conditions.get(self.value() or "")
        return queryset.filter(condition) if condition else queryset


class Deliveries(admin.TabularInline):
    """The channels that the message went out by, and how many copies."""

    model = OutboxDelivery
    fields = ("channel", "copies", "delivered_at")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnlyAdmin):
    list_display = (
        "id", "topic", "aggregate_id", "created_at", "attempts", "next_attempt_at", "done_at",
        "is_refused", "dead_at", "last_error",
    )  # fmt: skip
    list_filter = (Stage, "topic")
    search_fields = ("=aggregate_id",)
    ordering = ("-id",)
    actions = ["retry"]
    inlines = [Deliveries]

    @admin.action(
        description=_("Try messages again that were given up or refused"), permissions=["retry"]
    )
    def retry(self, request: HttpRequest, queryset: QuerySet[OutboxMessage]) -> None:
        woken = services.retry(message_ids=list(queryset.values_list("pk", flat=True)))
        text = ngettext(
            "%(count)d message will be tried again.",
            "%(count)d messages will be tried again.",
            woken,
        )
        self.message_user(request, text % {"count": woken}, messages.SUCCESS)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Nobody changes a message by hand. People with this right may have it tried again."""
        return request.user.has_perm("outbox.change_outboxmessage")

    def filter_by_uuid(
        self, queryset: QuerySet[OutboxMessage], identifier: UUID
    ) -> QuerySet[OutboxMessage]:
        return queryset.filter(aggregate_id=str(identifier))

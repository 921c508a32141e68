"""Messages that wait, were delivered, or were given up; for looking only."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from docbook.observability.read_only_admin import ReadOnlyAdmin
from docbook.outbox.models import OutboxMessage


class Stage(admin.SimpleListFilter):
    """Where a message is on its way."""

    title = _("stage")
    parameter_name = "stage"

    conditions = {
        "waiting": Q(done_at__isnull=True, dead_at__isnull=True),
        "done": Q(done_at__isnull=False),
        "dead": Q(dead_at__isnull=False),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("waiting", _("waiting")), ("done", _("delivered")), ("dead", _("given up"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[OutboxMessage]
    ) -> QuerySet[OutboxMessage]:
        condition = self.conditions.get(self.value() or "")
        return queryset.filter(condition) if condition else queryset


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnlyAdmin):
    list_display = (
        "id", "topic", "aggregate_id", "created_at", "attempts", "next_attempt_at", "done_at",
        "dead_at", "last_error",
    )  # fmt: skip
    list_filter = (Stage, "topic")
    search_fields = ("=aggregate_id",)
    ordering = ("-id",)

    def filter_by_uuid(
        self, queryset: QuerySet[OutboxMessage], identifier: UUID
    ) -> QuerySet[OutboxMessage]:
        return queryset.filter(aggregate_id=str(identifier))

"""The audit trail, read-only."""

from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet

from docbook.audit.models import AuditEvent, AuditSeal
from docbook.observability.read_only_admin import ReadOnlyAdmin


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Searched by the id of the object; filtered by action."""

    list_display = ("at", "action", "actor_kind", "actor_id", "object_type", "object_id")
    list_filter = ("actor_kind", "object_type", "at")
    search_fields = ("=action", "=object_id")
    search_help_text = "The id of what it is about, or an action like appointment.confirmed."

    def filter_by_uuid(
        self, queryset: QuerySet[AuditEvent], identifier: UUID
    ) -> QuerySet[AuditEvent]:
        return queryset.filter(object_id=str(identifier))


@admin.register(AuditSeal)
class AuditSealAdmin(ReadOnlyAdmin):
    """A witness keeps the number and the digest together."""

    list_display = ("number", "digest", "sealed_at")
    search_fields = ("=number", "=digest")
    search_help_text = "A number, or a digest in full."

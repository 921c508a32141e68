"""Who did what to what. Rows are only ever added; the database refuses anything else."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEvent(models.Model):
    """One change, written in the transaction that made it. Ids and states, never personal text.

    `actor_id` is no foreign key, so that the record outlives the account.
    """

    at = models.DateTimeField(_("at"), auto_now_add=True)
    action = models.CharField(
        _("action"), max_length=64, help_text=_("Dotted name, like appointment.confirmed.")
    )
    actor_kind = models.CharField(_("by"), max_length=16)
    actor_id = models.BigIntegerField(_("user id"), null=True, blank=True)
    object_type = models.CharField(_("on"), max_length=32)
    object_id = models.CharField(_("id"), max_length=64)
    before = models.JSONField(_("before"), default=dict, blank=True)
    after = models.JSONField(_("after"), default=dict, blank=True)
    request_id = models.CharField(_("request id"), max_length=64, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["object_type", "object_id"], name="audit_by_object"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_id}"

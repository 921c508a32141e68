"""Who did what to what. Rows are only ever added; the database refuses all other changes."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Func, Q
from django.utils.translation import gettext_lazy as _

# The database fills both: machines' clocks differ, and only the database knows the transaction.
_NOW = Func(function="clock_timestamp", output_field=models.DateTimeField())
_THIS_TRANSACTION = Func(
    template="(pg_current_xact_id()::text::bigint)", output_field=models.BigIntegerField()
)


class AuditEvent(models.Model):
    """One change, written in the transaction that made it. Ids and states, never personal text.

    `actor_id` is no foreign key: the record outlives the account. `xact` is the number of the
    writing transaction. It shows which events no late one can join any more.
    """

    at = models.DateTimeField(_("at"), db_default=_NOW, editable=False)
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
    xact = models.BigIntegerField(_("transaction"), db_default=_THIS_TRANSACTION, editable=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["object_type", "object_id"], name="audit_by_object"),
            models.Index(fields=["xact", "id"], name="audit_by_transaction"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_id}"


class AuditSeal(models.Model):
    """Closes all events of the transactions [since, until), and follows the seal before it.

    `docbook.audit.seals` describes what the digests are made of.
    """

    number = models.PositiveBigIntegerField(_("number"), primary_key=True)
    since = models.BigIntegerField(_("from transaction"))
    until = models.BigIntegerField(_("before transaction"))
    event_ids = ArrayField(models.BigIntegerField(), verbose_name=_("events"))
    events_digest = models.CharField(_("digest of the events"), max_length=64)
    previous_digest = models.CharField(_("digest of the seal before"), max_length=64)
    digest = models.CharField(_("digest"), max_length=64)
    sealed_at = models.DateTimeField(_("sealed at"))

    class Meta:
        ordering: ClassVar[list[str]] = ["-number"]
        verbose_name = _("audit seal")
        verbose_name_plural = _("audit seals")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["previous_digest"], name="one_seal_follows_another"),
            models.CheckConstraint(
                condition=Q(until__gt=models.F("since")),
                name="seal_covers_at_least_a_transaction",
            ),
        ]

    def __str__(self) -> str:
        return f"seal {self.number}"

"""Messages, committed together with the change they report."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.db.models.lookups import IsNull
from django.utils.translation import gettext_lazy as _


class OutboxMessage(models.Model):
    """One fact to report: a topic and ids. It is done when its receiver says so, and dead after a
    day of failures. One that the recipient's server has refused for good is done as well: nothing
    is left to do.

    `next_attempt_at` is both the backoff and the lease: while a worker has the message, nobody else
    takes it before that instant. `handed_out` numbers the leases. It grows whenever the message is
    handed out again, and a holder of an older number is turned away.
    """

    topic = models.CharField(_("topic"), max_length=64)
    # Empty for the first receiver of the topic; services publish its message.
    receiver = models.CharField(_("receiver"), max_length=32, blank=True, db_default="", default="")
    is_spread = models.BooleanField(default=False, db_default=False, editable=False)
    aggregate_id = models.CharField(_("about"), max_length=64)
    payload = models.JSONField(_("ids"), default=dict)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    handed_out = models.PositiveIntegerField(_("times handed out"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt at"))
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)
    dead_at = models.DateTimeField(_("given up at"), null=True, blank=True)
    is_refused = models.BooleanField(
        _("refused by the recipient"), default=False, db_default=False, editable=False
    )
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=200, blank=True)
    # Names a fact that somebody may find twice, such as a beat task that looks every minute.
    once = models.CharField(_("told once as"), max_length=96, null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        verbose_name = _("outbox message")
        verbose_name_plural = _("outbox messages")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["id"],
                condition=Q(IsNull(Coalesce("done_at", "dead_at"), True)),
                name="outbox_waiting_in_order",
            ),
            models.Index(
                fields=["aggregate_id", "id"],
                condition=Q(done_at__isnull=True, dead_at__isnull=True),
                name="outbox_order",
            ),
            models.Index(
                fields=["done_at"], condition=Q(done_at__isnull=False), name="outbox_done"
            ),
            models.Index(
                fields=["dead_at"], condition=Q(dead_at__isnull=False), name="outbox_dead"
            ),
            models.Index(fields=["done_at"], condition=Q(is_refused=True), name="outbox_refused"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(done_at__isnull=True) | Q(dead_at__isnull=True),
                name="outbox_message_is_not_both_done_and_dead",
            ),
            models.CheckConstraint(
                condition=Q(is_refused=False) | Q(done_at__isnull=False),
                name="refused_message_is_done",
            ),
            models.UniqueConstraint(
                fields=["once"],
                condition=Q(once__isnull=False),
                name="one_message_per_fact_that_is_told_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.aggregate_id}"


class OutboxDelivery(models.Model):
    """Records that a message went out by a channel, like e-mail. It lives as long as its message.

    `copies` is written before a copy goes out, and `delivered_at` after it. A worker that dies in
    between leaves a copy that may have arrived, and the next attempt makes it two.
    """

    message = models.ForeignKey(
        OutboxMessage, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    channel = models.CharField(_("channel"), max_length=16)
    copies = models.PositiveSmallIntegerField(_("copies that may have arrived"), default=1)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["message"], condition=Q(copies__gt=1), name="outbox_duplicates"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["message", "channel"], name="one_delivery_per_message_and_channel"
            ),
            models.CheckConstraint(
                condition=Q(delivered_at__isnull=True) | Q(copies__gte=1),
                name="what_was_delivered_has_a_copy",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} of message {self.message_id}"

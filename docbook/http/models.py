"""The answer an API client got for a key, so a retry gets the same answer."""

from typing import ClassVar

from django.db import models


class IdempotencyRecord(models.Model):
    """Written in the same transaction as the effect it stands for; kept for 24 hours.

    `user_id` is no foreign key: this package knows no app.
    """

    user_id = models.BigIntegerField()
    key = models.CharField(max_length=255)
    route = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    # From which the answer is made, the first time and every time; or else the answer itself.
    facts = models.JSONField(null=True)
    body = models.TextField(default="")
    location = models.CharField(max_length=200, default="")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["user_id", "key"], name="one_answer_per_user_and_idempotency_key"
            ),
        ]

    def __str__(self) -> str:
        return f"idempotency record {self.pk}"

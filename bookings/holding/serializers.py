"""Holds and codes as the API shows and reads them."""

import re
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bookings.holding.services.codes import destination_of, resend_at
from bookings.models import Hold
from bookings.models.holds import MAX_CODE_ATTEMPTS
from docbook.http.moments import LocalInstantField
from docbook.http.phone_field import phone_field
from docbook.http.serializers import (
    IdField,
    PatternField,
    StrictSerializer,
    TextField,
    UuidField,
)
from docbook.http.times import local_iso
from docbook.typed_text import folded_text

NEEDED_TO_BE_CALLED = "Needed for a visit by phone where the account has no number."


class BookingIn(StrictSerializer):
    """`visitTypeId` and `slotId` as `GET doctors` and `GET doctors/{id}/slots` give them."""

    slotId = IdField()  # noqa: N815
    visitTypeId = IdField()  # noqa: N815
    reason = TextField(required=False, allow_blank=True, max_length=500, default="")
    phone = phone_field(help_text=NEEDED_TO_BE_CALLED)
    replaces = UuidField(
        required=False, help_text="The booking that this one moves; given up once it is confirmed."
    )


class GroupedDigitsField(PatternField):
    """Programs write ASCII digits. Whatever a copied code brings along is ignored."""

    fold = staticmethod(folded_text)


class CodeIn(StrictSerializer):
    """Six digits, also in two groups, as the mail shows them."""

    code = GroupedDigitsField(
        re.compile(r"^[0-9]{3}[ -]?[0-9]{3}\Z"),
        error_messages={"invalid": "The code has six digits."},
    )


@extend_schema_field(OpenApiTypes.INT64)
class _NumberField(serializers.IntegerField):
    pass


class HeldSlotOut(serializers.Serializer[Hold]):
    slotId = _NumberField(read_only=True)  # noqa: N815
    doctorId = IdField(source="doctor_id")  # noqa: N815
    startsAt = LocalInstantField("starts_at")  # noqa: N815
    endsAt = LocalInstantField("ends_at")  # noqa: N815

    def to_representation(self, instance: Hold) -> dict[str, Any]:
        return _held_slot(instance)


def _held_slot(hold: Hold) -> dict[str, Any]:
    return {
        "slotId": hold.slot_ids[0],
        "doctorId": hold.doctor_id,
        "startsAt": local_iso(hold.starts_at, hold.time_zone),
        "endsAt": local_iso(hold.ends_at, hold.time_zone),
    }


CHANNELS = [("email", "by mail"), ("sms", "by SMS")]


class OtpOut(serializers.Serializer[Hold]):
    channel = serializers.ChoiceField(choices=CHANNELS, read_only=True)
    sentTo = serializers.CharField(read_only=True)  # noqa: N815
    attemptsLeft = serializers.IntegerField(read_only=True)  # noqa: N815
    resendAt = serializers.DateTimeField(allow_null=True, read_only=True)  # noqa: N815


class AttemptOut(serializers.Serializer[Hold]):
    """A hold that waits for its code."""

    attemptId = serializers.UUIDField(source="pk")  # noqa: N815
    status = serializers.CharField(source="state")
    expiresAt = LocalInstantField("expires_at")  # noqa: N815
    slot = HeldSlotOut(source="*")
    otp = OtpOut(source="*")

    def to_representation(self, instance: Hold) -> dict[str, Any]:
        """Written out, because each booking begins with it: its fields, which describe it, take
        eight times as long.
        """
        zone, to, again_at = instance.time_zone, destination_of(instance), resend_at(instance)
        return {
            "attemptId": str(instance.pk),
            "status": instance.state,
            "expiresAt": local_iso(instance.expires_at, zone),
            "slot": _held_slot(instance),
            "otp": {
                "channel": to.channel,
                "sentTo": to.masked,
                "attemptsLeft": MAX_CODE_ATTEMPTS - instance.otp_attempts,
                "resendAt": local_iso(again_at, zone) if again_at else None,
            },
        }

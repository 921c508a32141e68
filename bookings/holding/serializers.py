"""Holds and codes as the API shows and reads them."""

import re

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bookings.holding.services.codes import destination_of, resend_at
from bookings.models import Hold
from bookings.models.holds import MAX_CODE_ATTEMPTS
from docbook.http.moments import LocalInstantField
from docbook.http.serializers import (
    IdField,
    PatternField,
    StrictSerializer,
    TextField,
    UuidField,
)
from docbook.http.times import local_iso
from docbook.notify.phone_numbers import AS_WRITTEN, NOT_A_NUMBER
from docbook.typed_text import folded_text


# As in AS_WRITTEN, or empty.
@extend_schema_field(
    {"type": "string", "maxLength": 32, "pattern": f"^$|{AS_WRITTEN}".replace(r"\Z", "$")}
)
class PhoneField(PatternField):
    pass


def phone_field() -> PatternField:
    return PhoneField(
        re.compile(AS_WRITTEN),
        required=False,
        allow_blank=True,
        default="",
        help_text="Needed for a visit by phone where the account has no number.",
        error_messages={"invalid": NOT_A_NUMBER},
    )


class BookingIn(StrictSerializer):
    """`visitTypeId` and `slotId` as `GET doctors` and `GET doctors/{id}/slots` give them."""

    slotId = IdField()  # noqa: N815
    visitTypeId = IdField()  # noqa: N815
    reason = TextField(required=False, allow_blank=True, max_length=500, default="")
    phone = phone_field()
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


class HeldSlotOut(serializers.Serializer[Hold]):
    slotId = serializers.SerializerMethodField()  # noqa: N815
    doctorId = IdField(source="doctor_id")  # noqa: N815
    startsAt = LocalInstantField("starts_at")  # noqa: N815
    endsAt = LocalInstantField("ends_at")  # noqa: N815

    @extend_schema_field(OpenApiTypes.INT64)
    def get_slotId(self, hold: Hold) -> int:  # noqa: N802
        return hold.slot_ids[0]


CHANNELS = [("email", "by mail"), ("sms", "by SMS")]


class OtpOut(serializers.Serializer[Hold]):
    channel = serializers.SerializerMethodField()
    sentTo = serializers.SerializerMethodField()  # noqa: N815
    attemptsLeft = serializers.SerializerMethodField()  # noqa: N815
    resendAt = serializers.SerializerMethodField()  # noqa: N815

    @extend_schema_field(serializers.ChoiceField(choices=CHANNELS))
    def get_channel(self, hold: Hold) -> str:
        return destination_of(hold).channel

    def get_sentTo(self, hold: Hold) -> str:  # noqa: N802
        return destination_of(hold).masked

    def get_attemptsLeft(self, hold: Hold) -> int:  # noqa: N802
        return MAX_CODE_ATTEMPTS - hold.otp_attempts

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_resendAt(self, hold: Hold) -> str | None:  # noqa: N802
        moment = resend_at(hold)
        return local_iso(moment, hold.time_zone) if moment else None


class AttemptOut(serializers.Serializer[Hold]):
    """A hold that waits for its code."""

    attemptId = serializers.UUIDField(source="pk")  # noqa: N815
    status = serializers.CharField(source="state")
    expiresAt = LocalInstantField("expires_at")  # noqa: N815
    slot = HeldSlotOut(source="*")
    otp = OtpOut(source="*")

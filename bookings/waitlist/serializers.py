"""The waitlist as the API shows and reads it."""

from datetime import time
from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bookings.appointments.serializers import BookingDoctorOut
from bookings.holding.serializers import NEEDED_TO_BE_CALLED, HeldSlotOut
from bookings.models import Hold, WaitlistEntry, WaitlistState
from bookings.waitlist.services.entries import EITHER_OR
from docbook.http.moments import DayField
from docbook.http.phone_field import phone_field
from docbook.http.serializers import (
    ChoiceField,
    IdField,
    StrictSerializer,
    TextField,
    UuidField,
    WholeNumbersField,
)
from docbook.http.times import local_iso
from docbook.times_of_day import end_in_words, read_end, read_start
from doctors.models import Mode
from doctors.serializers import VisitTypeOut

NOT_A_TIME = "Use hours and whole minutes by the clock of the clinic, like 09:30."


@extend_schema_field({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9](:00)?$"})
class StartOfHoursField(serializers.Field[time, str, str, time]):
    """Whole minutes on the clinic's clock. An offset is refused: without it, the time would be
    another.
    """

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": NOT_A_TIME}
    read = staticmethod(read_start)

    def to_internal_value(self, data: Any) -> time:
        value = self.read(data) if isinstance(data, str) else None
        if value is None:
            self.fail("invalid")
        return value

    def to_representation(self, value: time) -> str:
        return value.isoformat()


@extend_schema_field({"type": "string", "pattern": "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)(:00)?$"})
class EndOfHoursField(StartOfHoursField):
    """Like a start; 24:00 and 00:00 are the end of the day, and the answer is 24:00:00."""

    read = staticmethod(read_end)

    def to_representation(self, value: time) -> str:
        return f"{end_in_words(value)}:00"


def _pair(*names: str, without: tuple[str, str]) -> dict[str, Any]:
    others = [{"required": [name]} for name in without]
    return {"required": list(names), "not": {"anyOf": others}}


class WaitlistIn(StrictSerializer):
    """A doctor and a visit type, or a specialty (its slug) and a city.

    Days and times are by the clinic's clock; `from` and `until` are both included. No weekdays
    means all of them (0 is Monday), no times of day any. The visit lies between `dayFrom` and
    `dayUntil`, which may be 24:00, the end of the day. `replaces` is a booking of yours that
    accepting an offer moves: only earlier times are offered then.
    """

    TOGETHER: ClassVar[dict[str, Any]] = {
        "oneOf": [
            _pair("doctorId", "visitTypeId", without=("specialty", "city")),
            _pair("specialty", "city", without=("doctorId", "visitTypeId")),
        ]
    }

    doctorId = IdField(required=False)  # noqa: N815
    visitTypeId = IdField(required=False)  # noqa: N815
    specialty = TextField(required=False, max_length=50)
    city = TextField(required=False, max_length=80)
    mode = ChoiceField(required=False, choices=Mode.for_visits())
    until = DayField()
    weekdays = WholeNumbersField(
        required=False, max_length=7, child=serializers.IntegerField(min_value=0, max_value=6)
    )
    dayFrom = StartOfHoursField(required=False)  # noqa: N815
    dayUntil = EndOfHoursField(required=False)  # noqa: N815
    replaces = UuidField(required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        first = {"from": DayField()}
        return {**super().get_fields(), **first}

    def beside_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        """The errors of the service, reported together with those of the fields."""
        by_specialty = "specialty" in data or "city" in data
        if by_specialty != ("doctorId" in data):
            return {}
        return {"doctorId": [serializers.ErrorDetail(EITHER_OR, code="one-of")]}


class AcceptIn(StrictSerializer):
    phone = phone_field(help_text=NEEDED_TO_BE_CALLED)


class OfferOut(serializers.Serializer[Hold]):
    """A time that is held for the caller until `expiresAt`."""

    id = serializers.UUIDField(source="pk")
    expiresAt = serializers.SerializerMethodField()  # noqa: N815
    slot = HeldSlotOut(source="*")
    visitType = VisitTypeOut(source="agreed")  # noqa: N815

    @extend_schema_field(OpenApiTypes.DATETIME)
    def get_expiresAt(self, offer: Hold) -> str:  # noqa: N802
        return local_iso(offer.expires_at, offer.time_zone)


class WaitlistEntryOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(source="state", choices=WaitlistState.choices)
    doctor = BookingDoctorOut(allow_null=True)
    visitTypeId = IdField(source="visit_type_id", allow_null=True)  # noqa: N815
    specialty = serializers.CharField(source="specialty.slug", default=None, allow_null=True)
    city = serializers.CharField()
    mode = serializers.CharField()
    until = serializers.DateField(source="until_on")
    weekdays = serializers.ListField(child=serializers.IntegerField())
    dayFrom = StartOfHoursField(source="day_from", allow_null=True)  # noqa: N815
    dayUntil = EndOfHoursField(source="day_until", allow_null=True)  # noqa: N815
    replaces = serializers.UUIDField(allow_null=True)
    createdAt = serializers.SerializerMethodField()  # noqa: N815
    offer = serializers.SerializerMethodField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {**super().get_fields(), "from": serializers.DateField(source="from_on")}

    @extend_schema_field(OpenApiTypes.DATETIME)
    def get_createdAt(self, entry: Any) -> str:  # noqa: N802
        return local_iso(entry.created_at, entry.zone)

    @extend_schema_field(OfferOut(allow_null=True))
    def get_offer(self, entry: WaitlistEntry) -> dict[str, Any] | None:
        offer = next(iter(entry.live_offers), None)  # type: ignore[attr-defined]
        return OfferOut(offer).data if offer else None


class WaitlistQuery(serializers.Serializer[Any]):
    status = ChoiceField(required=False, choices=WaitlistState.choices)

"""Days and instants as API clients write them. One is never accepted for the other."""

import re
from datetime import UTC, date, datetime
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from docbook.http.dates import FIRST, LAST, validate_day
from docbook.http.times import local_iso

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
# RFC 3339, section 5.6, without leap seconds: no clock here has them.
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?"
    r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])\Z"
)

# FIRST and LAST, for the description.
_DATE = "(19|[2-8][0-9])[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?"
_OFFSET = "([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"


@extend_schema_field({"type": "string", "format": "date", "pattern": f"^{_DATE}$"})
class DayField(serializers.DateField):
    """A day of the calendar. A value with a time is not a day, so it is refused."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": _("Write a day like 2026-12-01, without a time."),
        "datetime": _("Write a day like 2026-12-01, without a time."),
    }

    def __init__(self, **options: Any) -> None:
        options.setdefault("help_text", "A day, like 2026-12-01.")
        super().__init__(**options, validators=[validate_day])

    def to_internal_value(self, value: Any) -> date:
        if not isinstance(value, str) or not _DAY.match(value):
            self.fail("invalid", format="")
        return super().to_internal_value(value)


@extend_schema_field(OpenApiTypes.DATETIME)
class LocalInstantField(serializers.Field[Any, Any, Any, Any]):
    """A moment of a row, with the offset of its place: the row has a `time_zone`."""

    def __init__(self, of: str, **options: Any) -> None:
        self.of = of
        super().__init__(source="*", read_only=True, **options)

    def to_representation(self, row: Any) -> str:
        return local_iso(getattr(row, self.of), row.time_zone)


@extend_schema_field(
    {"type": "string", "format": "date-time", "pattern": f"^{_DATE}{_CLOCK}{_OFFSET}$"}
)
class InstantField(serializers.DateTimeField):
    """A moment by RFC 3339. A day alone, or a time without an offset, could mean several
    moments.
    """

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": _(
            "Write an instant with its offset, like 2026-12-01T09:00:00+01:00 or "
            "2026-12-01T08:00:00Z. In an address, + is written %2B."
        ),
        "too-far": _("This day is too far away."),
    }

    def __init__(self, **options: Any) -> None:
        options.setdefault(
            "help_text",
            "An instant by RFC 3339, with Z or an offset, like 2026-12-01T09:00:00+01:00.",
        )
        super().__init__(**options)

    def to_internal_value(self, value: Any) -> datetime:
        text = value.upper() if isinstance(value, str) else ""
        try:
            moment = datetime.fromisoformat(text) if _INSTANT.match(text) else None
        except ValueError:  # the calendar has no such day
            moment = None
        if moment is None:
            self.fail("invalid", format="")
        # At the ends of the calendar, such a day is missing in other zones.
        if not FIRST <= moment.date() <= LAST:
            self.fail("too-far")
        # PostgreSQL accepts no offset beyond sixteen hours.
        return moment.astimezone(UTC)

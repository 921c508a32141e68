"""Finding visits by what their mails show."""

from typing import Any

from django.db.models import BinaryField, Func, QuerySet, Value

from bookings.models import Appointment
from bookings.references import digest_of_reference


class _DigestOfId(Func):
    """The bytes of which a reference is made."""

    template = "substring(sha256(uuid_send(%(expressions)s)) FOR 5)"
    output_field = BinaryField()


def visits_by_reference(visits: QuerySet[Appointment], text: str) -> QuerySet[Appointment]:
    """Those that `text` names, mostly one; none where it is no reference.

    It reads every row: a digest has no index, because staff ask seldom and bookings are many.
    """
    digest = digest_of_reference(text)
    if digest is None:
        return visits.none()
    of_id: Any = _DigestOfId("id")
    return visits.alias(digest_of_id=of_id).filter(digest_of_id=Value(digest, BinaryField()))

"""Finds visits by the reference in their mails."""

from typing import Any

from django.db.models import BinaryField, Func, QuerySet, Value

from bookings.models import Appointment
from docbook.references import digest_of_reference


class _DigestOfId(Func):
    """The bytes that a reference is made from."""

    template = "substring(sha256(uuid_send(%(expressions)s)) FOR 5)"
    output_field = BinaryField()


def visits_by_reference(visits: QuerySet[Appointment], text: str) -> QuerySet[Appointment]:
    """The visits that `text` refers to, nearly always one. None if it is no reference.

    Reads every row. A digest has no index: staff rarely search for one, and bookings are many.
    """
    digest = digest_of_reference(text)
    if digest is None:
        return visits.none()
    of_id: Any = _DigestOfId("id")
    return visits.alias(digest_of_id=of_id).filter(digest_of_id=Value(digest, BinaryField()))

"""Serializers that refuse what they do not know, and the envelope for the schema."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar, NoReturn
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.fields import empty
from rest_framework.request import Request

from docbook.typed_text import folded_code, folded_text


class _Folds:
    """Goes before a field of REST framework's: folds what was typed, then lets it judge."""

    fold: Callable[[str], str] = staticmethod(folded_text)

    def run_validation(self, data: Any = empty) -> Any:
        folded = self.fold(data) if isinstance(data, str) else data
        return super().run_validation(folded)  # type: ignore[misc]  # the field's


class TextField(_Folds, serializers.CharField):
    pass


class EmailField(_Folds, serializers.EmailField):
    pass


class PatternField(_Folds, serializers.RegexField):
    """A number of the telephone, or the like: digits and signs that match a pattern."""

    fold = staticmethod(folded_code)


class ChoiceField(serializers.ChoiceField):
    """Says what can be written; what was written is known to its sender."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid_choice": _("Write one of these: {choices}."),
    }

    def fail(self, key: str, **facts: Any) -> NoReturn:
        super().fail(key, choices=", ".join(map(str, self.choices)), **facts)


_DIGITS = re.compile(r"-?[0-9]+")


class WholeNumberField(serializers.IntegerField):
    """In an address its digits and nothing else: Python also reads "+1", " 1", "1.0" and "1_0"."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str) and not _DIGITS.fullmatch(data):
            self.fail("invalid")
        return super().to_internal_value(data)


LARGEST_ID = 2**63 - 1


@extend_schema_field({"type": "integer", "format": "int64", "minimum": 1, "maximum": LARGEST_ID})
class IdField(WholeNumberField):
    """An id of a row, wherever it stands: 64 bits, as PostgreSQL has it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_ID, **options)


_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


class UuidField(serializers.UUIDField):
    """With its hyphens, as RFC 9562 writes it; Python also reads numbers, braces and a URN."""

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str) or not _UUID.fullmatch(data):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class StrictSerializer(serializers.Serializer[Any]):
    """A field that nobody asked for is an error that names it, never silently dropped. So is a
    number in quotes, or a number where there should be text.
    """

    def to_internal_value(self, data: Any) -> Any:
        """All mistakes are told at once, whatever their kind."""
        if not isinstance(data, dict):
            return super().to_internal_value(data)
        errors = {
            **_errors(set(data) - set(self.fields), "This field is not known."),
            **self._of_other_types(data),
            **self.beside_fields(data),
        }
        return read_with(errors, lambda: super(StrictSerializer, self).to_internal_value(data))

    def beside_fields(self, data: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """What is wrong with the body as a whole, by the field that tells it."""
        return {}

    def _of_other_types(self, data: dict[str, Any]) -> dict[str, Any]:
        return {
            name: [serializers.ErrorDetail(str(field.error_messages["invalid"]), code="invalid")]
            for name, field in self.fields.items()
            if name in data and not _is_of_its_type(field, data[name])
        }


def _is_of_its_type(field: Any, value: Any) -> bool:
    """What fields do not look at themselves; they refuse null, true and false."""
    if value is None or isinstance(value, bool):
        return True
    if isinstance(field, serializers.IntegerField):
        return isinstance(value, int | float)
    if isinstance(field, serializers.CharField):
        return isinstance(value, str)
    return True


class WholeNumbersField(serializers.ListField):
    """A list of whole numbers, none of them in quotes."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": _("Write a list of numbers.")}

    def to_internal_value(self, data: Any) -> list[int]:
        if isinstance(data, list) and any(isinstance(each, str) for each in data):
            self.fail("invalid")
        return list(super().to_internal_value(data))


class NoBody(StrictSerializer):
    """For calls that take none: what is sent all the same was meant for something else."""


# Of every list; docbook.http.pagination reads them.
_OF_LISTS = {"page", "offset", "cursor", "limit"}


def read_query(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The query of a list as its serializer reads it. A name that nobody knows is refused: a filter
    that is misspelt would show everything.
    """
    query = serializer(data=request.query_params.dict())
    unknown = set(request.query_params) - set(query.fields) - _OF_LISTS
    twice = {name for name, values in request.query_params.lists() if len(values) > 1}
    errors = {
        **_errors(unknown, "This part of the query is not known."),
        **_errors(twice, "This part of the query stands twice.", code="twice"),
    }
    read_with(errors, lambda: query.is_valid(raise_exception=True))
    return dict(query.validated_data)


def read_with(errors: dict[str, Any], read: Callable[[], Any]) -> Any:
    """What `read` gives where there are no `errors`; else all of them with those it finds itself.
    Of a field that has one already no second is told.
    """
    try:
        value = read()
    except ValidationError as error:
        if not isinstance(error.detail, dict):
            raise
        errors = {**error.detail, **errors}
    if errors:
        raise ValidationError(errors)
    return value


def _errors(names: set[str], message: str, *, code: str = "unknown") -> dict[str, Any]:
    return {name: [serializers.ErrorDetail(message, code=code)] for name in sorted(names)}


class PageInfo(serializers.Serializer[Any]):
    page = serializers.IntegerField(allow_null=True)
    limit = serializers.IntegerField()
    totalPages = serializers.IntegerField()  # noqa: N815 - the API's own names
    totalItems = serializers.IntegerField()  # noqa: N815
    nextCursor = serializers.CharField(allow_null=True)  # noqa: N815


@cache
def page_of(item: type[serializers.Serializer[Any]]) -> Any:
    """The envelope around a list of these, for the schema."""
    return inline_serializer(
        name=f"{item.__name__}Page", fields={"items": item(many=True), "pageInfo": PageInfo()}
    )

"""Serializers that refuse unknown fields, and the list envelope for the schema."""

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
from rest_framework.utils.encoders import JSONEncoder

from docbook.references import reference
from docbook.typed_text import folded_code, folded_text


class _Folds:
    """A mixin that goes before one of REST framework's fields. Folds the text before the field
    validates it.
    """

    fold: Callable[[str], str] = staticmethod(folded_text)

    def run_validation(self, data: Any = empty) -> Any:
        folded = self.fold(data) if isinstance(data, str) else data
        return super().run_validation(folded)  # type: ignore[misc]  # the field's


class TextField(_Folds, serializers.CharField):
    pass


class EmailField(_Folds, serializers.EmailField):
    pass


class PatternField(_Folds, serializers.RegexField):
    """A phone number or similar: digits and signs that match a pattern."""

    fold = staticmethod(folded_code)


class ReferenceField(serializers.CharField):
    """The short name for the id of a row."""

    def __init__(self, **options: Any) -> None:
        super().__init__(source="pk", read_only=True, **options)

    def to_representation(self, value: Any) -> str:
        return reference(value)


class ChoiceField(serializers.ChoiceField):
    """Lists the valid choices. The sender already knows what they sent."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid_choice": _("Write one of these: {choices}."),
    }

    def fail(self, key: str, **facts: Any) -> NoReturn:
        super().fail(key, choices=", ".join(map(str, self.choices)), **facts)


_DIGITS = re.compile(r"-?[0-9]+")


class WholeNumberField(serializers.IntegerField):
    """Accepts only digits in an address. Python also reads "+1", " 1", "1.0" and "1_0"."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str) and not _DIGITS.fullmatch(data):
            self.fail("invalid")
        return super().to_internal_value(data)


LARGEST_ID = 2**63 - 1


@extend_schema_field({"type": "integer", "format": "int64", "minimum": 1, "maximum": LARGEST_ID})
class IdField(WholeNumberField):
    """The id of a row: 64 bits, as in PostgreSQL."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_ID, **options)


_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


class UuidField(serializers.UUIDField):
    """A UUID with hyphens, as RFC 9562 writes it. Python also reads numbers, braces and a URN."""

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str) or not _UUID.fullmatch(data):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class StrictSerializer(serializers.Serializer[Any]):
    """Reports unknown fields as errors and never silently drops them. A number in quotes is an
    error too, and so is a number in place of text.
    """

    def to_internal_value(self, data: Any) -> Any:
        """Reports all mistakes at once, of every kind."""
        if not isinstance(data, dict):
            return super().to_internal_value(data)
        errors = {
            **_errors(set(data) - set(self.fields), "This field is not known."),
            **self._of_other_types(data),
            **self.beside_fields(data),
        }
        return read_with(errors, lambda: super(StrictSerializer, self).to_internal_value(data))

    def beside_fields(self, data: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Errors of the body as a whole, by the field that reports them."""
        return {}

    def _of_other_types(self, data: dict[str, Any]) -> dict[str, Any]:
        return {
            name: [serializers.ErrorDetail(str(field.error_messages["invalid"]), code="invalid")]
            for name, field in self.fields.items()
            if name in data and not _is_of_its_type(field, data[name])
        }


def _is_of_its_type(field: Any, value: Any) -> bool:
    """Checks types that the fields do not check themselves; they refuse null, true and false."""
    if value is None or isinstance(value, bool):
        return True
    if isinstance(field, serializers.BooleanField):
        return False  # "yes" and 1 are no answer
    if isinstance(field, serializers.IntegerField):
        return isinstance(value, int | float)
    if isinstance(field, serializers.CharField):
        return isinstance(value, str)
    return True


class WholeNumbersField(serializers.ListField):
    """A list of whole numbers without quotes."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": _("Write a list of numbers.")}

    def to_internal_value(self, data: Any) -> list[int]:
        if isinstance(data, list) and any(isinstance(each, str) for each in data):
            self.fail("invalid")
        return list(super().to_internal_value(data))


class NoBody(StrictSerializer):
    """For calls without a body. Whatever a client sends was meant for another call."""


def read_body(serializer: type[StrictSerializer], request: Request) -> dict[str, Any]:
    """Reads the body of a call with its serializer. Raises ValidationError.

    DRF makes the fields of a serializer anew for each request, which takes longer than reading with
    them. Reading leaves no trace in them, so one serializer reads all good bodies.
    """
    try:
        return dict(_kept(serializer).run_validation(request.data))
    except ValidationError:
        serializer(data=request.data).is_valid(raise_exception=True)
        raise


# As REST framework's renderer writes it, which makes an encoder anew for each answer.
_as_json = JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


@cache
def _kept(serializer: type[serializers.Serializer[Any]]) -> Any:
    return serializer()


def body_of(serializer: type[serializers.Serializer[Any]], instance: Any) -> str:
    """The JSON that a call answers, written with a kept serializer."""
    text = str(_as_json.encode(_kept(serializer).to_representation(instance)))
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


# Query parameters of every list; docbook.http.pagination reads them.
_OF_LISTS = {"page", "offset", "cursor", "limit"}


def read_query(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """Reads the query of a list with its serializer. Refuses unknown names: with a misspelt filter,
    the list would show everything.
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
    """Returns the result of `read` if there are no `errors`. Otherwise raises all of them, with the
    ones that `read` finds. Each field gets one error only.
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
    """The envelope of a list of these items, for the schema."""
    return inline_serializer(
        name=f"{item.__name__}Page", fields={"items": item(many=True), "pageInfo": PageInfo()}
    )

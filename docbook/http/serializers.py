"""Serializers that refuse what they do not know, and the envelope for the schema."""

from collections.abc import Callable
from functools import cache
from typing import Any

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


LARGEST_ID = 2**63 - 1


@extend_schema_field({"type": "integer", "format": "int64", "minimum": 1, "maximum": LARGEST_ID})
class IdField(serializers.IntegerField):
    """An id of a row, wherever it stands: 64 bits, as PostgreSQL has it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_ID, **options)


class StrictSerializer(serializers.Serializer[Any]):
    """A field that nobody asked for is an error that names it, never silently dropped."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            _refuse(set(data) - set(self.fields), "This field is not known.")
        return super().to_internal_value(data)


# Of every list; docbook.http.pagination reads them.
_OF_LISTS = {"page", "offset", "cursor", "limit"}


def read_query(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The query of a list as its serializer reads it. A name that nobody knows is refused: a filter
    that is misspelt would show everything.
    """
    query = serializer(data=request.query_params.dict())
    unknown = set(request.query_params) - set(query.fields) - _OF_LISTS
    _refuse(unknown, "This part of the query is not known.")
    query.is_valid(raise_exception=True)
    return dict(query.validated_data)


def _refuse(names: set[str], message: str) -> None:
    if names:
        error = serializers.ErrorDetail(message, code="unknown")
        raise ValidationError({name: [error] for name in sorted(names)})


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

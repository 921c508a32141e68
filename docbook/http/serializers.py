"""Serializers that refuse what they do not know, and the envelope for the schema."""

from collections.abc import Callable
from functools import cache
from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.fields import empty

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


class StrictSerializer(serializers.Serializer[Any]):
    """A field that nobody asked for is an error that names it, never silently dropped."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = sorted(set(data) - set(self.fields))
            if unknown:
                raise serializers.ValidationError(
                    {
                        name: serializers.ErrorDetail("This field is not known.", code="unknown")
                        for name in unknown
                    }
                )
        return super().to_internal_value(data)


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

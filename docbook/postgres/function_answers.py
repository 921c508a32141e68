"""What a function of the database returns, read into a named tuple: columns, and rows of models."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import connection, models

_Answer = TypeVar("_Answer", bound=tuple[Any, ...])
_Reader = Callable[[Iterator[Any]], Any]


class FunctionAnswers(Generic[_Answer]):
    """The function takes `calls`, a list as JSON, and `may_wait`. Each field of `kind` is a column
    that it returns, and those in `rows` are whole rows of the model's table. A row that is not
    there is None.
    """

    def __init__(
        self, function: str, kind: type[_Answer], *, rows: Mapping[str, type[models.Model]]
    ) -> None:
        self._function = function
        self._kind: Any = kind
        self._rows = rows

    @cached_property
    def statement(self) -> str:
        columns: list[str] = []
        for field in self._kind._fields:
            if model := self._rows.get(field):
                parts = [each.column for each in model._meta.concrete_fields]
                columns += [f"(answer.{field}).{part}" for part in parts]
            else:
                columns.append(f"answer.{field}")
        call = f"{self._function}(calls => %(calls)s::jsonb, may_wait => %(may_wait)s)"
        return " ".join(("SELECT", ", ".join(columns), "FROM", call, "AS answer"))

    def read(self, row: Sequence[Any]) -> _Answer:
        values = iter(row)
        answer: _Answer = self._kind(*(read(values) for read in self._readers))
        return answer

    @cached_property
    def _readers(self) -> list[_Reader]:
        return [
            _reader_of(self._rows[field]) if field in self._rows else next
            for field in self._kind._fields
        ]


def _reader_of(model: type[models.Model]) -> _Reader:
    """Takes the next columns, and lets Django convert those that it stores in its own way."""
    fields: Sequence[Any] = model._meta.concrete_fields
    names = [each.attname for each in fields]
    key = names.index(model._meta.pk.attname)
    converters = [
        (place, convert)
        for place, field in enumerate(fields)
        for convert in field.get_db_converters(connection)
    ]

    def read(values: Iterator[Any]) -> models.Model | None:
        found = [next(values) for _name in names]
        if found[key] is None:
            return None
        for place, convert in converters:
            found[place] = convert(found[place], None, connection)
        return model.from_db(connection.alias, names, found)

    return read

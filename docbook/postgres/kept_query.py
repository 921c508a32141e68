"""The most frequent queries of pages, whose SQL is worked out once.

Django works out the SQL of a queryset each time: 0.3 to 1.5 ms, more than PostgreSQL takes to
answer it. A kept query does so once for each thread, and then only inserts the given values. It
also works out once which columns make which object.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar, cast

from django.db import connection
from django.db.models import BooleanField, Expression, F, Field, Func, Model, QuerySet
from django.db.models.query import get_related_populators
from django.db.models.sql.compiler import SQLCompiler

from docbook.postgres.rows import rows_of

M = TypeVar("M", bound=Model)

_TOO_LARGE = 2**63


class Given(Expression):
    """A value of a kept query. Each call gives it by this name."""

    def __init__(self, name: str, field: "Field[Any, Any]") -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, *_compiler_and_connection: Any) -> tuple[str, Any]:
        return "%s", (self,)


class IsAnyOf(Func):
    """Whether a column has one of the values of a sequence, for `filter`. Each call gives them by
    this name.
    """

    arg_joiner = " = ANY "
    template = "%(expressions)s"
    output_field = BooleanField()

    def __init__(self, column: str, name: str, field: "Field[Any, Any]") -> None:
        super().__init__(F(column), _Sequence(name, field))


class _Sequence(Given):
    def as_sql(self, *_compiler_and_connection: Any) -> tuple[str, Any]:
        return "(%s)", (self,)


class KeptQuery(Generic[M]):
    """`build` returns the queryset, with `Given` for each value that differs between calls."""

    def __init__(self, build: Callable[[], QuerySet[M]]) -> None:
        self._build = build
        self._kept = threading.local()  # a compiler belongs to its thread's connection

    def all(self, **values: object) -> list[M]:
        """The objects that the queryset would give."""
        plan = self._plan()
        return plan.objects(plan.rows(values))

    def first(self, **values: object) -> M | None:
        return next(iter(self.all(**values)), None)

    def exists(self, **values: object) -> bool:
        """For a queryset that ends in [:1], or has at most one row."""
        return bool(self._plan().rows(values))

    def _plan(self) -> "_Plan[M]":
        if not hasattr(self._kept, "plan"):
            compiler = self._build().query.get_compiler(using=connection.alias)
            self._kept.plan = _Plan(compiler)
        return cast("_Plan[M]", self._kept.plan)


def put_prefetched(owner: Model, relation: str, related: list[Any]) -> None:
    """Stores what prefetch_related would store: then neither `all()` of the relation nor the way
    back from one of the `related` to `owner` needs a query.
    """
    manager = getattr(owner, relation)
    for each in related:
        setattr(each, manager.field.name, owner)
    queryset = manager.get_queryset()
    queryset._result_cache = related
    queryset._prefetch_done = True
    kept: Any = owner
    kept.__dict__.setdefault("_prefetched_objects_cache", {})[relation] = queryset


class _Plan(Generic[M]):
    """What does not differ between calls: the SQL, and which columns make which object.

    Makes objects as Django's ModelIterable does, which works all this out for each query.
    """

    def __init__(self, compiler: SQLCompiler) -> None:
        self._sql, self._params = compiler.as_sql()
        self._compiler = compiler
        self._converters = compiler.get_converters([each[0] for each in compiler.select])
        made: Any = compiler.klass_info
        self._model, columns = made["model"], made["select_fields"]
        self._own = slice(columns[0], columns[-1] + 1)
        self._names = [each[0].target.attname for each in compiler.select[self._own]]
        self._related = get_related_populators(  # type: ignore[call-arg]  # of the next Django
            made, compiler.select, connection.alias
        )
        self._added = compiler.annotation_col_map or {}

    def rows(self, values: dict[str, object]) -> list[tuple[Any, ...]]:
        """Of a value that no column holds, none: as a queryset."""
        if any(
            type(each) is int and not -_TOO_LARGE <= each < _TOO_LARGE for each in values.values()
        ):
            return []
        put_in: Any = [values[p.name] if isinstance(p, Given) else p for p in self._params]
        return rows_of(self._sql, *put_in)

    def objects(self, rows: Iterable[Sequence[Any]]) -> list[M]:
        if self._converters:
            rows = self._compiler.apply_converters(rows, self._converters)
        return [self._object(row) for row in rows]

    def _object(self, row: Sequence[Any]) -> M:
        made = self._model.from_db(connection.alias, self._names, row[self._own])
        for each in self._related:
            each.populate(row, made)
        for name, place in self._added.items():
            setattr(made, name, row[place])
        return cast("M", made)

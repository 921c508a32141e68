"""The database engine that `ENGINE` names: Django looks for it in a module called base."""

import select
from functools import cache
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.adapt import AdaptersMap
from psycopg.pq import TransactionStatus
from psycopg.types.datetime import TimestamptzLoader
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    """Checks pooled connections without a query, and reads timestamps with psycopg's C code.

    CONN_HEALTH_CHECKS sends a query before each request. But a server that closes a connection says
    so on the socket, so a silent socket needs no query.

    Django parses each timestamp with a regular expression in Python to set the connection's time
    zone. psycopg's own loader sets it as well, ten times as fast.
    """

    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        return params | {
            "context": _with_fast_timestamps(params["context"]),
            "cursor_factory": _Cursor,
        }

    def create_cursor(self, name: str | None = None) -> Any:
        """Like Django's with server-side binding, but every cursor keeps the connection's
        loader.
        """
        if name is None:
            return self.connection.cursor()
        return self.connection.cursor(name, scrollable=False, withhold=self.connection.autocommit)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        while self.pool and _is_closed_by_server(connection):
            connection.close()
            self.pool.putconn(connection)  # the pool replaces it
            connection = super().get_new_connection(conn_params)
        return connection


class _Cursor(base.ServerBindingCursor, psycopg.Cursor[Any]):
    """Repeats a prepared statement whose columns a migration has changed.

    The server then refuses the old plan, and nothing has happened. In a transaction the error
    stands, and its rollback drops the plan.
    """

    def execute(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().execute(*args, **kwargs)
        except psycopg.errors.FeatureNotSupported:
            if self.connection.info.transaction_status != TransactionStatus.IDLE:
                raise
            self.connection.execute("ROLLBACK")  # psycopg then forgets all prepared statements
            return super().execute(*args, **kwargs)


@cache
def _with_fast_timestamps(adapters: AdaptersMap) -> AdaptersMap:
    """Django keeps one map for each time zone, and so do we."""
    ours = AdaptersMap(adapters)
    ours.register_loader("timestamptz", TimestamptzLoader)
    return ours


def _is_closed_by_server(connection: psycopg.Connection[Any]) -> bool:
    if not _has_word_from_server(connection):
        return False
    try:
        ConnectionPool.check_connection(connection)
    except psycopg.OperationalError:
        return True
    return False


def _has_word_from_server(connection: psycopg.Connection[Any]) -> bool:
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    return bool(waiting.poll(0))

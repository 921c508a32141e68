"""The database engine that `ENGINE` names: Django looks for it in a module called base."""

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    """Hands out pooled connections that the server has not closed.

    CONN_HEALTH_CHECKS sends a query before each request. When a server closes a connection it says
    so on the socket, so a silent socket needs no query.
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        while self.pool and _is_closed_by_server(connection):
            connection.close()
            self.pool.putconn(connection)  # the pool replaces it
            connection = super().get_new_connection(conn_params)
        return connection


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

"""Many callers at one instant, each on its own database connection."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection


def connect_with_patience() -> None:
    """The result of a meeting must not depend on how busy the machine is."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '60s'; SET statement_timeout = '60s'")


def rush(act: Callable[[Any], Any], items: list[Any]) -> list[Any]:
    """Calls `act(item)` for all items at once; returns what each returned or raised, in order."""
    gate = Barrier(len(items), timeout=60)

    def one(item: Any) -> Any:
        try:
            connect_with_patience()
            gate.wait()
            return act(item)
        except Exception as error:  # noqa: BLE001 - the outcome is what the test looks at
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=len(items)) as pool:
        return list(pool.map(one, items))

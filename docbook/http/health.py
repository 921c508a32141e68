"""For load balancers: is the process up, and can it work?"""

from collections.abc import Callable

from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse


class HealthMiddleware:
    """Answers `/healthz` and `/readyz` before anything else looks at the request.

    Probes ask by the address of a machine, which is no host name that ALLOWED_HOSTS knows.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = {"/healthz": _healthz, "/readyz": _readyz}.get(request.path)
        if answer is None:
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        response = answer()
        response.headers["Cache-Control"] = "no-store"
        return response


def _healthz() -> HttpResponse:
    """The process answers. Looks at nothing else, so that a lost database restarts nobody."""
    return JsonResponse({"status": "ok"})


def _readyz() -> HttpResponse:
    """The database answers and has every migration. Redis may be absent: bookings go on."""
    try:
        problem = "" if _Migrations.are_complete() else "migrations are missing"
    except Error:
        problem = "the database does not answer"
    if problem:
        return JsonResponse({"status": "not ready", "problem": problem}, status=503)
    return JsonResponse({"status": "ready"})


class _Migrations:
    """Whether the database has all that this code needs. Once it has, that stays so."""

    complete = False

    @classmethod
    def are_complete(cls) -> bool:
        connection = connections[DEFAULT_DB_ALIAS]
        if not cls.complete:
            executor = MigrationExecutor(connection)
            cls.complete = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return cls.complete

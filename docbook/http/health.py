"""For load balancers and Prometheus: is the process up, can it work, and how is it doing?"""

from collections.abc import Callable

from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse

from docbook.http import metrics


class HealthMiddleware:
    """Answers `/healthz`, `/readyz` and `/metrics` before anything else sees the request.

    Probes use a machine's address as the host name, which ALLOWED_HOSTS does not know.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = _ANSWERS.get(request.path)
        if answer and request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        response = answer(request) if answer else None
        if response is None:
            return self.get_response(request)
        response.headers["Cache-Control"] = "no-store"
        return response


def _healthz(_request: HttpRequest) -> HttpResponse:
    """The process answers. Checks nothing else: a lost database must restart nobody."""
    return JsonResponse({"status": "ok"})


def _readyz(_request: HttpRequest) -> HttpResponse:
    """The database answers and has every migration. Redis may be absent: bookings continue."""
    try:
        problem = "" if _Migrations.are_complete() else "migrations are missing"
    except Error:
        problem = "the database does not answer"
    if problem:
        return JsonResponse({"status": "not ready", "problem": problem}, status=503)
    return JsonResponse({"status": "ready"})


_ANSWERS: dict[str, Callable[[HttpRequest], HttpResponse | None]] = {
    "/healthz": _healthz,
    "/readyz": _readyz,
    "/metrics": metrics.answer,
}


class _Migrations:
    """Whether the database has everything this code needs. Once true, it stays true."""

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

"""For load balancers: is the process up, and can it work?"""

from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The process answers. Looks at nothing else, so that a lost database restarts nobody."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
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

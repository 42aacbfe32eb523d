"""Health checks, for Docker and load balancers, and the answer when something is not well.

GET /health/live answers 200 while the process serves requests: it touches nothing else.
GET /health/ready answers 200 when this process may get traffic, and 503 when the database does
not answer or lacks a migration. A cache that is down is told ("degraded"), but takes no traffic
away: the site works without.
"""

import logging
import secrets
import sys
from collections.abc import Callable

from django.core.cache import cache
from django.db import Error, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.defaults import server_error as internal_error

logger = logging.getLogger(__name__)


class HealthMiddleware:
    """Answer the health checks before any other middleware.

    Load balancers ask by address and over plain http: the checks of hosts and https would refuse
    them.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.migrated = False

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == "/health/live":
            response = JsonResponse({"status": "ok"})
        elif request.path_info == "/health/ready":
            response = self.ready()
        else:
            return self.get_response(request)
        response.headers["Cache-Control"] = "no-store"
        return response

    def ready(self) -> JsonResponse:
        """Return 200 or 503 with a word on each part; the reasons go to the log only."""
        database = database_answers()
        # Once applied, the migrations of this code stay applied: they are looked at until then.
        self.migrated = database and (self.migrated or migrations_applied())
        passed = {"database": database, "migrations": self.migrated, "cache": cache_answers()}
        checks = {name: "ok" if good else "failed" for name, good in passed.items()}
        if not self.migrated:
            return JsonResponse({"status": "unavailable", "checks": checks}, status=503)
        return JsonResponse({"status": "ok" if passed["cache"] else "degraded", "checks": checks})


def database_answers() -> bool:
    """Tell whether the database answers a query."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        logger.warning("The database does not answer", exc_info=True)
        return False
    return True


def migrations_applied() -> bool:
    """Tell whether the database has every migration of this version of the code."""
    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error:
        logger.warning("The migrations cannot be read", exc_info=True)
        return False


def cache_answers() -> bool:
    """Tell whether the cache keeps a value: one that fails soft raises nothing."""
    key = f"health:{secrets.token_hex(8)}"
    try:
        cache.set(key, "ok", timeout=10)
        return bool(cache.get(key) == "ok")
    except Exception:
        logger.warning("The cache does not answer", exc_info=True)
        return False


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 while the database does not answer, and 500 to all other errors.

    A locked table and a database that restarts are no faults of the code: who asks again gets a page.
    """
    if not isinstance(sys.exception(), OperationalError):
        return internal_error(request)
    headers = {"Cache-Control": "no-store", "Content-Type": "text/plain", "Retry-After": "5"}
    return HttpResponse("Service Unavailable", status=503, headers=headers)

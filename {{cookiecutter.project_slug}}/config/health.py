"""Health checks for Docker and load balancers, and the answer when something is wrong.

GET /health/live answers 200 while the process serves requests; it checks nothing else.
GET /health/ready answers 200 when this process is ready for traffic, and 503 when the database
does not answer or lacks a migration. A cache that is down is reported ("degraded"), but traffic
continues: the site works without it.
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

    Load balancers connect by address and over plain http: the host and https checks would refuse
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
        """Return 200 or 503 with a word on each part; the reasons go only to the log."""
        database = database_answers()
        # Once applied, this code's migrations stay applied: they are only checked until then.
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
    """Tell whether the cache keeps a value: if it fails soft, it raises nothing."""
    key = f"health:{secrets.token_hex(8)}"
    try:
        cache.set(key, "ok", timeout=10)
        return bool(cache.get(key) == "ok")
    except Exception:
        logger.warning("The cache does not answer", exc_info=True)
        return False


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 while the database does not answer, and 500 for all other errors.

    A locked table or a restarting database is not a fault in the code: visitors who try again get a page.
    """
    if not isinstance(sys.exception(), OperationalError):
        try:
            return internal_error(request)
        except Exception:
            logger.exception("The page for errors has one itself")
            return HttpResponse("Server Error", status=500, content_type="text/plain")
    headers = {"Cache-Control": "no-store", "Content-Type": "text/plain", "Retry-After": "5"}
    return HttpResponse("Service Unavailable", status=503, headers=headers)

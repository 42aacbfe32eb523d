{% from "catalogue.jinja" import db with context %}
"""Wait until the database accepts connections, and migrate it."""

import time
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

# What servers say about a wrong account or database: waiting does not help.
REFUSALS = ("Access denied", "Unknown database", "authentication failed", "does not exist")
# What they say when a lock was not free in time, and how often and how soon a migration tries again.
LOCKED = ("lock timeout", "Lock wait timeout", "database is locked")
ATTEMPTS = 10
PAUSE = 5


class Command(BaseCommand):
    """Wait for the database, with a limit."""

    help = "Wait until the database takes connections; fail when it does not within the limit."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--timeout", type=float, default=60, help="limit in seconds (60)")
        parser.add_argument("--migrate", action="store_true", help="then run migrations")

    def handle(self, *args: Any, timeout: float, migrate: bool = False, **options: Any) -> None:
        if migrate:
            # While the database starts, load the modules that migrate's checks need.
            import_module(settings.ROOT_URLCONF)
        self.wait(timeout)
        if migrate:
            self.migrate()

    def migrate(self) -> None:
        """Run the migrations, without keeping others waiting for the locks that they need."""
        run = partial(call_command, "migrate", interactive=False, skip_checks=False)
{% if "concurrent" in db %}
        with connection.execute_wrapper(self.statement):
            self.patiently(run)

    def statement(self, execute: Callable[..., Any], sql: Any, *args: Any) -> Any:
        """Run a statement; if it builds an index concurrently, without a time-out for locks.

        It keeps nobody waiting, and if it ends early, it leaves an invalid index, which no later attempt replaces:
        https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
        """
        if "{{ db.concurrent }}" not in str(sql):
            return execute(sql, *args)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = 0")
            try:
                return execute(sql, *args)
            finally:
                cursor.execute("RESET lock_timeout")
{% else %}
        if connection.features.can_rollback_ddl:
            self.patiently(run)
        else:
            # What a migration did before the lock stays done: only the statement may run again.
            with connection.execute_wrapper(self.statement):
                run()

    def statement(self, execute: Callable[..., Any], *args: Any) -> Any:
        """Run a statement; if it is no part of a transaction, patiently."""
        if connection.in_atomic_block:
            return execute(*args)
        return self.patiently(partial(execute, *args))
{% endif %}

    def patiently(self, action: Callable[[], Any]) -> Any:
        """Do what needs a lock; if it is not free soon, let others go first and try again."""
        for _ in range(ATTEMPTS - 1):
            try:
                return action()
            except OperationalError as error:
                if not any(words in str(error) for words in LOCKED):
                    raise
                self.stdout.write(f"Waiting for a lock: {error}")
            time.sleep(PAUSE)
        return action()

    def wait(self, timeout: float) -> None:
        """Return when the database accepts connections; CommandError if it does not in time."""
        limit = time.monotonic() + timeout
        host = connection.settings_dict["HOST"] or connection.settings_dict["NAME"]
        waiting = False
        while True:
            try:
                connection.ensure_connection()
                return
            except OperationalError as error:
                if any(words in str(error) for words in REFUSALS):
                    raise CommandError(
                        f"The database at {host} refuses DATABASE_URL: {error}. The server got its "
                        "passwords when its volume was made; does .env still have them?"
                    ) from None
                if time.monotonic() >= limit:
                    raise CommandError(
                        f"The database at {host} took no connection within {timeout:g} s: {error}. "
                        "Is it running, and is DATABASE_URL right?"
                    ) from None
            if not waiting:
                self.stdout.write("Waiting for the database ...")
                waiting = True
            time.sleep(0.25)

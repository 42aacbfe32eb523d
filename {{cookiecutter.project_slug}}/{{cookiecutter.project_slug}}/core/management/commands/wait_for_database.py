"""Wait until the database accepts connections, and migrate it."""

import time
from argparse import ArgumentParser
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

# What servers say about a wrong account or database: waiting does not help.
REFUSALS = ("Access denied", "Unknown database", "authentication failed", "does not exist")


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
            call_command("migrate", interactive=False, skip_checks=False)

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

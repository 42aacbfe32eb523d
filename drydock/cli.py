"""The command line: one group, and the commands of drydock/commands."""

import os
import sys
from typing import Any

import click

from drydock.commands.accept import accept
from drydock.commands.check import check
from drydock.commands.diff import diff
from drydock.commands.init import init
from drydock.commands.options import ERROR
from drydock.commands.preview import preview
from drydock.commands.restore import restore
from drydock.commands.update import update
from drydock.errors import DrydockError


class Group(click.Group):
    """Exits with status 2 and a single message if something is wrong."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401
        """Run the command."""
        if os.environ.get("NO_COLOR"):
            ctx.color = False
        try:
            return super().invoke(ctx)
        except DrydockError as error:
            click.echo(f"drydock: {error}", err=True)
        except BrokenPipeError:
            # The reader closed the pipe; Python would complain about it at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except OSError as error:
            name = f"{error.filename}: " if error.filename else ""
            click.echo(f"drydock: {name}{error.strerror or error}", err=True)
        ctx.exit(ERROR)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="django-drydock", message="%(version)s")
def main() -> None:
    """Compare a project with its cookiecutter template: what has drifted?

    \b
    Examples:
      drydock check                                what differs, and where both sides collide
      drydock diff --upstream                      what the template changed since
      drydock preview --set database=postgresql    what a different answer would change
      drydock update                               merge what the template changed since
      drydock init gh:ORG/django-drydock           write a record for a project that has none
    """


for command in (check, diff, preview, update, restore, accept, init):
    main.add_command(command)

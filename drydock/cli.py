"""The command line: one group, and the commands of drydock/commands."""

import importlib
import io
import os
import re
import sys
from typing import Any

import click

from drydock.errors import DrydockError

ERROR, INTERRUPTED = 2, 130
WORDS = "drydock.words"
COMMANDS = ("new", "check", "diff", "preview", "update", "restore", "accept", "init")


class Group(click.Group):
    """Loads each command on demand; exits with status 2 and a single message if something is wrong."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the help."""
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command: the module of its name has it."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"drydock.commands.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Remember the words for `invoke`, then read them."""
        ctx.meta[WORDS] = " ".join(args)
        for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
            if getattr(sys, name) is None:  # The caller has closed it.
                setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401
        """Run the command."""
        if os.environ.get("NO_COLOR"):
            ctx.color = False
        as_json = bool(re.search(r"--json\b|--format[ =]json\b", ctx.meta[WORDS]))
        try:
            return super().invoke(ctx)
        except DrydockError as error:
            fail(str(error), as_json)
        except click.exceptions.Exit:
            raise
        except click.ClickException as error:
            from drydock.secrets import masked_text

            shown = io.StringIO()
            error.show(shown)
            click.echo(masked_text(shown.getvalue()), err=True, nl=False)
            tell_machine(masked_text(error.format_message()), as_json)
        except (KeyboardInterrupt, click.Abort):
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            # The reader closed the pipe; Python would complain about it at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except OSError as error:
            name = f"{error.filename}: " if error.filename else ""
            fail(f"{name}{error.strerror or error}", as_json)
        except Exception as error:
            if os.environ.get("DRYDOCK_DEBUG"):
                raise
            fail(
                f"{type(error).__name__}: {error}. This is a mistake in drydock. Please report it, with what "
                "the same command prints if DRYDOCK_DEBUG=1 is set.",
                as_json,
            )
        ctx.exit(ERROR)


def fail(message: str, as_json: bool) -> None:
    """Print why a command failed, without secrets; for a machine, as JSON on the standard output as well."""
    from drydock.secrets import masked_text  # Slow to import.

    message = masked_text(message)
    shown = "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in message)
    click.echo(f"drydock: {shown}", err=True)
    tell_machine(message, as_json)


def tell_machine(message: str, as_json: bool) -> None:
    """Print why a command failed as JSON, if that was asked for."""
    if as_json:
        import json  # Slow to import.

        click.echo(json.dumps({"status": ERROR, "error": message}))


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="django-drydock", message="%(version)s")
def main() -> None:
    """Make a project from a cookiecutter template, and compare it later: what has drifted?

    \b
    Examples:
      drydock new gh:ORG/django-drydock            ask, show, and generate
      drydock check                                what differs, and where both sides collide
      drydock diff --upstream                      what the template changed since
      drydock preview --set database=postgresql    what a different answer would change
      drydock update                               merge what the template changed since
      drydock init gh:ORG/django-drydock           write a record for a project that has none
    """

"""Options that several commands share, and how their reports end."""

import os
import posixpath
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from drydock.errors import DrydockError
from drydock.report import REPORTS, report
from drydock.state import UPSTREAM, State

if TYPE_CHECKING:  # The help of a command needs none of what the command does.
    from drydock.compare import Comparison
    from drydock.inspect import Inspection

IN_STEP, DRIFT, ERROR, MOVED = 0, 1, 2, 3
FORM = "form"
# The names of the states for --fail-on.
STATES = {
    "edited": State.EDITED,
    "deleted": State.DELETED,
    "conflict": State.CONFLICT,
    "merges": State.MERGES,
    "changed": State.CHANGED,
    "same-change": State.BOTH,
    "new": State.NEW,
    "removed": State.REMOVED,
}
FAIL_ON = "edited,deleted,conflict,merges"
STATUS_HELP = """\b
Exit status:
  0  in step with the template
  1  drift (--fail-on says what counts)
  2  an error, or something that could not be compared
  3  in step, but the template has moved
"""

PREFIX = "drydock.prefix"

F = TypeVar("F", bound=Callable[..., Any])
# Where the template is now, if it has moved.
PLACE = (
    click.option("--template", help="The template's new address, if it has moved."),
    click.option("--directory", help="Its folder in the repository now, if that has changed."),
)


def template_options(command: F, *, is_new: bool = False) -> F:
    """Add the options that say which project, and how to get its template.

    Unless the project is new, it may be named by a folder in it.
    """
    options = [
        click.option(
            "-C",
            "--project",
            "folder",
            default=".",
            show_default=True,
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            is_eager=True,
            callback=None if is_new else project_of,
            help="The project's folder, or one in it.",
        ),
        click.option("--offline", is_flag=True, help="Use no network, only what is cached."),
        click.option(
            "--hooks", is_flag=True, help="Run the template's hooks and extensions (its code)."
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def project_of(context: click.Context, _option: click.Parameter, value: Path) -> Path:
    """Return the project that the folder is in, and remember where in it."""
    from drydock import record

    project = record.project_of(value)
    context.meta[PREFIX] = Path(os.path.relpath(value.resolve(), project.resolve())).as_posix()
    return project


def files_in_project(
    context: click.Context, _argument: click.Parameter, value: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the paths in the project of files that are named from a folder in it; keys after colons stay.

    DrydockError for one that is elsewhere.
    """
    return tuple(
        path_in_project(context, path) + colon + key
        for path, colon, key in (name.partition(":") for name in value)
    )


def path_in_project(context: click.Context, name: str) -> str:
    """Return the path in the project, "." for all of it, of a file that is named in whatever way."""
    if not name:
        raise DrydockError("A file's name is empty. The project's top folder is `.`.")
    top = context.params["folder"].resolve()
    if os.path.isabs(name):
        # The file itself may be a link: it is the link that is named.
        path = os.path.normpath(name)
        place = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        found = Path(os.path.relpath(place, top)).as_posix()
    else:
        found = posixpath.normpath(posixpath.join(context.meta.get(PREFIX, "."), name))
    if found.split("/")[0] == "..":
        raise DrydockError(f"{name}: is not in the project, which is {top}.")
    return found


def place_options(command: F) -> F:
    """Add the options that say where the template is now."""
    for option in reversed(PLACE):
        command = option(command)
    return command


def report_options(command: F) -> F:
    """Add the options that say what a report looks like."""
    formats = click.Choice(REPORTS)
    options = [
        *PLACE,
        click.option("--format", "form", type=formats, default="text", show_default=True),
        click.option("--json", "form", flag_value="json", help="The same as --format json."),
        click.option("--fail-on", default=FAIL_ON, show_default=True, callback=states,
                     help=f"States that count as drift: {', '.join([*STATES, FORM])}."),
        click.option("-q", "--quiet", is_flag=True, help="Print nothing; only set the exit status."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def states(_context: click.Context, _option: click.Parameter, value: str) -> frozenset[str]:
    """Read the value of --fail-on."""
    names = frozenset(name.strip() for name in value.split(",") if name.strip())
    unknown = names - {*STATES, FORM}
    if unknown:
        raise click.BadParameter(
            f"{', '.join(sorted(unknown))}: no such state. The states are {', '.join([*STATES, FORM])}."
        )
    return names


def answers(
    _context: click.Context, _option: click.Parameter, value: Iterable[str]
) -> dict[str, str]:
    """Read the values of --set."""
    given = {}
    for setting in value:
        name, equals, answer = setting.partition("=")
        if not (name and equals):
            raise click.BadParameter(f"{setting}: is not in the form ANSWER=VALUE.")
        given[name] = answer
    return given


def set_option(**more: Any) -> Callable[[F], F]:  # noqa: ANN401
    """Return the option --set."""
    return click.option(
        "--set", "given", multiple=True, callback=answers, metavar="ANSWER=VALUE", **more
    )


def progress(quiet: bool) -> Callable[[str], None] | None:
    """Return what reports progress: on a terminal only."""
    if quiet or not sys.stderr.isatty():
        return None
    return lambda message: click.echo(message, err=True)


def status(comparison: "Comparison", fail_on: frozenset[str], moved_ok: bool = False) -> int:
    """Return the exit status of a comparison; in your own files, only what is new upstream counts.

    With `moved_ok`, neither does a template that has moved. A file that is not known is an error, and one here
    that cannot be parsed: nobody knows which of its keys drifted.
    """
    counted = [drift for drift in comparison.drifts if not drift.is_muted]
    if any(drift.reason or (drift.here and drift.here.problem) for drift in counted):
        return ERROR
    wanted = {STATES[name] for name in fail_on if name in STATES}
    for drift in counted:
        if drift.yours:
            continue
        if FORM in fail_on if drift.form_only else drift.state in wanted:
            return DRIFT
    moved = any(drift.yours or drift.state in UPSTREAM for drift in counted) and not moved_ok
    return MOVED if moved else IN_STEP


def report_and_exit(
    inspection: "Inspection",
    form: str,
    fail_on: frozenset[str],
    quiet: bool,
    verbose: bool,
    moved_ok: bool = False,
    given: Mapping[str, str] | None = None,
) -> None:
    """Print a report, and end with its status; `given` are the answers of a preview."""
    from drydock.report.sentences import View

    code = ERROR if inspection.not_known else status(inspection.comparison, fail_on, moved_ok)
    if not quiet:
        view = View(status=code, verbose=verbose, given=given)
        click.echo(report(form, inspection, view), nl=False)
    click.get_current_context().exit(code)


def is_terminal() -> bool:
    """Tell whether there is somebody to ask."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def page(lines: Iterable[str]) -> None:
    """Print lines, through a pager on a terminal."""
    if sys.stdout.isatty():
        click.echo_via_pager(lines)
    else:
        for line in lines:
            click.echo(line, nl=False)

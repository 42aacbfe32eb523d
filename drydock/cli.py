"""The command line: `drydock check`, `diff`, `preview` and `init`."""

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from drydock import fit, record, report
from drydock.compare import UPSTREAM, Comparison, State
from drydock.errors import DrydockError
from drydock.session import Look, Options, look

IN_STEP, DRIFT, ERROR, MOVED = 0, 1, 2, 3
FORM = "form"
# The names of the states for --fail-on.
STATES = {
    "edited": State.EDITED,
    "deleted": State.DELETED,
    "conflict": State.CONFLICT,
    "changed": State.CHANGED,
    "same-change": State.BOTH,
    "new": State.NEW,
    "removed": State.REMOVED,
}
FAIL_ON = "edited,deleted,conflict"
STATUS_HELP = """\b
Exit status:
  0  in step with the template
  1  drift (--fail-on says what counts)
  2  an error
  3  in step, but the template has moved
"""

F = TypeVar("F", bound=Callable[..., Any])


class Group(click.Group):
    """Ends with status 2, and one message, where something is wrong."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401
        """Run the command."""
        if os.environ.get("NO_COLOR"):
            ctx.color = False
        try:
            return super().invoke(ctx)
        except DrydockError as error:
            click.echo(f"drydock: {error}", err=True)
        except BrokenPipeError:
            # Who read the output has had enough; Python would complain at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except OSError as error:
            name = f"{error.filename}: " if error.filename else ""
            click.echo(f"drydock: {name}{error.strerror or error}", err=True)
        ctx.exit(ERROR)


def template_options(command: F) -> F:
    """Add the options that say which project, and how its template is to be had."""
    options = [
        click.option(
            "-C",
            "--project",
            "folder",
            default=".",
            show_default=True,
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            help="The project's folder.",
        ),
        click.option("--offline", is_flag=True, help="Ask no network: what is cached must do."),
        click.option(
            "--hooks", is_flag=True, help="Run the template's hooks and extensions: code."
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def report_options(command: F) -> F:
    """Add the options that say what a report looks like."""
    formats = click.Choice(["text", "json", "markdown"])
    options = [
        click.option("--template", help="Where the template is now, if it has moved."),
        click.option("--format", "form", type=formats, default="text", show_default=True),
        click.option("--json", "form", flag_value="json", help="The same as --format json."),
        click.option("--fail-on", default=FAIL_ON, show_default=True, callback=states,
                     help=f"States that count as drift: {', '.join([*STATES, FORM])}."),
        click.option("-q", "--quiet", is_flag=True, help="Print nothing: the exit status tells."),
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
            f"{', '.join(sorted(unknown))}: no such state. There are {', '.join([*STATES, FORM])}."
        )
    return names


def answers(
    _context: click.Context, _option: click.Parameter, value: Iterable[str]
) -> dict[str, str]:
    """Read the values of --set."""
    given = {}
    for words in value:
        name, equals, answer = words.partition("=")
        if not (name and equals):
            raise click.BadParameter(f"{words}: is not of the form ANSWER=VALUE.")
        given[name] = answer
    return given


def set_option(**more: Any) -> Callable[[F], F]:  # noqa: ANN401
    """Return the option --set."""
    return click.option(
        "--set", "given", multiple=True, callback=answers, metavar="ANSWER=VALUE", **more
    )


def progress(quiet: bool) -> Callable[[str], None] | None:
    """Return where progress is told: on a terminal only."""
    if quiet or not sys.stderr.isatty():
        return None
    return lambda words: click.echo(words, err=True)


def status(comparison: Comparison, fail_on: frozenset[str]) -> int:
    """Return the exit status of a comparison; your own files do not count.

    A file here that cannot be parsed is an error: what drifted in it is not known by key.
    """
    counted = [drift for drift in comparison.drifts if not drift.yours]
    if any(drift.here and drift.here.problem for drift in counted):
        return ERROR
    wanted = {STATES[name] for name in fail_on if name in STATES}
    for drift in counted:
        if FORM in fail_on if drift.form_only else drift.state in wanted:
            return DRIFT
    return MOVED if any(drift.state in UPSTREAM for drift in counted) else IN_STEP


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="django-drydock", message="%(version)s")
def main() -> None:
    """Regenerate a project from its cookiecutter template, and compare: what drifted?

    \b
    Examples:
      drydock check                                what differs, and where both sides collide
      drydock diff --upstream                      what the template changed since
      drydock preview --set database=postgresql    what another answer would change
      drydock init gh:ORG/django-drydock           find the record of a project that has none
    """


def report_and_exit(
    found: Look, form: str, fail_on: frozenset[str], quiet: bool, verbose: bool
) -> None:
    """Print a report, and end with its status."""
    code = status(found.comparison, fail_on)
    if not quiet:
        if form == "json":
            click.echo(report.as_json(found, code), nl=False)
        else:
            made = report.markdown if form == "markdown" else report.text
            click.echo(made(found, verbose=verbose), nl=False)
    click.get_current_context().exit(code)


@main.command(epilog=STATUS_HELP)
@template_options
@report_options
@click.option("-v", "--verbose", is_flag=True, help="List the files of your own as well.")
@click.option("--to", metavar="REF", help="Commit, tag or branch to compare with, not the newest.")
@set_option(help="An answer for the newest template, where the recorded one will not do.")
def check(
    folder: Path,
    offline: bool,
    hooks: bool,
    template: str | None,
    form: str,
    fail_on: frozenset[str],
    quiet: bool,
    verbose: bool,
    to: str | None,
    given: dict[str, str],
) -> None:
    """Say which files differ from the template, and in what.

    \b
    Examples:
      drydock check
      drydock check --json --offline
      drydock check --format markdown >>"$GITHUB_STEP_SUMMARY"
      drydock check --fail-on conflict
    """
    options = Options(folder=folder, template=template, to=to, given=given, offline=offline,
                      hooks=hooks, progress=progress(quiet))  # fmt: skip
    report_and_exit(look(options), form, fail_on, quiet, verbose)


@main.command(epilog=STATUS_HELP)
@template_options
@report_options
@click.option("--to", metavar="REF", help="Commit, tag or branch, in place of the recorded one.")
@set_option(required=True, help="An answer other than the recorded one; may be repeated.")
@click.option("--diff", "as_diff", is_flag=True, help="Show the lines as well, in the text report.")
def preview(
    folder: Path,
    offline: bool,
    hooks: bool,
    template: str | None,
    form: str,
    fail_on: frozenset[str],
    quiet: bool,
    to: str | None,
    given: dict[str, str],
    as_diff: bool,
) -> None:
    """Say what other answers would change, and where your own changes are in the way.

    Nothing is written. The template's commit is the recorded one, so that only the answers tell.
    Files of your own are listed as well: other answers may ask for changes in them.

    \b
    Examples:
      drydock preview --set database=postgresql
      drydock preview --set django_version=6.1 --set app_server=gunicorn --to HEAD
    """
    known = record.read(folder)
    options = Options(folder=folder, template=template, to=to or known.commit, given=given,
                      offline=offline, hooks=hooks, progress=progress(quiet))  # fmt: skip
    found = look(options)
    if as_diff and not quiet and form == "text":
        lines = report.diff(found.base, found.upstream, sorted({**found.base, **found.upstream}))
        page(lines)
    report_and_exit(found, form, fail_on, quiet, verbose=True)


def page(lines: Iterable[str]) -> None:
    """Print lines, through a pager on a terminal."""
    if sys.stdout.isatty():
        click.echo_via_pager(lines)
    else:
        for line in lines:
            click.echo(line, nl=False)


@main.command()
@template_options
@click.option("--template", help="Where the template is now, if it has moved.")
@click.option("--local", is_flag=True, help="From the recorded template to the working tree.")
@click.option("--upstream", is_flag=True, help="From the recorded template to the newest.")
@click.option("--to", metavar="REF", help="Commit, tag or branch to compare with, not the newest.")
@set_option(help="An answer for the newest template, where the recorded one will not do.")
@click.option("--patch", is_flag=True, help="For `git apply`: makes the files those of the newest.")
@click.option("-v", "--verbose", is_flag=True, help="Show the files of your own as well.")
@click.argument("files", nargs=-1, metavar="[FILE]...")
def diff(
    folder: Path,
    offline: bool,
    hooks: bool,
    template: str | None,
    local: bool,
    upstream: bool,
    to: str | None,
    given: dict[str, str],
    patch: bool,
    verbose: bool,
    files: tuple[str, ...],
) -> None:
    """Show the lines that differ, yours and the template's.

    \b
    Examples:
      drydock diff                                 both sides, file by file
      drydock diff --local docker-compose.yml
      drydock diff --patch | git apply             take the newest template's version of all
    """
    found = look(Options(folder=folder, template=template, to=to, given=given, offline=offline,
                         hooks=hooks, progress=progress(False)))  # fmt: skip
    wanted = {Path(name).as_posix().rstrip("/") for name in files}
    unknown = [
        name for name in sorted(wanted)
        if not any(path == name or path.startswith(f"{name}/") for path in {**found.base, **found.upstream})
    ]  # fmt: skip
    if unknown:
        raise DrydockError(f"{', '.join(unknown)}: the template has no such file or folder.")
    paths = [
        drift.path
        for drift in report.shown(found, verbose or bool(wanted))
        if not wanted or any(f"{drift.path}/".startswith(f"{name}/") for name in wanted)
    ]
    sides = {
        (True, False): [(found.base, found.here, "edited here")],
        (False, True): [(found.base, found.upstream, "changed upstream")],
    }.get((local, upstream))
    if patch:
        before, after = sides[0][:2] if sides else (found.here, found.upstream)
        data, omitted = report.patch(before, after, paths)
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        if omitted:
            raise DrydockError(
                f"Left out of the patch, for they hold values that look secret: {', '.join(omitted)}."
            )
        return
    both = sides or [
        (found.base, found.here, "edited here"),
        (found.base, found.upstream, "changed upstream"),
    ]
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def lines() -> Iterable[str]:
        for path in paths:
            for before, after, side in both:
                if before.get(path) != after.get(path):
                    yield (
                        click.style(f"# {path}: {side}\n", bold=True)
                        if colour
                        else f"# {path}: {side}\n"
                    )
                    yield from report.diff(before, after, [path], colour)

    page(lines())


@main.command()
@template_options
@click.argument("template")
@click.option("--directory", help="The template's folder in its repository.")
@click.option("--checkout", metavar="REF", help="The branch or tag that the project follows.")
@set_option(help="An answer that you know; may be repeated.")
@click.option("--commits", default=200, show_default=True, help="How many commits to try at most.")
@click.option("--force", is_flag=True, help="Replace the record that is there.")
@click.option("--dry-run", is_flag=True, help="Write nothing.")
def init(
    folder: Path,
    offline: bool,
    hooks: bool,
    template: str,
    directory: str | None,
    checkout: str | None,
    given: dict[str, str],
    commits: int,
    force: bool,
    dry_run: bool,
) -> None:
    """Write the record of a project that has none.

    It is of the commit and the answers whose render is most like the project.

    \b
    Examples:
      drydock init gh:ORG/django-drydock
      drydock init ../template --set database=mariadb --dry-run
    """
    path = folder / record.NAME
    if path.exists() and not (force or dry_run):
        raise DrydockError(f"{path}: is there already. --force replaces it, --dry-run only shows.")
    if hooks:
        raise DrydockError("--hooks: a search generates often, and runs no hooks.")
    found = fit.search(
        folder,
        template,
        directory=directory,
        checkout=checkout,
        given=given,
        commits=commits,
        offline=offline,
        progress=progress(False),
    )
    click.echo(
        f"{found.label} fits best: {found.identical} of {found.files} files are identical, "
        f"{found.likeness:.0%} of the lines."
    )
    for name, answer in found.record.answers.items():
        sure = "" if name in found.sure else "  (not sure: nothing in the project tells)"
        click.echo(f"  {name} = {answer}{sure}")
    if dry_run:
        return
    partial = path.with_name(f"{record.NAME}.new")
    try:
        partial.write_text(found.record.dumps(), encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    click.echo(f"Wrote {path}. `drydock check` compares.")

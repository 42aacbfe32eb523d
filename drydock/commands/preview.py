"""`drydock preview`."""

from dataclasses import replace
from pathlib import Path

import click

from drydock import record, report
from drydock.commands.options import (
    STATUS_HELP,
    page,
    progress,
    report_and_exit,
    report_options,
    set_option,
    template_options,
)
from drydock.inspect import Options, inspect


@click.command(epilog=STATUS_HELP)
@template_options
@report_options
@click.option(
    "--to", metavar="REF", help="Commit, tag or branch to use instead of the recorded one."
)
@set_option(required=True, help="An answer to try; may be repeated.")
@click.option(
    "--diff", "as_diff", is_flag=True, help="Also show the changed lines in the text report."
)
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
    """Show what different answers would change, and where your changes are in the way.

    Nothing is written. The template's commit is the recorded one, so that only the answers tell. Answers that the
    template does not accept are refused; those that only its hooks refuse, with --hooks.
    Files of your own are listed as well: other answers may ask for changes in them.

    \b
    Examples:
      drydock preview --set database=postgresql
      drydock preview --set django_version=6.1 --set app_server=gunicorn --to HEAD
    """
    known = record.read_record(folder)
    options = Options(folder=folder, template=template, to=to or known.commit, given=given,
                      offline=offline, hooks=hooks, progress=progress(quiet), partial=True)  # fmt: skip
    found = inspect(options)
    # What was edited here, and would stay, has nothing to do with the answers.
    drifts = [one for one in found.comparison.drifts if one.state in report.WOULD or one.reason]
    found = replace(found, comparison=replace(found.comparison, drifts=tuple(drifts)))
    if as_diff and not quiet and form == "text":
        lines = report.diff(found.base, found.upstream, sorted({**found.base, **found.upstream}))
        page(lines)
    report_and_exit(found, form, fail_on, quiet, verbose=True, given=given)

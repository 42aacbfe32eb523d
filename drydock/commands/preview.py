"""`drydock preview`."""

from pathlib import Path

import click

from drydock.commands.options import (
    STATUS_HELP,
    page,
    progress,
    report_and_exit,
    report_options,
    set_option,
    template_options,
)
from drydock.state import WOULD


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
    directory: str | None,
    form: str,
    fail_on: frozenset[str],
    quiet: bool,
    to: str | None,
    given: dict[str, str],
    as_diff: bool,
) -> None:
    """Show what different answers would change, and where your changes are in the way.

    Nothing is written. The template's commit is the recorded one, so that only the answers tell. Answers that the
    template's cookiecutter.json does not accept are refused: other choices, what its `_rules` or `_refused` rule out, what a
    private variable checks. What only a hook checks is refused with --hooks alone, because a hook is code.
    Files of your own are listed as well: other answers may ask for changes in them.

    \b
    Examples:
      drydock preview --set database=postgresql
      drydock preview --set django_version=6.1 --set app_server=gunicorn --to HEAD
    """
    from dataclasses import replace

    from drydock import record  # Slow to import.
    from drydock.inspect import Options, inspect
    from drydock.report.diff import diff

    known = record.read_record(folder)
    options = Options(folder=folder, template=template, directory=directory, to=to or known.commit, given=given,
                      offline=offline, hooks=hooks, progress=progress(quiet), partial=True)  # fmt: skip
    inspection = inspect(options)
    # What was edited here, and would stay, has nothing to do with the answers.
    comparison = inspection.comparison
    drifts = [drift for drift in comparison.drifts if drift.state in WOULD or drift.reason]
    inspection = replace(inspection, comparison=replace(comparison, drifts=tuple(drifts)))
    if as_diff and not quiet and form == "text":
        paths = sorted({**inspection.base, **inspection.upstream})
        page(diff(inspection.base, inspection.upstream, paths))
    report_and_exit(inspection, form, fail_on, quiet, verbose=True, given=given)

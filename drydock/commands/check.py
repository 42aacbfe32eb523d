"""`drydock check`."""

from pathlib import Path

import click

from drydock.commands.options import (
    STATUS_HELP,
    progress,
    report_and_exit,
    report_options,
    set_option,
    template_options,
)
from drydock.session import Options, look


@click.command(epilog=STATUS_HELP)
@template_options
@report_options
@click.option("-v", "--verbose", is_flag=True, help="List the files of your own as well.")
@click.option("--moved-ok", is_flag=True, help="End with 0 though the template has moved.")
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
    moved_ok: bool,
    to: str | None,
    given: dict[str, str],
) -> None:
    """Say which files differ from the template, and in what.

    \b
    Examples:
      drydock check
      drydock check --json --offline
      drydock check --format markdown >>"$GITHUB_STEP_SUMMARY"
      drydock check --fail-on conflict --moved-ok
    """
    options = Options(folder=folder, template=template, to=to, given=given, offline=offline,
                      hooks=hooks, progress=progress(quiet))  # fmt: skip
    report_and_exit(look(options), form, fail_on, quiet, verbose, moved_ok)

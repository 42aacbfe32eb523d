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


@click.command(epilog=STATUS_HELP)
@template_options
@report_options
@click.option("-v", "--verbose", is_flag=True, help="Also list the files that are yours.")
@click.option("--moved-ok", is_flag=True, help="Exit with 0 even if the template has moved.")
@click.option(
    "--to", metavar="REF", help="Commit, tag or branch to compare with instead of the newest."
)
@set_option(help="An answer for the newest template, in place of the recorded one.")
def check(
    folder: Path,
    offline: bool,
    hooks: bool,
    template: str | None,
    directory: str | None,
    form: str,
    fail_on: frozenset[str],
    quiet: bool,
    verbose: bool,
    moved_ok: bool,
    to: str | None,
    given: dict[str, str],
) -> None:
    """Show which files differ from the template, and how.

    \b
    Examples:
      drydock check
      drydock check --json --offline
      drydock check --format markdown >>"$GITHUB_STEP_SUMMARY"
      drydock check --fail-on conflict --moved-ok
    """
    from drydock.inspect import Options, inspect  # Slow to import.

    options = Options(folder=folder, template=template, directory=directory, to=to, given=given, offline=offline,
                      hooks=hooks, progress=progress(quiet), partial=True)  # fmt: skip
    report_and_exit(inspect(options), form, fail_on, quiet, verbose, moved_ok)

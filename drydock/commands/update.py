"""`drydock update`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from drydock.commands.options import (
    DRIFT,
    IN_STEP,
    files_in_project,
    is_terminal,
    place_options,
    progress,
    set_option,
    template_options,
)
from drydock.errors import DrydockError

if TYPE_CHECKING:
    from drydock.inspect import Inspection


@click.command(
    epilog="""\b
Exit status:
  0  done, or nothing to do
  1  files conflict
  2  an error, and nothing was written
"""
)
@template_options
@place_options
@click.option(
    "--to",
    metavar="REF",
    help="Commit, tag or branch to update to instead of the newest; a tag or branch is followed from then on.",
)
@set_option(help="A new or changed answer; may be repeated.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
@click.option(
    "--continue", "go_on", is_flag=True, help="Finish an update whose conflicts are resolved."
)
@click.option("--abort", is_flag=True, help="Undo an update that has conflicts or was interrupted.")
@click.argument("files", nargs=-1, metavar="[FILE]...", callback=files_in_project)
def update(
    folder: Path,
    offline: bool,
    hooks: bool,
    template: str | None,
    directory: str | None,
    to: str | None,
    given: dict[str, str],
    dry_run: bool,
    as_json: bool,
    go_on: bool,
    abort: bool,
    files: tuple[str, ...],
) -> None:
    """Merge what the template has changed since the record into the project.

    Your own changes stay. If both sides changed the same lines, the file gets git's conflict markers, and git's
    index gets the three versions. Uncommitted changes are never overwritten.

    \b
    Examples:
      drydock update --dry-run
      drydock update
      drydock update --to v2.1 --set cache=valkey
      drydock update nginx/                        a folder now, the rest later
      drydock update --continue
    """
    from dataclasses import replace

    from drydock import update as updates  # Slow to import.
    from drydock.inspect import Options, inspect
    from drydock.report.update import as_json as update_json
    from drydock.report.update import as_text as update_text
    from drydock.worktree import WorkTree, waiting

    if go_on and abort:
        raise click.UsageError("--continue and --abort: choose one.")
    if abort:
        with waiting(folder) as tree:
            tree.abort()
        tell("Every file is as it was before the update.", as_json)
        return
    if go_on:
        finish(folder)
        tell("The update is complete. Commit it.", as_json)
        return
    if files and given:
        raise click.UsageError("--set: new answers apply to all files, so name no files.")
    if files and directory is not None:
        raise click.UsageError("--directory: the record has one for all files, so name no files.")
    WorkTree(folder).check_idle()
    options = Options(folder=folder, template=template, directory=directory, to=to, given=given, offline=offline,
                      hooks=hooks, progress=progress(as_json))  # fmt: skip
    inspection = inspect(options)
    asked = {} if as_json or dry_run or files else ask(inspection, given)
    if asked:
        inspection = inspect(replace(options, given={**given, **asked}))
    plan = updates.make_plan(inspection, folder, files, moved=template is not None)
    if not dry_run:
        updates.apply(plan, folder)
    report = update_json(inspection, plan) if as_json else update_text(inspection, plan, dry_run)
    click.echo(report, nl=False)
    click.get_current_context().exit(DRIFT if plan.conflicts else IN_STEP)


def ask(inspection: "Inspection", given: dict[str, str]) -> dict[str, str]:
    """On a terminal, ask the questions that are new in the template, and for the secrets, which are not recorded."""
    if not is_terminal():
        return {}

    def answer(name: str) -> str:
        # Of the new questions, a record has every answer but the secret ones.
        secret = name not in inspection.recordable
        default = str(inspection.answers[name])
        return str(click.prompt(name, default=default, hide_input=secret, show_default=not secret))

    return {name: answer(name) for name in inspection.new_questions if name not in given}


def finish(folder: Path) -> None:
    """Finish an update; DrydockError while files conflict, or if it has not written everything."""
    from drydock.worktree import waiting

    with waiting(folder) as tree:
        if tree.is_interrupted:
            raise tree.interrupted()
        if unresolved := tree.unresolved():
            raise DrydockError(
                f"{', '.join(unresolved)}: still in conflict. Resolve it and `git add` it, then try again."
            )
        tree.forget()


def tell(message: str, as_json: bool) -> None:
    """Print that something has been done."""
    click.echo(json.dumps({"status": IN_STEP, "message": message}) if as_json else message)

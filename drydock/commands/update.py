"""`drydock update`."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from drydock import report
from drydock import update as updates
from drydock.commands.options import (
    DRIFT,
    IN_STEP,
    files_in_project,
    progress,
    set_option,
    template_options,
)
from drydock.errors import DrydockError
from drydock.inspect import Inspection, Options, inspect
from drydock.merge import Fate
from drydock.update import Plan
from drydock.worktree import WorkTree, waiting

COLOURS = {Fate.CONFLICT: "red", Fate.REMOVED: "yellow", Fate.KEPT_DELETED: "yellow"}
NEXT = (
    "Resolve the conflicts and `git add` the files; then `drydock update --continue`. "
    "`drydock update --abort` undoes the update."
)


@click.command(
    epilog="""\b
Exit status:
  0  done, or nothing to do
  1  files conflict
  2  an error, and nothing was written
"""
)
@template_options
@click.option("--template", help="The template's new address, if it has moved.")
@click.option(
    "--to", metavar="REF", help="Commit, tag or branch to update to instead of the newest."
)
@set_option(help="A new or changed answer; may be repeated.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
@click.option(
    "--continue", "go_on", is_flag=True, help="Finish an update whose conflicts are resolved."
)
@click.option("--abort", is_flag=True, help="Undo an update that has conflicts.")
@click.argument("files", nargs=-1, metavar="[FILE]...", callback=files_in_project)
def update(
    folder: Path,
    offline: bool,
    hooks: bool,
    template: str | None,
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
    if go_on and abort:
        raise click.UsageError("--continue and --abort: choose one.")
    if abort:
        waiting(folder).abort()
        click.echo("Every file is as it was before the update.")
        return
    if go_on:
        finish(folder)
        return
    if files and given:
        raise click.UsageError("--set: new answers apply to all files, so name no files.")
    tree = WorkTree(folder)
    if tree.is_waiting and not tree.unresolved():
        tree.forget()  # Resolved and committed, without --continue.
    options = Options(folder=folder, template=template, to=to, given=given, offline=offline,
                      hooks=hooks, progress=progress(as_json))  # fmt: skip
    found = inspect(options)
    asked = {} if as_json or dry_run or files else ask(found, given)
    if asked:
        found = inspect(replace(options, given={**given, **asked}))
    plan = updates.make_plan(found, folder, files, moved=template is not None)
    if not dry_run:
        updates.apply(plan, folder)
    click.echo(machine(found, plan) if as_json else people(found, plan, dry_run), nl=False)
    click.get_current_context().exit(DRIFT if plan.conflicts else IN_STEP)


def ask(found: Inspection, given: dict[str, str]) -> dict[str, str]:
    """On a terminal, ask the questions that are new in the template."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return {}
    new = [name for name in found.new_questions if name not in given]
    return {name: str(click.prompt(name, default=str(found.answers[name]))) for name in new}


def finish(folder: Path) -> None:
    """Finish an update; DrydockError while files conflict."""
    tree = waiting(folder)
    if unresolved := tree.unresolved():
        raise DrydockError(
            f"{', '.join(unresolved)}: still in conflict. Resolve it and `git add` it, then try again."
        )
    tree.forget()
    click.echo("The update is complete. Commit it.")


def people(found: Inspection, plan: Plan, dry_run: bool) -> str:
    """Return the report of an update for a terminal."""
    lines = [report.summary(found), *found.notes]
    rows = sorted(plan.outcomes, key=lambda one: (one.fate is Fate.CONFLICT, one.path))
    if rows:
        width = max(len(one.fate) for one in rows)
        lines += ["", *(
            f"{click.style(one.fate.ljust(width), fg=COLOURS.get(one.fate, 'cyan'))}  {report.plain(one.path)}"
            for one in rows
        )]  # fmt: skip
    many = len([one for one in rows if one.fate not in (Fate.CONFLICT, Fate.KEPT_DELETED)])
    would = "would change" if dry_run else "changed"
    conflicts = len(plan.conflicts)
    lines += ["", f"{many} files {would}, {conflicts} in conflict."]
    if conflicts and not dry_run:
        lines.append(NEXT)
    elif many and not dry_run:
        lines.append("Inspection at it with `git diff`, and commit it.")
    return "\n".join(lines) + "\n"


def machine(found: Inspection, plan: Plan) -> str:
    """Return the report of an update as JSON."""
    result: dict[str, Any] = {
        "from": found.recorded.sha,
        "to": found.newest.sha,
        "files": [{"path": one.path, "fate": one.fate.value} for one in plan.outcomes],
        "conflicts": plan.conflicts,
        "notes": list(found.notes),
    }
    return json.dumps(result, indent=2) + "\n"

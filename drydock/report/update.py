"""The reports of an update, for people and programs."""

import json

import click

from drydock.inspect import Inspection
from drydock.merge import Fate
from drydock.record import loads
from drydock.report.schema import to_json
from drydock.report.sentences import notes, plain, summary
from drydock.update import Plan

COLOURS = {Fate.CONFLICT: "red", Fate.REMOVED: "yellow", Fate.KEPT_DELETED: "yellow"}
NEXT = (
    "Resolve the conflicts and `git add` the files; then `drydock update --continue`. "
    "`drydock update --abort` undoes the update."
)


def as_text(inspection: Inspection, plan: Plan, dry_run: bool) -> str:
    """Return the report of an update for a terminal."""
    lines = [summary(inspection), *notes(inspection)]
    rows = sorted(plan.outcomes, key=lambda outcome: (outcome.fate is Fate.CONFLICT, outcome.path))
    if rows:
        width = max(len(outcome.fate) for outcome in rows)
        lines += ["", *(
            f"{click.style(outcome.fate.ljust(width), fg=COLOURS.get(outcome.fate, 'cyan'))}  {plain(outcome.path)}"
            for outcome in rows
        )]  # fmt: skip
    many = sum(outcome.fate not in (Fate.CONFLICT, Fate.KEPT_DELETED) for outcome in rows)
    would = "would change" if dry_run else "changed"
    conflicts = len(plan.conflicts)
    lines += ["", f"{many} files {would}, {conflicts} in conflict."]
    checkout = loads(plan.record).checkout
    if checkout != inspection.record.checkout:
        lines.append(following(checkout, dry_run))
    if conflicts and not dry_run:
        lines.append(NEXT)
    elif many and not dry_run:
        lines.append("Look at it with `git diff`, and commit it.")
    return "\n".join(lines) + "\n"


def following(checkout: str | None, dry_run: bool) -> str:
    """Return a sentence on what a project follows after an update."""
    then = "The record would follow" if dry_run else "From now on, the record follows"
    if checkout is None:
        return f"{then} the template's default branch."
    return (
        f"{then} {plain(checkout)}, until `drydock update --to HEAD` returns to the default branch."
    )


def as_json(inspection: Inspection, plan: Plan) -> str:
    """Return the report of an update as JSON."""
    result = {
        "from": inspection.recorded.sha,
        "to": inspection.newest.sha,
        "files": [{"path": outcome.path, "fate": outcome.fate.value} for outcome in plan.outcomes],
        "conflicts": plan.conflicts,
        "notes": to_json(inspection.notes),
    }
    return json.dumps(result, indent=2) + "\n"

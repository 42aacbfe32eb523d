"""The report for a terminal."""

import shlex
from collections.abc import Iterable, Iterator

import click

from drydock.compare import Drift
from drydock.inspect import Inspection
from drydock.report.sentences import (
    View,
    key_lines,
    name_of,
    notes,
    plain,
    problems,
    shown,
    size,
    state_label,
    summary,
    trial,
)
from drydock.state import State

COLOURS = {
    State.EDITED: "yellow",
    State.DELETED: "yellow",
    State.CONFLICT: "red",
    State.MERGES: "yellow",
    State.CHANGED: "cyan",
    State.BOTH: "cyan",
    State.NEW: "cyan",
    State.REMOVED: "cyan",
    State.UNKNOWN: "red",
}


def report(inspection: Inspection, view: View) -> str:
    """Return the report, with colours (which click removes where they are unwanted)."""
    drifts, given = shown(inspection, view.verbose), view.given
    would = given is not None
    lines = [summary(inspection) if given is None else trial(inspection, given), *notes(inspection)]
    if drifts:
        rows = [(state_label(drift, would), drift) for drift in drifts]
        first = max(len(label) for label, _ in rows)
        second = max(len(name_of(drift)) for drift in drifts)
        lines.append("")
        for label, drift in rows:
            state = click.style(label.ljust(first), fg=COLOURS[drift.state])
            here, upstream = size(drift.here), size(drift.upstream)
            both = here and upstream
            there = "then" if would else "upstream"
            sizes = f"{here} here, {upstream} {there}" if both else here or upstream
            lines.append(f"{state}  {name_of(drift).ljust(second)}  {sizes}".rstrip())
        keyed = [drift for drift in drifts if any(key_lines(drift))]
        for drift in keyed:
            lines += ["", click.style(plain(drift.path), bold=True)]
            lines += [
                f"  {key}  {values}  ({side})" for key, values, side in key_lines(drift, would)
            ]
    same = inspection.comparison.files - len(inspection.comparison.drifts)
    yours = len(inspection.comparison.drifts) - len(drifts)
    own = f", {yours} of your own, or accepted, differ" if yours else ""
    lines += [*problems(drifts)]
    if view.verbose and inspection.by_hook:
        lines += ["", "As the template's hooks made them:"]
        lines += [f"  {plain(path)}" for path in inspection.by_hook]
    unknown = sum(drift.reason is not None for drift in drifts)
    obscure = f", {unknown} of them not known" if unknown else ""
    counts = f"{len(drifts)} would change" if would else f"{same} same, {len(drifts)} not"
    lines += ["", f"{inspection.comparison.files} files compared: {counts}{obscure}{own}."]
    if given is None:
        lines += [
            f"Nothing matches what is ignored: {plain(entry)}"
            for entry in inspection.comparison.unmatched
        ]
        lines += next_steps(drifts)
    elif drifts:
        sets = " ".join(f"--set {shlex.quote(f'{name}={value}')}" for name, value in given.items())
        lines += [
            f"To have it so: `drydock update --to {inspection.newest.sha[:8]} {plain(sets)}`."
        ]
    return "\n".join(lines) + "\n"


def next_steps(drifts: Iterable[Drift]) -> Iterator[str]:
    """Yield advice on what to do about drifts."""
    states = {drift.state for drift in drifts if not drift.is_muted and not drift.form_only}
    if states & {State.EDITED, State.DELETED}:
        yield "If intended: `drydock accept FILE --reason WHY`. If not: `drydock restore FILE`."
    if states - {State.EDITED, State.DELETED, State.BOTH, State.UNKNOWN}:
        yield "To take the template's changes: `drydock update` (first with --dry-run)."

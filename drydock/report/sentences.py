"""What the reports say in the same words: of an inspection, a drift, a change."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from drydock.compare import Change, Drift
from drydock.inspect import Inspection
from drydock.secrets import masked_text
from drydock.state import WOULD

# More keys of a file than anybody reads: `drydock diff` and JSON have them all.
MANY = 100


@dataclass(frozen=True, kw_only=True)
class View:
    """How an inspection is reported.

    `status` is the exit status. `verbose` lists files of your own, too. `given` are the answers of a preview; None
    if it is no preview.
    """

    status: int
    verbose: bool = False
    given: Mapping[str, str] | None = None


def shown(inspection: Inspection, verbose: bool) -> list[Drift]:
    """Return the drifts that a report lists; those of your own files only if `verbose`."""
    return [drift for drift in inspection.comparison.drifts if verbose or not drift.is_muted]


def summary(inspection: Inspection) -> str:
    """Return a sentence on the template's commits."""
    here = f"{inspection.url} at {inspection.recorded.label} of {inspection.recorded.date[:10]}"
    if inspection.recorded.sha == inspection.newest.sha:
        return f"Made from {here}, compared with the same commit."
    many = "1 commit" if inspection.behind == 1 else f"{inspection.behind} commits"
    aside = (
        f" The recorded commit has {inspection.ahead} that the other lacks."
        if inspection.ahead
        else ""
    )
    there = f"{inspection.newest.label} of {inspection.newest.date[:10]}"
    return f"Made from {here}, compared with {there}: {many} between them.{aside}"


def trial(inspection: Inspection, given: Mapping[str, str]) -> str:
    """Return a sentence on the answers of a preview."""
    tried = ", ".join(one_line(f"{name}={value}") for name, value in given.items())
    return f"What would change with {tried}: {inspection.url} at {inspection.newest.label}."


def name_of(drift: Drift) -> str:
    """Return a drift's path, with the name that the file has here if the template has renamed it."""
    return plain(f"{drift.renamed} -> {drift.path}" if drift.renamed else drift.path)


def state_label(drift: Drift, would: bool = False) -> str:
    """Return a drift's state as people read it."""
    state = f"{drift.state}, form only" if drift.form_only else str(drift.state)
    if would:
        state = WOULD.get(drift.state, state)
    if drift.accepted is not None:
        return f"{state}, accepted"
    return f"{state}, yours" if drift.yours else state


def size(change: Change | None) -> str:
    """Return how much changed: lines, a mode, or that the file is binary."""
    if change is None:
        return ""
    parts = ["binary"] if change.binary else []
    if change.added or change.removed:
        parts.append(f"+{change.added} -{change.removed}")
    if change.executable is not None:
        parts.append("executable" if change.executable else "not executable")
    return ", ".join(parts)


def key_lines(drift: Drift, would: bool = False) -> Iterator[tuple[str, str, str]]:
    """Yield the key, values and side of each changed key of a drift; of many, the first, and how many more."""
    upstream = "would change" if would else "changed upstream"
    for side, change in (("edited here", drift.here), (upstream, drift.upstream)):
        edits = change.brief if change else ()
        for key in (edit.shown for edit in edits[:MANY]):
            values = f"{one_line(key.before)} -> {one_line(key.after)}"
            if key.before is None:
                values = f"added {one_line(key.after)}".rstrip()
            elif key.after is None:
                values = f"removed {one_line(key.before)}".rstrip()
            yield plain(key.key), values, "conflict" if key.key in drift.collisions else side
        if len(edits) > MANY:
            yield "...", f"{len(edits) - MANY} more keys", side


def problems(drifts: Iterable[Drift]) -> list[str]:
    """Return a sentence for each file that could not be compared, or only by line, as its keys could not be read."""
    drifts = [*drifts]
    sentences = [
        f"{drift.path}: cannot be parsed, so it is compared by line; please fix it: {one_line(change.problem)}"
        for drift in drifts
        for change in (drift.here, drift.upstream)
        if change and change.problem
    ]
    sentences += [plain(drift.reason) for drift in drifts if drift.reason]
    return ["", *sentences] if sentences else []


def notes(inspection: Inspection) -> list[str]:
    """Return sentences about the newest template and the answers."""
    unknown = (
        inspection.not_known
        and f"What the template has changed since is not known. {inspection.not_known}"
    )
    return [plain(note) for note in (unknown, *inspection.notes) if note]


def plain(text: str) -> str:
    """Return text on one line, without secrets and control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in masked_text(text)).split())


def one_line(value: str | None) -> str:
    """Return a value in one line of at most 60 characters."""
    text = plain(value or "")
    return text if len(text) <= 60 else f"{text[:57]}..."

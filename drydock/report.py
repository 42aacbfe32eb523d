"""An inspection as text, JSON, Markdown or diffs. Values that look secret appear in none of them."""

import difflib
import json
import shlex
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from drydock import render
from drydock.compare import Change, Drift, State
from drydock.errors import DrydockError
from drydock.inspect import Commit, Inspection
from drydock.secrets import PRIVATE_KEY, masked, masked_lines
from drydock.tree import File, Tree

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
SCHEMA_VERSION = 1


# What a drift is called in a preview of other answers.
WOULD = {
    State.CONFLICT: "would conflict",
    State.MERGES: "would merge",
    State.CHANGED: "would change",
    State.NEW: "would be new",
    State.REMOVED: "would be removed",
}


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


def words(drift: Drift, would: bool = False) -> str:
    """Return a drift's state in words."""
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
    if change.mode is not None:
        parts.append("executable" if change.mode else "not executable")
    return ", ".join(parts)


def key_lines(drift: Drift, would: bool = False) -> Iterator[tuple[str, str, str]]:
    """Yield the key, values and side of each changed key of a drift."""
    upstream = "would change" if would else "changed upstream"
    for side, change in (("edited here", drift.here), (upstream, drift.upstream)):
        for one in change.brief if change else ():
            values = f"{one_line(one.before)} -> {one_line(one.after)}"
            if one.before is None:
                values = f"added {one_line(one.after)}".rstrip()
            elif one.after is None:
                values = f"removed {one_line(one.before)}".rstrip()
            yield plain(one.key), values, "conflict" if one.key in drift.collisions else side


def problems(drifts: Iterable[Drift]) -> list[str]:
    """Return a sentence for each file that could not be compared, or only by line, as its keys could not be read."""
    drifts = [*drifts]
    found = [
        f"{drift.path}: cannot be parsed, so it is compared by line; please fix it: {one_line(change.problem)}"
        for drift in drifts
        for change in (drift.here, drift.upstream)
        if change and change.problem
    ]
    found += [plain(drift.reason) for drift in drifts if drift.reason]
    return ["", *found] if found else []


def notes(inspection: Inspection) -> list[str]:
    """Return sentences about the newest template and the answers."""
    unknown = (
        inspection.not_known
        and f"What the template has changed since is not known. {inspection.not_known}"
    )
    return [plain(note) for note in (unknown, *inspection.notes) if note]


def plain(words: str) -> str:
    """Return text on one line, without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())


def one_line(value: str | None) -> str:
    """Return a value in one line of at most 60 characters."""
    text = plain(masked(value or ""))
    return text if len(text) <= 60 else f"{text[:57]}..."


def text(
    inspection: Inspection, *, verbose: bool = False, given: Mapping[str, str] | None = None
) -> str:
    """Return the report for a terminal, with colours (which click removes where they are unwanted).

    `given` are the answers of a preview.
    """
    drifts, would = shown(inspection, verbose), given is not None
    lines = [summary(inspection) if given is None else trial(inspection, given), *notes(inspection)]
    if drifts:
        rows = [(words(drift, would), drift) for drift in drifts]
        first = max(len(label) for label, _ in rows)
        second = max(len(drift.path) for drift in drifts)
        lines.append("")
        for label, drift in rows:
            state = click.style(label.ljust(first), fg=COLOURS[drift.state])
            here, upstream = size(drift.here), size(drift.upstream)
            both = here and upstream
            there = "then" if would else "upstream"
            sizes = f"{here} here, {upstream} {there}" if both else here or upstream
            lines.append(f"{state}  {plain(drift.path).ljust(second)}  {sizes}".rstrip())
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
    if verbose and inspection.by_hook:
        lines += ["", "As the template's hooks made them:"]
        lines += [f"  {plain(path)}" for path in inspection.by_hook]
    unknown = sum(drift.reason is not None for drift in drifts)
    obscure = f", {unknown} of them not known" if unknown else ""
    counts = f"{len(drifts)} would change" if would else f"{same} same, {len(drifts)} not"
    lines += ["", f"{inspection.comparison.files} files compared: {counts}{obscure}{own}."]
    if given is None:
        lines += [
            f"Nothing matches what is ignored: {one}" for one in inspection.comparison.unmatched
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


def markdown(
    inspection: Inspection, *, verbose: bool = False, given: Mapping[str, str] | None = None
) -> str:
    """Return the report for a job summary or a comment; `given` are the answers of a preview."""
    drifts, would = shown(inspection, verbose), given is not None
    title, lead = "Drift from the template", summary(inspection)
    if given is not None:
        title, lead = "Other answers", trial(inspection, given)
    lines = [f"## {title}", "", lead, *(f"\n{note}" for note in notes(inspection))]
    if drifts:
        lines += ["", "| State | File | Here | Upstream |", "|---|---|---|---|"]
        for drift in drifts:
            cells = (words(drift, would), code(drift.path), size(drift.here), size(drift.upstream))
            lines.append(f"| {' | '.join(cells)} |")
    for drift in drifts:
        rows = [
            f"- {code(key)}: {code(values)} ({side})"
            for key, values, side in key_lines(drift, would)
        ]
        if rows:
            lines += ["", f"**{code(drift.path)}**", "", *rows]
    lines += [f"- {code(problem)}" if problem else "" for problem in problems(drifts)]
    if not drifts:
        lines += ["", f"No file that the template owns {'would change' if would else 'differs'}."]
    for entry in inspection.comparison.unmatched if given is None else ():
        lines.append(f"\nNothing matches what is ignored: {code(entry)}")
    return "\n".join(lines) + "\n"


def code(words: str) -> str:
    """Return text as Markdown code that is safe in a table."""
    plain = words.replace("|", "\\|").replace("\n", " ")
    fence = "``" if "`" in plain else "`"
    return f"{fence}{plain}{fence}"


def as_json(inspection: Inspection, status: int) -> str:
    """Return the report as JSON; drydock/schema.json describes it."""

    def commit(one: Commit) -> dict[str, str]:
        return {"commit": one.sha, "label": one.label, "date": one.date}

    def change(one: Change | None) -> dict[str, Any] | None:
        if one is None:
            return None
        found = None
        if one.keys is not None:
            found = [
                {
                    "key": key.key,
                    "before": None if key.before is None else masked(key.before),
                    "after": None if key.after is None else masked(key.after),
                    "secret": key.secret,
                }
                for key in one.keys
            ]
        return {
            "added": one.added,
            "removed": one.removed,
            "binary": one.binary,
            "executable": one.mode,
            "problem": one.problem,
            "form_only": one.form_only,
            "keys": found,
        }

    report = {
        "version": SCHEMA_VERSION,
        "status": status,
        "template": inspection.url,
        "directory": inspection.record.directory,
        "recorded": commit(inspection.recorded),
        "newest": commit(inspection.newest),
        "behind": inspection.behind,
        "ahead": inspection.ahead,
        "files": inspection.comparison.files,
        "drifts": [
            {
                "path": drift.path,
                "state": drift.state.value,
                "yours": drift.yours,
                "accepted": drift.accepted,
                "here": change(drift.here),
                "upstream": change(drift.upstream),
                "collisions": list(drift.collisions),
                "reason": drift.reason,
            }
            for drift in inspection.comparison.drifts
        ],
        "by_hook": list(inspection.by_hook),
        "unmatched": list(inspection.comparison.unmatched),
        "notes": list(inspection.notes),
        "not_known": inspection.not_known,
    }
    return json.dumps(report, indent=2) + "\n"


def diff(before: Tree, after: Tree, paths: Iterable[str], colour: bool = False) -> Iterator[str]:
    """Yield the lines of a unified diff to read; values that look secret are masked."""
    for path in paths:
        old, new = before.get(path), after.get(path)
        if old == new:
            continue
        sides = (f"a/{path}" if old else "/dev/null", f"b/{path}" if new else "/dev/null")
        if old and new and old.executable != new.executable:
            yield f"{path}: now {'executable' if new.executable else 'not executable'}\n"
        texts = [file.text if file else "" for file in (old, new)]
        if any(PRIVATE_KEY in (one or "") for one in texts):
            yield f"{path}: holds a private key, so it is not shown\n"
            continue
        if texts[0] is None or texts[1] is None:
            yield f"Binary files {sides[0]} and {sides[1]} differ\n"
            continue
        for line in unified(texts[0], texts[1], sides):
            shape = line.rstrip("\r\n")
            head = line.startswith(("--- ", "+++ "))
            tint = {"+": "green", "-": "red", "@": "cyan"}.get(line[0])
            if colour and (head or tint):
                shape = click.style(shape, fg=None if head else tint, bold=head)
            yield f"{shape}\n"
            if not line.endswith("\n"):
                yield "\\ No newline at end of file\n"


def unified(old: str, new: str, names: tuple[str, str]) -> Iterator[str]:
    """Yield the lines of a unified diff without secrets.

    Lines are compared as they are, and shown masked: a secret that changed is a change of *** to ***.
    """
    sides = [text.splitlines(keepends=True) for text in (old, new)]
    shown = [list(masked_lines(lines)) for lines in sides]
    matcher = difflib.SequenceMatcher(None, sides[0], sides[1])
    for group in matcher.get_grouped_opcodes(3):
        if names[0]:
            yield f"--- {names[0]}\n"
            yield f"+++ {names[1]}\n"
            names = ("", "")
        first, last = group[0], group[-1]
        spans = [span(first[1], last[2]), span(first[3], last[4])]
        yield f"@@ -{spans[0]} +{spans[1]} @@\n"
        for tag, start, end, other, other_end in group:
            if tag == "equal":
                yield from (f" {line}" for line in shown[0][start:end])
                continue
            yield from (f"-{line}" for line in shown[0][start:end])
            yield from (f"+{line}" for line in shown[1][other:other_end])


def span(start: int, end: int) -> str:
    """Return a range of lines as a unified diff names it."""
    length = end - start
    first = start + 1 if length else start
    return str(first) if length == 1 else f"{first},{length}"


def patch(before: Tree, after: Tree, paths: Iterable[str]) -> tuple[bytes, list[str]]:
    """Return a patch from one tree to the other for `git apply`, and the files it omits.

    Omitted are files with lines to show that look secret: a patch with *** in it would not apply.
    """
    omitted = []
    sides: tuple[Tree, Tree] = ({}, {})
    for path in paths:
        pair = before.get(path), after.get(path)
        if pair[0] != pair[1] and any(holds_secrets(*pair)):
            omitted.append(path)
            continue
        for side, file in zip(sides, pair, strict=True):
            if file:
                side[path] = file
    with tempfile.TemporaryDirectory(prefix="drydock-") as name:
        for letter, side in zip("ab", sides, strict=True):
            Path(name, letter).mkdir()
            render.write(side, Path(name, letter))
        options = ["--no-index", "--binary", "--no-color", "--no-ext-diff", "--no-renames"]
        command = [
            "git",
            "-c",
            "core.quotePath=false",
            "-c",
            "core.autocrlf=false",
            "diff",
            *options,
            "--no-prefix",
            "a",
            "b",
        ]
        result = subprocess.run(command, cwd=name, capture_output=True, check=False)
    if result.returncode not in (0, 1):
        raise DrydockError(f"git diff: {result.stderr.decode(errors='replace').strip()}")
    return result.stdout, omitted


def holds_secrets(before: File | None, after: File | None) -> Iterator[bool]:
    """Yield, for each line that a diff of two texts would show, whether it holds a secret."""
    old, new = ((file.text or "") if file else "" for file in (before, after))
    yield PRIVATE_KEY in old + new
    sides = [text.splitlines(keepends=True) for text in (old, new)]
    hidden = [
        [line != shown for line, shown in zip(lines, masked_lines(lines), strict=True)]
        for lines in sides
    ]
    for group in difflib.SequenceMatcher(None, sides[0], sides[1]).get_grouped_opcodes(3):
        for _, start, end, other, other_end in group:
            yield from hidden[0][start:end]
            yield from hidden[1][other:other_end]

"""The report for a job summary or a comment."""

import re

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


def report(inspection: Inspection, view: View) -> str:
    """Return the report, in which text of files is code."""
    drifts, given = shown(inspection, view.verbose), view.given
    would = given is not None
    title, lead = "Drift from the template", summary(inspection)
    if given is not None:
        title, lead = "Other answers", trial(inspection, given)
    lines = [f"## {title}", "", escaped(lead)]
    lines += [f"\n{escaped(note)}" for note in notes(inspection)]
    if drifts:
        lines += ["", "| State | File | Here | Upstream |", "|---|---|---|---|"]
        for drift in drifts:
            cells = (
                state_label(drift, would),
                code(name_of(drift)),
                size(drift.here),
                size(drift.upstream),
            )
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


def code(text: str) -> str:
    """Return text as Markdown code that is safe in a table."""
    line = plain(text).replace("|", "\\|")
    fence = "``" if "`" in line else "`"
    return f"{fence}{line}{fence}"


def escaped(text: str) -> str:
    """Return text in which nothing is Markdown or HTML, except that an address is still a link."""
    return re.sub(r"([\\`*\[\]<>|])", r"\\\1", text)

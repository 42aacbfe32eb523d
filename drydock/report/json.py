"""The report for programs: JSON, as drydock/schema.json describes it."""

import json
from dataclasses import dataclass, field
from typing import Any

from drydock.compare import Drift
from drydock.inspect import Commit, Inspection
from drydock.report.schema import schema_of, to_json
from drydock.report.sentences import View

VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Report:
    """The report of an inspection; its fields, and those of what it holds, are the JSON."""

    version: int = field(default=VERSION, metadata={"const": VERSION})
    status: int = field(
        metadata={
            "enum": [0, 1, 2, 3],
            "description": "The exit status: in step, drift, something that could not be compared or parsed, "
            "in step but the template has moved",
        }
    )
    template: str = field(metadata={"description": "URL or path, without credentials"})
    directory: str | None
    recorded: Commit
    newest: Commit = field(metadata={"description": "The commit that was compared with"})
    behind: int = field(
        metadata={"minimum": 0, "description": "Commits from the recorded to the newest one"}
    )
    ahead: int = field(
        metadata={"minimum": 0, "description": "Commits that only the recorded one has"}
    )
    files: int = field(metadata={"minimum": 0, "description": "Files compared"})
    drifts: tuple[Drift, ...]
    by_hook: tuple[str, ...] = field(
        metadata={
            "description": "Files that are as the template's hooks made them, other than rendered; no drift"
        }
    )
    unmatched: tuple[str, ...] = field(
        metadata={"description": "Ignored patterns and keys that match nothing"}
    )
    notes: tuple[str, ...] = field(
        metadata={"description": "What was done to the recorded answers"}
    )
    not_known: str | None = field(
        metadata={
            "description": "Why nothing is known of the newest template, if so: the recorded one stands for it"
        }
    )


def report(inspection: Inspection, view: View) -> str:
    """Return the report, which always has every file that differs."""
    comparison = inspection.comparison
    result = Report(
        status=view.status,
        template=inspection.url,
        directory=inspection.record.directory,
        recorded=inspection.recorded,
        newest=inspection.newest,
        behind=inspection.behind,
        ahead=inspection.ahead,
        files=comparison.files,
        drifts=comparison.drifts,
        by_hook=inspection.by_hook,
        unmatched=comparison.unmatched,
        notes=inspection.notes,
        not_known=inspection.not_known,
    )
    return json.dumps(to_json(result), indent=2) + "\n"


def schema() -> dict[str, Any]:
    """Return the JSON schema of the report."""
    return schema_of(
        Report,
        title="drydock check --json",
        description=f"Version {VERSION}. A later version adds properties; one that is taken away, or means another "
        "thing, raises the number.",
    )

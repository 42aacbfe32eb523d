"""The report for programs."""

import json
from typing import Any

from drydock.compare import Change
from drydock.inspect import Commit, Inspection
from drydock.report.sentences import View
from drydock.secrets import masked

SCHEMA_VERSION = 1


def report(inspection: Inspection, view: View) -> str:
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
            "executable": one.executable,
            "problem": one.problem,
            "form_only": one.form_only,
            "keys": found,
        }

    result = {
        "version": SCHEMA_VERSION,
        "status": view.status,
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
    return json.dumps(result, indent=2) + "\n"

"""Where a file stands between its template and its project."""

from enum import StrEnum


class State(StrEnum):
    """Where a file stands, seen from the recorded template."""

    SAME = "same"
    EDITED = "edited here"
    CHANGED = "changed upstream"
    BOTH = "same change"
    MERGES = "merges cleanly"
    CONFLICT = "conflict"
    DELETED = "deleted here"
    NEW = "new upstream"
    REMOVED = "removed upstream"
    UNKNOWN = "not known"


# The states in which the template has moved but the project has not drifted.
UPSTREAM = frozenset({State.CHANGED, State.BOTH, State.NEW, State.REMOVED})

# What a drift is called in a preview of other answers.
WOULD = {
    State.CONFLICT: "would conflict",
    State.MERGES: "would merge",
    State.CHANGED: "would change",
    State.NEW: "would be new",
    State.REMOVED: "would be removed",
}

# Where a file stands by its contents -> where it stands if the template has renamed it besides.
RENAMED = {State.SAME: State.CHANGED, State.BOTH: State.CHANGED, State.EDITED: State.MERGES}

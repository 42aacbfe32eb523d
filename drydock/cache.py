"""Where mirrors of templates and compiled templates are kept."""

import os
from pathlib import Path


def default_cache() -> Path:
    """Return the user's folder for drydock: $DRYDOCK_CACHE, or in $XDG_CACHE_HOME, or ~/.cache."""
    if given := os.environ.get("DRYDOCK_CACHE"):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "drydock"

"""Where mirrors of templates and compiled templates are kept."""

import os
from pathlib import Path


def default_cache() -> Path:
    """Return the user's folder for drydock: $DRYDOCK_CACHE, or in $XDG_CACHE_HOME, or ~/.cache."""
    if given := os.environ.get("DRYDOCK_CACHE"):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "drydock"


def private(folder: Path) -> Path:
    """Make a folder, and any missing ones above it, accessible only to its owner; return it."""
    if not folder.is_dir():
        private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder

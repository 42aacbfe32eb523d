"""Where mirrors of templates and compiled templates are kept."""

import os
from pathlib import Path

from drydock.errors import DrydockError


def default_cache() -> Path:
    """Return the folder for drydock's cache: $DRYDOCK_CACHE, or where the system keeps a user's caches.

    DrydockError if the user has no home folder.
    """
    if given := os.environ.get("DRYDOCK_CACHE"):
        return Path(given).absolute()
    from platformdirs import user_cache_path  # Slow to import.

    try:
        folder = user_cache_path("drydock", appauthor=False)
    except RuntimeError:
        folder = Path("~")
    if "~" in folder.parts:  # as older versions of platformdirs say it
        raise DrydockError("You have no home folder for a cache. Set HOME or DRYDOCK_CACHE.")
    return folder


def private(folder: Path) -> Path:
    """Make a folder, and any missing ones above it, accessible only to its owner; return it."""
    if not folder.is_dir():
        private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder

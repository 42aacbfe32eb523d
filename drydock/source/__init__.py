"""A template's files at a commit, from wherever the template lives; none of its code is ever run.

A local repository is read in place (`repository`), a remote one through a mirror in the user's cache
(`mirror`), and an archive is one snapshot (`archive`). `base` has what they share; `git` is all that runs git.
"""

from pathlib import Path

from drydock.cache import default_cache
from drydock.source.address import URL, expand, is_archive
from drydock.source.base import Say, Source
from drydock.source.mirror import Mirror
from drydock.source.repository import open_repository

__all__ = ["Source", "open_source"]


def open_source(
    template: str,
    *,
    base: Path | None = None,
    offline: bool = False,
    cache: Path | None = None,
    progress: Say | None = None,
) -> Source:
    """Return a template, fetched fresh; with `offline`, only what is cached.

    `template` is a path, a URL or an abbreviation such as gh:owner/name; a relative path starts at `base`, or at
    the current folder. DrydockError if it cannot be reached, or is neither a repository nor an archive.
    """
    place, say = expand(template, base), progress or (lambda message: None)
    cache = cache or default_cache()
    if is_archive(place):
        from drydock.source.archive import Archive  # Slow to import, and rarely needed.

        return Archive(place, offline=offline, cache=cache, say=say)
    if URL.match(place):
        return Mirror(place, offline=offline, cache=cache, say=say)
    return open_repository(place)

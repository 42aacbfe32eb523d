"""What every template can tell, wherever it lives."""

import posixpath
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from drydock.errors import DrydockError
from drydock.tree import Tree

# More than any template needs: a limit for hostile ones. Bytes.
LIMIT = 512 * 1024 * 1024
Say = Callable[[str], None]


class Source(ABC):
    """A template: its commits and their files.

    `left_out` says which paths are in none of the trees that were read, and why. `fetched` are the submodules in them
    that were fetched: cruft does so, too, but cookiecutter leaves them empty.
    """

    url: str
    left_out: dict[str, str]
    fetched: set[str]

    @abstractmethod
    def resolve(self, ref: str | None) -> str:
        """Return the full name of a commit, tag or branch; None is the newest of the default branch.

        DrydockError if there is no such commit.
        """

    @abstractmethod
    def name_of(self, ref: str) -> str | None:
        """Return the name of a branch or tag; None for another name of a commit."""

    @abstractmethod
    def commits_between(self, old: str, new: str) -> tuple[int, int]:
        """Return how many commits only `new` has, and how many only `old` has."""

    @abstractmethod
    def describe(self, commit: str) -> str:
        """Return a commit's name for people: its tag, if it has one, and its short hash."""

    @abstractmethod
    def date(self, commit: str) -> str:
        """Return the date of a commit in ISO 8601 format."""

    @abstractmethod
    def commits(self, ref: str | None = None, paths: tuple[str, ...] = ()) -> list[str]:
        """Return the commits of a branch's main line, the newest first.

        With `paths`, which are git's, only those that changed one of them.
        """

    @abstractmethod
    def tree(self, commit: str, directory: str | None = None) -> Tree:
        """Return a commit's files, or those of one folder; DrydockError if they cannot be read."""

    @abstractmethod
    def add_history(self, folder: Path, commit: str) -> None:
        """Make a folder with a commit's files a clone at that commit, if the template is in git.

        A template's code may ask git for the commit: when cookiecutter generates, it runs in a clone.
        """


def folder_of(directory: str | None) -> str:
    """Return the path of a template's folder in its repository; "." is the top."""
    return posixpath.normpath(directory.strip("/")) if directory else "."


def no_folder(where: str, directory: str | None) -> DrydockError:
    """Return the error of a commit that lacks the template's folder."""
    return DrydockError(
        f"{where}: has no folder {directory}. If the template has moved to another one, pass --directory; `.` is the top."
    )


def never_fetched(url: str) -> DrydockError:
    """Return the error of a template that cannot be used offline."""
    return DrydockError(f"{url}: was never fetched to this machine; try without --offline.")

"""Symbolic links in a repository: which file each path leads to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from drydock.errors import DrydockError

# As many links as Linux follows in one path, and more files than any template has.
DEEPEST, MOST = 40, 200_000


@dataclass(frozen=True, kw_only=True)
class Reached:
    """A path of the tree and the entry that is really there.

    `behind_link` says that it was reached through a link to a folder.
    """

    path: str
    entry: str
    behind_link: bool


class Links:
    """The links of a tree.

    `entries` are all its paths; `targets` those that are links, with what they say. `broken` says why a path
    that was looked at leads to nothing.
    """

    def __init__(self, entries: Mapping[str, object], targets: Mapping[str, str]) -> None:
        self.entries, self.targets = entries, targets
        self.broken: dict[str, str] = {}

    def real(self, path: str) -> str:
        """Return the path without links, "" for the top; LookupError with the reason if it has none."""
        done: list[str] = []
        todo = path.split("/")[::-1]
        followed = 0
        while todo:
            part = todo.pop()
            if part in ("", "."):
                continue
            if part == "..":
                if not done:
                    raise LookupError("it is a link that leaves the template")
                done.pop()
                continue
            done.append(part)
            target = self.targets.get("/".join(done))
            if target is None:
                continue
            followed += 1
            if target.startswith("/"):
                raise LookupError("it is a link that leaves the template")
            if followed > DEEPEST:
                raise LookupError("it is a link that leads to itself")
            done.pop()
            todo += target.split("/")[::-1]
        return "/".join(done)

    def below(self, folder: str) -> list[str]:
        """Return the entries below a folder."""
        return [path for path in self.entries if path.startswith(f"{folder}/")]

    def walk(self, folder: str) -> Iterator[Reached]:
        """Yield what is below a folder, with what its links lead to; DrydockError for far too much."""
        start = self.real(folder)
        for count, reached in enumerate(self.inside(start, "", (start,), behind_link=False)):
            if count > MOST:
                raise DrydockError(
                    f"{folder}: has more than {MOST} files, counted through its links."
                )
            yield reached

    def inside(
        self, folder: str, shown: str, above: tuple[str, ...], *, behind_link: bool
    ) -> Iterator[Reached]:
        """Yield what is below a real folder, under another name; `above` are the folders that led here."""
        for entry in self.below(folder) if folder else list(self.entries):
            path = f"{shown}{entry[len(folder) + 1 :] if folder else entry}"
            if entry not in self.targets:
                yield Reached(path=path, entry=entry, behind_link=behind_link)
                continue
            try:
                target = self.real(entry)
            except LookupError as error:
                self.broken[path] = error.args[0]
                continue
            if target in self.entries:
                yield Reached(path=path, entry=target, behind_link=behind_link)
            elif not target or target in above or entry.startswith(f"{target}/"):
                self.broken[path] = "it is a link to a folder that it is in"
            elif self.below(target):
                yield from self.inside(target, f"{path}/", (*above, target), behind_link=True)
            else:
                self.broken[path] = "it is a link that leads nowhere"

"""A patch for `git apply`."""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from drydock.errors import DrydockError
from drydock.lines import Matcher
from drydock.secrets import PRIVATE_KEY, masked_lines
from drydock.source.git import git
from drydock.tree import File, Tree, write_tree


def patch(
    before: Tree, after: Tree, paths: Iterable[str], prefix: str = ""
) -> tuple[bytes, list[str]]:
    """Return a patch from one tree to the other for `git apply`, and the files it omits.

    `prefix` is the path of the project in its repository: `git apply` takes paths from the top, wherever it is run.
    Omitted are files with lines to show that look secret: a patch with *** in it would not apply.
    """
    omitted = []
    sides: tuple[Tree, Tree] = ({}, {})
    for path in paths:
        pair = before.get(path), after.get(path)
        if pair[0] != pair[1] and any(holds_secrets(*pair)):
            omitted.append(path)
            continue
        for side, file in zip(sides, pair, strict=True):
            if file:
                side[f"{prefix}{path}"] = file
    with tempfile.TemporaryDirectory(prefix="drydock-") as name:
        for letter, side in zip("ab", sides, strict=True):
            Path(name, letter).mkdir()
            write_tree(side, Path(name, letter))
        options = ["--no-index", "--binary", "--no-color", "--no-ext-diff", "--no-renames"]
        settings = ["-c", "core.quotePath=false", "-c", "core.autocrlf=false"]
        result = git(name, *settings, "diff", *options, "--no-prefix", "a", "b", check=False)
    if result.returncode not in (0, 1):
        raise DrydockError(f"git diff: {result.stderr.decode(errors='replace').strip()}")
    return result.stdout, omitted


def holds_secrets(before: File | None, after: File | None) -> Iterator[bool]:
    """Yield, for each line that a diff of two texts would show, whether it holds a secret."""
    old, new = ((file.text or "") if file else "" for file in (before, after))
    yield PRIVATE_KEY in old + new
    sides = [text.splitlines(keepends=True) for text in (old, new)]
    hidden = [
        [line != shown for line, shown in zip(lines, masked_lines(lines), strict=True)]
        for lines in sides
    ]
    for group in Matcher(*sides).get_grouped_opcodes(3):
        for _, start, end, other, other_end in group:
            yield from hidden[0][start:end]
            yield from hidden[1][other:other_end]

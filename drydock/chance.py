"""What a template's hooks make at random, such as a key: two renders differ in it, and none gives it again.

So the project's own value counts, in each line that begins as one of those does in which two renders differ.
"""

import os
import re
from dataclasses import replace

from drydock.tree import File, Tree

# What may come before a value. What comes after it may be random, even if two renders have it alike.
LEAD = re.compile(r".*[\s=:('\"]")


def settled(base: Tree, again: Tree, upstream: Tree, here: Tree) -> tuple[Tree, Tree]:
    """Return the recorded and the newest render with the random values that a project has.

    `again` is another render of the recorded commit.
    """
    trees = dict(base), dict(upstream)
    for path, file in base.items():
        starts = random_starts(file, again.get(path))
        for tree in trees if starts and path in here else ():
            if path in tree:
                tree[path] = with_lines(tree[path], here[path], starts)
    return trees


def random_starts(file: File, other: File | None) -> list[str]:
    """Return how the lines begin in which two renders of a file differ, up to what is random."""
    one, two = file.text, other.text if other else None
    if file == other or one is None or two is None:
        return []
    pairs = zip(one.splitlines(), two.splitlines(), strict=False)
    alike = [os.path.commonprefix(pair) for pair in pairs if pair[0] != pair[1]]  # noqa: RUF071 -- no paths
    leads = map(LEAD.match, alike)
    return [lead[0] for lead in leads if lead and lead[0].strip()]


def with_lines(file: File, mine: File, starts: list[str]) -> File:
    """Return a file with the lines of another that begin in some ways, each of which both have once."""
    text, source = file.text, mine.text
    if text is None or source is None:
        return file
    lines, others = text.splitlines(keepends=True), source.splitlines(keepends=True)
    for start in starts:
        places = [number for number, line in enumerate(lines) if line.startswith(start)]
        found = [line for line in others if line.startswith(start)]
        if len(places) == len(found) == 1:
            lines[places[0]] = found[0]
    return replace(file, data="".join(lines).encode())

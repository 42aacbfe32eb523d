"""Differences between structured files by key path, not by line.

Leaves are compared as multisets, because a key may occur several times, as in uWSGI's INI and nginx.
Whether the order counts is decided elsewhere, by drydock.formats.Document.meaning.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from drydock.formats import Document, Leaf
from drydock.formats.requirements import HASHES
from drydock.secrets import is_secret, masked_value


@dataclass(frozen=True, kw_only=True)
class KeyChange:
    """A key whose value differs: None before means that it is new, None after that it is gone.

    The values are as they are in the files; what leaves the program is `shown`.
    """

    key: str
    before: str | None = field(repr=False)
    after: str | None = field(repr=False)
    secret: bool = field(
        default=False, metadata={"description": "The values looked secret, and are *** here"}
    )

    @property
    def shown(self) -> "KeyChange":
        """The change without its secrets: both values are *** if the key, or one of them, says that they are."""
        values = (self.before, self.after)
        secret = any(value is not None and is_secret(self.key, value) for value in values)
        before, after = (
            None if value is None else "***" if secret else masked_value(self.key, value)
            for value in values
        )
        return replace(self, before=before, after=after, secret=secret or (before, after) != values)


def diff_keys(before: Document, after: Document) -> list[KeyChange] | None:
    """Return the keys that differ between two versions of a file.

    [] if no value differs, although their order may; None if one of the two was not understood.
    """
    if before.leaves is None or after.leaves is None:
        return None
    left, right = grouped(before.leaves), grouped(after.leaves)
    changes = []
    for key in dict.fromkeys([*left, *right]):
        ours, theirs = left.get(key, Counter()), right.get(key, Counter())
        gone, come = list((ours - theirs).elements()), list((theirs - ours).elements())
        # One replaces the other; items of a list, and repeated keys, come and go.
        if len(gone) == len(come) == 1 and not key.endswith("[]"):
            changes.append(KeyChange(key=key, before=gone[0], after=come[0]))
        else:
            changes += [KeyChange(key=key, before=value, after=None) for value in gone]
            changes += [KeyChange(key=key, before=None, after=value) for value in come]
    names = {edit.key for edit in changes}
    edits = {(edit.key, edit.before, edit.after) for edit in changes}
    origins = {leaf.key: leaf.origin for leaf in (*before.leaves, *after.leaves) if leaf.origin}
    return [
        edit
        for edit in changes
        # If a requirement's version differs anyway, its hashes say nothing more.
        if not (edit.key.endswith(HASHES) and edit.key.removesuffix(HASHES) in names)
        # An edit of an anchor is one change, wherever its aliases are.
        and (origins.get(edit.key), edit.before, edit.after) not in edits
    ]


def collapsed(changes: Iterable[KeyChange], before: Document, after: Document) -> list[KeyChange]:
    """Return changes in which a part that is entirely new or gone is one change, with its size."""
    sides = [
        {part for leaf in side.leaves or () for part in parts(leaf.key)} for side in (before, after)
    ]
    result: dict[tuple[str, bool], list[KeyChange]] = {}
    for index, edit in enumerate(changes):
        other = sides[1] if edit.after is None else sides[0]
        lonely = edit.before is None or edit.after is None
        top = next((part for part in parts(edit.key) if part not in other), "") if lonely else ""
        result.setdefault((top or f"{edit.key}\0{index}", edit.after is None), []).append(edit)
    return [
        group[0] if len(group) == 1 else whole(top, group) for (top, _), group in result.items()
    ]


def whole(key: str, group: list[KeyChange]) -> KeyChange:
    """Return one change for a part of several keys that is new or gone."""
    size = f"({len(group)} keys)"
    gone = group[0].after is None
    return KeyChange(key=key, before=size if gone else None, after=None if gone else size)


def parts(key: str) -> list[str]:
    """Return the paths above a key, from the top, and the key itself."""
    ends = [
        match.end() for match in re.finditer(r'\.?(?:"(?:\\.|[^"\\])*"|[^.\["]+)|\[[^\]]*\]', key)
    ]
    return [key[:end] for end in ends] or [key]


def grouped(leaves: Iterable[Leaf]) -> dict[str, Counter[str]]:
    """Return the values of each key, in the order of the keys."""
    values: dict[str, Counter[str]] = {}
    for leaf in leaves:
        values.setdefault(leaf.key, Counter())[leaf.value] += 1
    return values

"""Compare three trees (recorded template, newest template, working tree): one state per file.

Nothing here reads the disk: a comparison is a function of values, and reports are made from it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from drydock import formats
from drydock.formats import Document
from drydock.keys import KeyChange, collapsed, diff_keys
from drydock.lines import WHOLE, Matcher
from drydock.policy import Policy
from drydock.state import RENAMED, State
from drydock.tree import File, Tree

# Files in which empty lines at the end mean nothing.
INDIFFERENT = (".py", ".pyi", ".md", ".css", ".scss", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx")


@dataclass(frozen=True, kw_only=True)
class Change:
    """From one version of a file to another.

    `keys` is None if the file has no known keys, is not text, or differs in something that no key shows;
    () if only the order of mappings, comments or layout differ. `brief` is the same, with parts that are
    entirely new or gone as one.
    """

    added: int = field(metadata={"minimum": 0, "description": "Lines"})
    removed: int = field(metadata={"minimum": 0, "description": "Lines"})
    binary: bool = False
    executable: bool | None = field(
        default=None, metadata={"description": "What the bit became; null where it stayed"}
    )
    problem: str | None = field(
        default=None,
        metadata={
            "description": "Why the later version is not of the format that the name says, which the earlier one is"
        },
    )
    form_only: bool = field(
        default=False, metadata={"description": "Only order, comments or the form differ"}
    )
    keys: tuple[KeyChange, ...] | None = field(
        metadata={"description": "null where the file has no keys that are known"}
    )
    brief: tuple[KeyChange, ...] = field(metadata={"json_name": None})


@dataclass(frozen=True, kw_only=True)
class Drift:
    """A file that is not the same in all three trees.

    `here` and `upstream` are None where nothing changed.
    """

    path: str
    state: State = field(metadata={"enum": [state.value for state in State if state != "same"]})
    renamed: str | None = field(
        default=None,
        metadata={
            "description": "The name here, if the template has renamed the file; the path is the new one"
        },
    )
    yours: bool = field(metadata={"description": "The policy says that changes here are no drift"})
    accepted: str | None = field(
        default=None, metadata={"description": "Why the deviation is agreed, where it is"}
    )
    here: Change | None = field(
        metadata={"description": "From the recorded template to the working tree"}
    )
    upstream: Change | None = field(
        metadata={"description": "From the recorded template to the newest"}
    )
    collisions: tuple[str, ...] = field(
        default=(), metadata={"description": "Keys that both changed, differently"}
    )
    reason: str | None = field(
        default=None, metadata={"description": "Why the file is not known on every side, if so"}
    )

    @property
    def is_muted(self) -> bool:
        """Whether nobody wants to hear of it: the deviation is accepted, or only the team has changed its own file."""
        return self.accepted is not None or (self.yours and self.upstream is None)

    @property
    def form_only(self) -> bool:
        """Whether the working tree differs only in order, comments or form."""
        return self.state is State.EDITED and self.here is not None and self.here.form_only


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The files that differ, how many were compared, and entries of the policy that match nothing."""

    drifts: tuple[Drift, ...]
    files: int
    unmatched: tuple[str, ...]


def state(base: File | None, upstream: File | None, here: File | None) -> State:
    """Return the state of a file that is in at least one of the three trees."""
    if here == upstream:
        return State.SAME if base == here else State.BOTH
    if here == base:
        if upstream is None:
            return State.REMOVED
        return State.NEW if base is None else State.CHANGED
    if upstream == base:
        return State.DELETED if here is None else State.EDITED
    return State.CONFLICT


class Documents:
    """What the files of some trees mean; each is read once."""

    def __init__(self) -> None:
        self.read: dict[tuple[str, bytes], Document] = {}

    def of(self, path: str, file: File | None) -> Document:
        """Return a file's document; an empty one if the file is not text or does not exist."""
        text = file.text if file else None
        if file is None or text is None:
            return Document()
        if (path, file.data) not in self.read:
            self.read[path, file.data] = formats.parse(path, text)
        return self.read[path, file.data]


def change(
    path: str, before: File | None, after: File | None, policy: Policy, documents: Documents
) -> Change | None:
    """Return what differs between two versions of a file; None if nothing does, or one is not known."""
    if before == after or any(file and file.unknown for file in (before, after)):
        return None
    executable = None
    if before and after and before.executable != after.executable:
        executable = after.executable
    old, new = (file.text if file else "" for file in (before, after))
    if old is None or new is None:
        return Change(keys=None, brief=(), added=0, removed=0, binary=True, executable=executable)
    blocks = [
        block
        for block in Matcher(old.splitlines(), new.splitlines()).get_opcodes()
        if block[0] != "equal"
    ]
    removed = sum(end - start for _, start, end, _, _ in blocks)
    added = sum(end - start for _, _, _, start, end in blocks)
    if not (before and after) or old == new or added + removed > WHOLE:
        return Change(keys=None, brief=(), added=added, removed=removed, executable=executable)
    sides = documents.of(path, before), documents.of(path, after)
    keys = diff_keys(*sides)
    if keys is not None:
        keys = [edit for edit in keys if not policy.ignoring(path, edit.key)]
    form_only = same_meaning(path, *sides, policy) or same_but_ends(path, old, new)
    if not keys and not form_only:
        keys = None
    understood = sides[0].meaning is not None
    return Change(
        keys=None if keys is None else tuple(keys),
        brief=tuple(collapsed(keys, *sides)) if keys else (),
        added=added,
        removed=removed,
        form_only=form_only and executable is None,
        executable=executable,
        problem=sides[1].problem if understood else None,
    )


def same_meaning(path: str, before: Document, after: Document, policy: Policy) -> bool:
    """Tell whether two versions of a file are certain to mean the same, ignored keys aside."""
    return before.means_the_same(after, without=lambda key: bool(policy.ignoring(path, key)))


def same_but_ends(path: str, old: str, new: str) -> bool:
    """Tell whether only the ends of two texts differ, and no program minds: cron leaves out a line that does not end."""
    return path.endswith(INDIFFERENT) and old.rstrip("\n") == new.rstrip("\n")


def without_ignored_keys(
    path: str,
    base: File | None,
    other: File | None,
    policy: Policy,
    documents: Documents,
) -> File | None:
    """Return `base` in place of another version that differs only in ignored keys."""
    if base is None or other is None or base == other or base.executable != other.executable:
        return other
    if not policy.ignores_keys_of(path) or base.unknown or other.unknown:
        return other
    before, after = documents.of(path, base), documents.of(path, other)
    if not any(policy.ignoring(path, edit.key) for edit in diff_keys(before, after) or []):
        return other
    return base if same_meaning(path, before, after, policy) else other


def met(
    paths: Iterable[str], trees: tuple[Tree, ...], policy: Policy, documents: Documents
) -> set[str]:
    """Return the ignored-key entries that match a key in any of the trees."""
    used = set()
    for path in paths if policy.ignore_keys else ():
        for tree in trees:
            leaves = documents.of(path, tree.get(path)).leaves
            used |= {policy.ignoring(path, leaf.key) for leaf in leaves or ()}
    return {entry for entry in used if entry}


def compare(
    base: Tree,
    upstream: Tree,
    here: Tree,
    policy: Policy,
    renamed: Mapping[str, str] | None = None,
) -> Comparison:
    """Compare the trees of the recorded template, the newest, and the working tree.

    Files of the working tree that are in neither template are the project's own. `renamed` maps paths to the names
    that the project still has, because only the template has renamed the files.
    """
    renamed = renamed or {}
    every = sorted({*base, *upstream})
    paths = [path for path in every if not policy.is_ignored(path)]
    documents = Documents()
    used = met(paths, (base, upstream, here), policy, documents)
    drifts = []
    for path in paths:
        old, new, mine = base.get(path), upstream.get(path), here.get(path)
        mine = without_ignored_keys(path, old, mine, policy, documents)
        new = without_ignored_keys(path, old, new, policy, documents)
        unknown = [file.unknown for file in (old, new, mine) if file and file.unknown]
        standing = State.UNKNOWN if unknown else state(old, new, mine)
        if path in renamed:
            standing = RENAMED.get(standing, standing)
        if standing is State.SAME:
            continue
        local, remote = (change(path, old, file, policy, documents) for file in (mine, new))
        drifts.append(
            Drift(
                path=path,
                state=standing,
                renamed=renamed.get(path),
                yours=policy.is_yours(path),
                here=local,
                upstream=remote,
                collisions=collisions(local, remote) if standing is State.CONFLICT else (),
                reason=unknown[0] if unknown else None,
            )
        )
    return Comparison(
        drifts=tuple(drifts), files=len(paths), unmatched=tuple(policy.unmatched(every, used))
    )


def collisions(here: Change | None, upstream: Change | None) -> tuple[str, ...]:
    """Return the keys that both sides changed to different values."""
    if not here or not upstream or here.keys is None or upstream.keys is None:
        return ()
    theirs = {edit.key: edit.after for edit in upstream.keys}
    return tuple(
        dict.fromkeys(
            edit.key for edit in here.keys if edit.key in theirs and theirs[edit.key] != edit.after
        )
    )

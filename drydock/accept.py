"""Deviations that a team has accepted: green until the file or the template changes again, or a date has passed."""

import datetime
import hashlib
import json
import re
import tomllib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from drydock import formats
from drydock.compare import Comparison
from drydock.errors import DrydockError
from drydock.policy import Acceptance, Policy, is_below
from drydock.tree import File, Tree


def fingerprint(path: str, key: str | None, base: File | None, here: File | None) -> str:
    """Return a hash of a file, or of a key and all below it, as the template and the project have it."""
    parts: list[object] = []
    for file in (base, here):
        if key is None or file is None:
            parts.append(file and [file.data.hex(), file.executable])
        else:
            leaves = formats.parse(path, file.text or "").leaves or ()
            parts.append([leaf[:2] for leaf in leaves if is_below(leaf.key, key)])
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def in_force(
    rules: Policy, base: Tree, upstream: Tree, here: Tree, today: datetime.date
) -> tuple[Policy, dict[str, str], list[str]]:
    """Return the policy with the accepted keys ignored, the accepted files with their reasons, and what ended.

    Each acceptance that ended is one sentence.
    """
    keys, files, ended = [], {}, []
    for acceptance in rules.accepted:
        old, new, mine = (tree.get(acceptance.file) for tree in (base, upstream, here))
        if acceptance.until and today > acceptance.until:
            why = f"only until {acceptance.until}"
        elif fingerprint(acceptance.file, acceptance.key, old, mine) != acceptance.hash:
            why = "the file has changed since"
        elif fingerprint(acceptance.file, acceptance.key, new, mine) != acceptance.hash:
            why = "the template has changed it"
        elif acceptance.key:
            keys.append(f"{acceptance.file}: {acceptance.key}")
            continue
        else:
            files[acceptance.file] = acceptance.reason
            continue
        name = f"{acceptance.file}: {acceptance.key or ''}".rstrip()
        ended.append(f"{name} was accepted ({acceptance.reason}), but no longer is: {why}.")
    return replace(rules, ignore_keys=(*rules.ignore_keys, *keys)), files, ended


def marked(comparison: Comparison, files: dict[str, str]) -> Comparison:
    """Return a comparison in which accepted files carry their reasons."""
    drifts = (replace(drift, accepted=files.get(drift.path)) for drift in comparison.drifts)
    return replace(comparison, drifts=tuple(drifts))


def place(project: Path) -> tuple[Path, str]:
    """Return a project's policy file, and the name of its table of acceptances."""
    own, shared = project / ".drydock.toml", project / "pyproject.toml"
    if not own.exists() and shared.exists():
        try:
            if "drydock" in tomllib.loads(shared.read_text(encoding="utf-8")).get("tool", {}):
                return shared, "tool.drydock.accepted"
        except (ValueError, AttributeError):
            pass
    return own, "accepted"


def write(project: Path, new: Iterable[Acceptance]) -> Path:
    """Write acceptances into a project's policy, replacing older ones of the same things; return its file."""
    path, table = place(project)
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    for acceptance in new:
        text = without(text, table, acceptance).rstrip("\n")
        lines = [f"[[{table}]]", f"file = {quoted(acceptance.file)}"]
        lines += [f"key = {quoted(acceptance.key)}"] if acceptance.key else []
        lines += [f"reason = {quoted(acceptance.reason)}"]
        lines += [f"until = {acceptance.until}"] if acceptance.until else []
        lines += [f'hash = "{acceptance.hash}"']
        text = "\n".join([*([text, ""] if text else []), *lines]) + "\n"
    tomllib.loads(text)
    partial = path.with_name(f"{path.name}.new")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def quoted(text: str) -> str:
    """Return a text as TOML; a JSON string is also a TOML string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def without(text: str, table: str, acceptance: Acceptance) -> str:
    """Return TOML without the entry of the same file and key."""
    blocks = re.split(r"(?m)^(?=\[)", text)
    return "".join(
        block for block in blocks
        if not (block.startswith(f"[[{table}]]") and named(block, table) == (acceptance.file, acceptance.key))
    )  # fmt: skip


def named(block: str, table: str) -> tuple[object, object]:
    """Return file and key of an entry."""
    try:
        value: object = tomllib.loads(block)
    except ValueError:
        return None, None
    for part in table.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    entry = value[0] if isinstance(value, list) and value else {}
    return entry.get("file"), entry.get("key")


def made(
    path: str, key: str | None, reason: str, until: datetime.date | None, base: Tree, here: Tree
) -> Acceptance:
    """Return the acceptance of a file, or of a key in it; DrydockError if nothing differs."""
    old, mine = base.get(path), here.get(path)
    if old is None and mine is None:
        raise DrydockError(f"{path}: the template has no such file.")
    if key is not None:
        document = formats.parse(path, (mine or File(data=b"")).text or "")
        other = formats.parse(path, (old or File(data=b"")).text or "")
        if not any(
            is_below(leaf.key, key) for side in (document, other) for leaf in side.leaves or ()
        ):
            raise DrydockError(
                f"{path}: has no key {key}. `drydock check` lists the keys that differ."
            )
    same = fingerprint(path, key, old, old) == fingerprint(path, key, mine, mine)
    if same:
        raise DrydockError(
            f"{path}: {key or ''}".rstrip()
            + " is the same as in the template. There is nothing to accept."
        )
    return Acceptance(
        file=path, key=key, reason=reason, until=until, hash=fingerprint(path, key, old, mine)
    )

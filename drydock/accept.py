"""Deviations that a team has accepted: green until the file or the template changes again, or a date has passed."""

import datetime
import hashlib
import json
import re
import shutil
import tomllib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from drydock import formats
from drydock.compare import Comparison
from drydock.errors import DrydockError
from drydock.formats import Leaf
from drydock.policy import (
    FILE,
    SHARED,
    TABLE,
    Acceptance,
    Policy,
    is_below,
    is_of_policy,
    literal_key,
)
from drydock.replacing import replacing
from drydock.tree import File, Tree, crlf, in_crlf, unix

# The start of one of the policy's tables.
POLICY = re.compile(rb"\[\[?\s*tool\s*\.\s*drydock\s*[\].]")


def fingerprint(path: str, key: str | None, base: File | None, here: File | None) -> str:
    """Return a hash of a file, or of a key and all below it, as the template and the project have it."""
    parts: list[object] = []
    for file in (base, here):
        if key is None or file is None:
            parts.append(file and [without_policy(path, file.data).hex(), file.executable])
        else:
            parts.append([leaf[:2] for leaf in leaves_below(path, key, file)])
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def leaves_below(path: str, key: str, file: File | None) -> list[Leaf]:
    """Return a key of a file and what is below it, without the policy."""
    leaves = formats.parse(path, (file and file.text) or "").leaves or ()
    return [leaf for leaf in leaves if is_below(leaf.key, key) and not is_of_policy(path, leaf.key)]


def without_policy(path: str, data: bytes) -> bytes:
    """Return a file's contents without the tables of the policy: what is accepted must not change what it is of."""
    if path == FILE:
        return b""
    if path != SHARED:
        return data
    blocks = re.split(rb"(?m)^(?=\[)", data)
    rest = [block for block in blocks if not POLICY.match(block)]
    return data if rest == blocks else b"".join(rest).rstrip() + b"\n"


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
            keys.append(literal_key(acceptance.file, acceptance.key))
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
    own, shared = project / FILE, project / SHARED
    if not own.exists() and shared.exists():
        try:
            if "drydock" in tomllib.loads(shared.read_text(encoding="utf-8")).get("tool", {}):
                return shared, f"{TABLE}.accepted"
        except (ValueError, AttributeError):
            pass
    return own, "accepted"


def write(project: Path, new: Iterable[Acceptance]) -> Path:
    """Write acceptances into a project's policy, replacing older ones of the same things; return its file.

    DrydockError if they cannot be written there.
    """
    path, table = place(project)
    data = path.read_bytes() if path.exists() else b""
    text = (unix(data) if crlf(data) else data).decode()
    for acceptance in new:
        text = with_entry(text, table, acceptance)
    try:
        tomllib.loads(text)
        written = text.encode()
    except UnicodeEncodeError:
        raise DrydockError(
            f"{path}: TOML can only have UTF-8, which a name or the reason is not. Rename the file, or take its "
            "folder into `ignore`."
        ) from None
    except ValueError as error:
        raise DrydockError(
            f"{path}: cannot take another entry ({error}). Give each accepted deviation a table of its own, "
            f"[[{table}]]."
        ) from None
    with replacing(path) as partial:
        partial.write_bytes(in_crlf(written) if crlf(data) else written)
        if path.exists():
            shutil.copymode(path, partial)
    return path


def with_entry(text: str, table: str, acceptance: Acceptance) -> str:
    """Return TOML with an acceptance, in place of an older one of the same file and key, or at the end."""
    lines = [f"file = {quoted(acceptance.file)}"]
    lines += [f"key = {quoted(acceptance.key)}"] if acceptance.key else []
    lines += [f"reason = {quoted(acceptance.reason)}"]
    lines += [f"until = {acceptance.until}"] if acceptance.until else []
    lines += [f'hash = "{acceptance.hash}"']
    entry = "".join(f"{line}\n" for line in lines)
    blocks = re.split(r"(?m)^(?=\[)", text)
    for number, block in enumerate(blocks):
        if block.startswith(f"[[{table}]]") and named(block, table) == (
            acceptance.file,
            acceptance.key,
        ):
            head, inside, rest = parts_of(block)
            blocks[number] = f"{head}{inside}{entry}{rest}"
            return "".join(blocks)
    before = text.rstrip("\n")
    return f"{before}\n\n[[{table}]]\n{entry}" if before else f"[[{table}]]\n{entry}"


def parts_of(block: str) -> tuple[str, str, str]:
    """Return the header of a table, and what is not its entry's but somebody's own: comments in it, and after it."""
    head, *lines = re.findall(r"[^\n]*\n|[^\n]+", block)
    own = [number for number, line in enumerate(lines) if line.strip() and line.lstrip()[0] != "#"]
    end = own[-1] + 1
    # Between three quotes, a line that looks like a comment is none.
    is_plain = not re.search("\"{3}|'{3}", block)
    inside = [line for line in lines[:end] if is_plain and line.lstrip().startswith("#")]
    return head, "".join(inside), "".join(lines[end:])


def quoted(text: str) -> str:
    """Return a text as TOML; a JSON string is also a TOML string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


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
    if key is not None and not (leaves_below(path, key, mine) or leaves_below(path, key, old)):
        raise DrydockError(f"{path}: has no key {key}. `drydock check` lists the keys that differ.")
    same = fingerprint(path, key, old, old) == fingerprint(path, key, mine, mine)
    if same:
        raise DrydockError(
            f"{path}: {key or ''}".rstrip()
            + " is the same as in the template. There is nothing to accept."
        )
    return Acceptance(
        file=path, key=key, reason=reason, until=until, hash=fingerprint(path, key, old, mine)
    )

"""pip requirements: options in order, packages in any order."""

import hashlib
import re

from drydock.formats.document import Document, Format, Leaf, squeezed

HASHES = " --hash"


def parse(_path: str, text: str) -> Document:
    """Return the requirements: the version and marker of each, and its hashes as one value."""
    options: list[Leaf] = []
    packages: list[Leaf] = []
    for line in re.sub(r"\\\r?\n", " ", text).split("\n"):
        line = re.sub(r"(^|\s)#.*", "", line).strip()
        if not line:
            continue
        if match := re.match(r"(-[\w-]+)[\s=]*(.*)", line):
            options.append(Leaf(match[1], match[2]))
            continue
        words, *hashes = re.split(r"\s--hash[= ]", line)
        match = re.match(r"([A-Za-z0-9][\w.-]*)(\[[^\]]*\])?(?=\s*($|[=<>!~;@(]|--))(.*)", words)
        if not match:
            packages.append(Leaf("requirement", line))
            continue
        extras = ",".join(sorted(one.strip() for one in (match[2] or "")[1:-1].split(",")))
        name = re.sub(r"[-_.]+", "-", match[1]).lower() + (f"[{extras}]" if extras else "")
        packages.append(
            Leaf(name, re.sub(r"\s*(===?|<=?|>=?|~=|!=)\s*", r"\1", squeezed(match[4])))
        )
        if hashes:
            packages.append(Leaf(name + HASHES, f"{len(hashes)} hashes, {hash_of(hashes)}"))
    meaning = [(leaf.key, leaf.value) for leaf in options]
    meaning += sorted((leaf.key, leaf.value) for leaf in packages)
    return Document(leaves=(*options, *packages), meaning=tuple(meaning))


def hash_of(values: list[str]) -> str:
    """Return a short name of some hashes, whatever their order."""
    words = " ".join(sorted(value.strip() for value in values))
    return hashlib.sha256(words.encode()).hexdigest()[:8]


FORMAT = Format(
    names=("requirements*.txt", "constraints*.txt", "requirements/*.txt"),
    parse=parse,
    certain=False,
)

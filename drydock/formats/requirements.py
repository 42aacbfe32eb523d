"""pip requirements: options in order, packages in any order."""

import hashlib
import re
from collections.abc import Iterator

from drydock.formats.document import Document, Leaf, squeezed

HASHES = " --hash"


def parse(_path: str, text: str) -> Document:
    """Return the requirements: the version and marker of each, and its hashes as one value."""
    options: list[Leaf] = []
    packages: list[Leaf] = []
    # A comment ends with its line, whatever its last character is.
    text = re.sub(r"(?m)^[ \t]*#.*$", "", text)
    for line in re.sub(r"\\\r?\n", " ", text).split("\n"):
        line = re.sub(r"(^|\s)#.*", "", line).strip()
        if not line:
            continue
        if match := re.match(r"(-[\w-]+)[\s=]*(.*)", line):
            options.append(Leaf(match[1], match[2]))
            continue
        packages += package(line)
    meaning = [(leaf.key, leaf.value) for leaf in options]
    meaning += sorted((leaf.key, leaf.value) for leaf in packages)
    return Document(leaves=(*options, *packages), meaning=tuple(meaning))


def package(line: str) -> Iterator[Leaf]:
    """Yield a requirement and its hashes; as it is written if it has no name, as a path has none."""
    text, *options = re.split(r"\s+(?=--?[a-z])", line)
    requirement = read(text)
    if requirement is None:
        yield Leaf("requirement", line)
        return
    name, value = requirement
    hashes = [option for option in options if option.startswith(HASHES.strip())]
    others = [squeezed(option) for option in options if option not in hashes]
    yield Leaf(name, " ".join([value, *others]).strip())
    if hashes:
        yield Leaf(name + HASHES, f"{len(hashes)} hashes, {hash_of(hashes)}")


def read(text: str) -> tuple[str, str] | None:
    """Return a requirement's name with its extras, and what it requires of it; None if it has no name."""
    from packaging.requirements import Requirement  # Slow to import.
    from packaging.utils import canonicalize_name

    try:
        requirement = Requirement(text)
    except (ValueError, RecursionError):
        # The version may be a variable, which pip replaces.
        match = re.fullmatch(r"([A-Za-z0-9][\w.-]*)\s*([=<>!~].*)", text)
        return (canonicalize_name(match[1]), squeezed(match[2])) if match else None
    extras = ",".join(sorted(map(canonicalize_name, requirement.extras)))
    name = canonicalize_name(requirement.name) + (f"[{extras}]" if extras else "")
    value = f"@ {requirement.url}" if requirement.url else str(requirement.specifier)
    return name, f"{value}; {requirement.marker}" if requirement.marker else value


def hash_of(options: list[str]) -> str:
    """Return a short name of some --hash options, whatever their order."""
    hashes = sorted(re.sub(r"^--hash[= ]\s*", "", option).strip() for option in options)
    return hashlib.sha256(" ".join(hashes).encode()).hexdigest()[:8]

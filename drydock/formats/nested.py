"""Documents of mappings, lists and scalars: JSON, TOML, YAML and INI."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from drydock.formats.document import DEPTH, LIMIT, Document, Leaf, Uncertain

# Keys that tell the items of a list apart: the first that all of them have.
IDENTITIES = ("name", "id", "key", "repo", "uses", "image", "source", "package-ecosystem")
# Strings that would be read as something else without quotes.
OTHERWISE = re.compile(
    r"[-+]?\.?\d[\w.:+\- ]*|(?i:[-+]?\.?(?:inf|nan)|true|false|null|yes|no|on|off|y|n|~|<<|=|)|\{\}|\[\]|[\"!].*",
    re.DOTALL,
)


@dataclass(frozen=True)
class Pairs:
    """A mapping that keeps keys that occur twice."""

    pairs: list[tuple[str, Any]]
    # Whether the order of the keys means something.
    ordered: bool = False


@dataclass(frozen=True)
class Bare:
    """A scalar that is not a string, as written; also a string that cannot be mistaken for another value."""

    text: str


@dataclass(frozen=True)
class Alias:
    """A value that is written elsewhere, at another path."""

    value: Any
    origin: str


def document(roots: list[tuple[str, Any]]) -> Document:
    """Return the document of values, each with its path.

    Uncertain if there are more values than a settings file has.
    """
    leaves = bounded(flattened(value, path) for path, value in roots)
    meaning = bounded(flattened(value, path, sort=True) for path, value in roots)
    return Document(leaves=tuple(leaves), meaning=tuple((leaf.key, leaf.value) for leaf in meaning))


def bounded(parts: Iterator[Iterator[Leaf]]) -> list[Leaf]:
    """Return all leaves, unless they are too many."""
    leaves = []
    for part in parts:
        for leaf in part:
            leaves.append(leaf)
            if len(leaves) > LIMIT:
                raise Uncertain(f"has more than {LIMIT} keys")
    return leaves


def flattened(
    value: Any,  # noqa: ANN401 -- any JSON
    path: str = "",
    origin: str = "",
    *,
    sort: bool = False,
    depth: int = 0,
) -> Iterator[Leaf]:
    """Yield the leaves of nested values; `sort` is for mappings whose order means nothing."""
    if depth > DEPTH:
        raise Uncertain(f"is nested more than {DEPTH} deep")
    deeper: Callable[..., Iterator[Leaf]] = lambda item, below, source: flattened(  # noqa: E731
        item, below, source, sort=sort, depth=depth + 1
    )
    match value:
        case Alias():
            yield from deeper(value.value, path, value.origin)
        case Pairs() if value.pairs:
            pairs = value.pairs
            if sort and not value.ordered and len({key for key, _ in pairs}) == len(pairs):
                pairs = sorted(pairs, key=lambda pair: pair[0])
            for key, item in pairs:
                yield from deeper(item, joined(path, key), joined(origin, key) if origin else "")
        case [_, *_]:
            names = identities(value)
            for index, item in enumerate(value):
                inner = item.value if isinstance(item, Alias) else item
                if isinstance(inner, Pairs | list):
                    place = f"[{json.dumps(names[index], ensure_ascii=False) if bracketed(names[index]) else names[index]}]" if names else f"[{index}]"  # fmt: skip
                    yield from deeper(item, path + place, origin + place if origin else "")
                else:
                    yield Leaf(f"{path}[]", shown(inner), f"{origin}[]" if origin else "")
        case _:
            yield Leaf(path, shown(value), origin)


def bracketed(name: str) -> bool:
    """Tell whether a name could be mistaken for an index, or for the end of one."""
    return bool(re.search(r"[\[\]\"]", name)) or name.isdigit()


def joined(path: str, key: str) -> str:
    """Return the path of a key below another; one with a dot or a space is quoted."""
    plain = key and (not re.search(r"[.\s\[\]\"]", key) or re.fullmatch(r'"[^.\s\[\]"\\]*"', key))
    name = key if plain else json.dumps(key, ensure_ascii=False)
    return f"{path}.{name}" if path else name


def identities(items: list[Any]) -> list[str] | None:
    """Return what tells the items of a list apart, if anything does."""
    for name in IDENTITIES:
        values = [
            next((value for key, value in item.pairs if key == name), None)
            if isinstance(item := entry.value if isinstance(entry, Alias) else entry, Pairs)
            else None
            for entry in items
        ]
        texts = [value for value in values if isinstance(value, str)]
        if len(texts) == len(items) == len({*texts}):
            return texts
    return None


def shown(value: Any) -> str:  # noqa: ANN401
    """Return a scalar, or something empty, as text; different ones never look the same."""
    match value:
        case Alias():
            return shown(value.value)
        case Pairs():
            return "{}"
        case []:
            return "[]"
        case Bare():
            return value.text
        case str() if OTHERWISE.fullmatch(value):
            return json.dumps(value, ensure_ascii=False)
        case str():
            return value
        case None | bool():
            return json.dumps(value)
        case _:
            return str(value)

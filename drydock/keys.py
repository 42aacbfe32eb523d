"""Differences of structured files by key path, not by line.

A parser turns a text into leaves: (key path, value) pairs in which a key may occur several times, as
uWSGI's INI and nginx repeat theirs. Two texts are compared as multisets of leaves, so that order,
comments and form do not count.
"""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import yaml

from drydock.secrets import is_secret, masked

Leaf = tuple[str, str]
# More than any file of settings has; a bound for hostile ones.
LIMIT = 100_000
DEPTH = 100
HASHES = " --hash"
# What tells the items of a list apart, the first that all of them have.
IDENTITIES = ("name", "id", "key", "repo", "uses", "image", "source", "package-ecosystem")


@dataclass(frozen=True, kw_only=True)
class KeyChange:
    """A key whose value differs: None before is a new one, None after one that is gone.

    `secret` says that the values looked secret, and are *** here.
    """

    key: str
    before: str | None
    after: str | None
    secret: bool = False


def changes(path: str, before: str, after: str) -> list[KeyChange] | None:
    """Return the keys that differ between two versions of the file at a path.

    [] where only order, comments or form differ; None where the format is not known, or one of the
    two cannot be parsed.
    """
    try:
        old, new = leaves(path, before), leaves(path, after)
    except ValueError:
        return None
    if old is None or new is None:
        return None
    left, right = grouped(old), grouped(new)
    found = []
    for key in dict.fromkeys([*left, *right]):
        ours, theirs = left.get(key, Counter()), right.get(key, Counter())
        gone, come = list((ours - theirs).elements()), list((theirs - ours).elements())
        # One for the other; the items of a list, and keys that repeat, come and go.
        if len(gone) == len(come) == 1 and not key.endswith("[]"):
            found.append(change(key, gone[0], come[0]))
        else:
            found += [change(key, value, None) for value in gone]
            found += [change(key, None, value) for value in come]
    # The hashes of a requirement that is another anyway say nothing more.
    names = {one.key for one in found}
    return [one for one in found if one.key.removesuffix(HASHES) not in names - {one.key}]


def collapsed(path: str, found: Iterable[KeyChange], before: str, after: str) -> list[KeyChange]:
    """Return changes in which a part that is wholly new, or wholly gone, is one: with its size."""
    sides = [
        {part for key, _ in leaves(path, text) or [] for part in parts(key)}
        for text in (before, after)
    ]
    result: dict[tuple[str, bool], list[KeyChange]] = {}
    for index, one in enumerate(found):
        other = sides[1] if one.after is None else sides[0]
        lonely = one.before is None or one.after is None
        top = next((part for part in parts(one.key) if part not in other), "") if lonely else ""
        result.setdefault((top or f"{one.key}\0{index}", one.after is None), []).append(one)
    return [
        group[0] if len(group) == 1 else whole(top, group) for (top, _), group in result.items()
    ]


def whole(key: str, group: list[KeyChange]) -> KeyChange:
    """Return one change for a part of several keys that is new, or gone."""
    size = f"({len(group)} keys)"
    gone = group[0].after is None
    return KeyChange(key=key, before=size if gone else None, after=None if gone else size)


def parts(key: str) -> list[str]:
    """Return the paths above a key, from the top, and the key itself."""
    ends = [
        match.end() for match in re.finditer(r'\.?(?:"(?:\\.|[^"\\])*"|[^.\["]+)|\[[^\]]*\]', key)
    ]
    return [key[:end] for end in ends] or [key]


def grouped(pairs: Iterable[Leaf]) -> dict[str, Counter[str]]:
    """Return the values of each key, in the order of the keys."""
    found: dict[str, Counter[str]] = {}
    for key, value in pairs:
        found.setdefault(key, Counter())[value] += 1
    return found


def change(key: str, before: str | None, after: str | None) -> KeyChange:
    """Return a change, without the values if one of them looks secret."""
    values = [value for value in (before, after) if value is not None]
    if any(is_secret(key, value) for value in values):
        hidden = [None if value is None else "***" for value in (before, after)]
        return KeyChange(key=key, before=hidden[0], after=hidden[1], secret=True)
    shown = [None if value is None else masked(value) for value in (before, after)]
    return KeyChange(key=key, before=shown[0], after=shown[1], secret=shown != [before, after])


def leaves(path: str, text: str) -> list[Leaf] | None:
    """Return key path and value of each leaf of a file, in order; None for an unknown format.

    ValueError where the text is not of the format that the file's name says.
    """
    name = path.rpartition("/")[2]
    parse = next((one for pattern, one in PARSERS if fnmatchcase(name, pattern)), None)
    if parse is None:
        return None
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    found = []
    try:
        for leaf in parse(plain):
            found.append(leaf)
            if len(found) > LIMIT:
                raise ValueError(f"{path}: has more than {LIMIT} keys")
    except RecursionError:
        raise ValueError(f"{path}: is nested too deeply") from None
    return found


def joined(path: str, key: str) -> str:
    """Return the path of a key below another; one with a dot or a blank stands in quotes."""
    shown = (
        json.dumps(key, ensure_ascii=False) if re.search(r"[.\s\[\]\"]", key) or not key else key
    )
    return f"{path}.{shown}" if path else shown


def flattened(value: Any, path: str = "") -> Iterator[Leaf]:  # noqa: ANN401 -- any JSON
    """Yield the leaves of nested mappings (as lists of pairs), lists and scalars."""
    match value:
        case Pairs() if value.pairs:
            for key, item in value.pairs:
                yield from flattened(item, joined(path, key))
        case [_, *_]:
            names = identities(value)
            for index, item in enumerate(value):
                if isinstance(item, Pairs | list):
                    yield from flattened(item, f"{path}[{names[index] if names else index}]")
                else:
                    yield f"{path}[]", shown(item)
        case _:
            yield path, shown(value)


@dataclass(frozen=True)
class Pairs:
    """A mapping that keeps keys that occur twice."""

    pairs: list[tuple[str, Any]]


def identities(items: list[Any]) -> list[str] | None:
    """Return what tells the items of a list apart, if they have something that does."""
    for name in IDENTITIES:
        values = [dict(item.pairs).get(name) if isinstance(item, Pairs) else None for item in items]
        texts = [value for value in values if isinstance(value, str)]
        if len(texts) == len(items) == len({*texts}):
            return texts
    return None


def shown(value: Any) -> str:  # noqa: ANN401
    """Return a scalar, or something empty, as text."""
    match value:
        case Pairs():
            return "{}"
        case []:
            return "[]"
        case str():
            return value
        case None | bool():
            return json.dumps(value)
        case _:
            return str(value)


def quoted(value: Any) -> Any:  # noqa: ANN401
    """Return JSON or TOML values with mappings as pairs, and texts that look like others in quotes."""
    match value:
        case dict():
            return Pairs([(str(key), quoted(item)) for key, item in value.items()])
        case Pairs():
            return Pairs([(key, quoted(item)) for key, item in value.pairs])
        case list():
            return [quoted(item) for item in value]
        case str() if looks_otherwise(value):
            return json.dumps(value, ensure_ascii=False)
        case _:
            return value


def looks_otherwise(text: str) -> bool:
    """Tell whether a text would be read as something else without its quotes."""
    return bool(
        re.fullmatch(r"(?i)[-+]?[\d.][\d._]*(e[-+]?\d+)?|true|false|null|yes|no|on|off|~|", text)
    )


def parse_json(text: str) -> Iterator[Leaf]:
    """Yield the leaves of JSON; keys that occur twice are both there."""
    return flattened(quoted(json.loads(text, object_pairs_hook=Pairs)))


def parse_toml(text: str) -> Iterator[Leaf]:
    """Yield the leaves of TOML."""
    return flattened(quoted(tomllib.loads(text)))


def parse_yaml(text: str) -> Iterator[Leaf]:
    """Yield the leaves of YAML: scalars as they are written, tags such as Compose's !reset before them.

    Aliases count as what they stand for, and merges as the keys that they bring.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    budget = [LIMIT]

    def value(node: yaml.Node) -> Any:  # noqa: ANN401
        budget[0] -= 1
        if budget[0] < 0:
            raise ValueError(f"has more than {LIMIT} values")
        tag = node.tag if node.tag.startswith("!") and node.tag != "!" else ""
        if isinstance(node, yaml.ScalarNode):
            plain = node.style not in ("'", '"') or not looks_otherwise(node.value)
            words = node.value if plain else json.dumps(node.value, ensure_ascii=False)
            words = words if words or not plain or tag else "null"
            return f"{tag} {words}".strip() if tag else words
        if isinstance(node, yaml.SequenceNode):
            items = [value(item) for item in node.value]
            return Pairs([(tag, items)]) if tag else items
        own: list[tuple[str, Any]] = []
        merged: dict[str, Any] = {}
        for key, item in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                sources = item.value if isinstance(item, yaml.SequenceNode) else [item]
                for source in map(value, sources):
                    for name, one in source.pairs if isinstance(source, Pairs) else ():
                        merged.setdefault(name, one)
            else:
                words = key.value if isinstance(key, yaml.ScalarNode) else str(value(key))
                own.append((words, value(item)))
        # A key of its own comes before one of the same name that was merged.
        names = {name for name, _ in own}
        pairs = Pairs([*(pair for pair in merged.items() if pair[0] not in names), *own])
        return Pairs([(tag, pairs)]) if tag else pairs

    try:
        # libyaml makes nodes by recursion in C, where too deep a nesting ends the process.
        depth = 0
        for event in yaml.parse(text, loader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > DEPTH:
                raise ValueError(f"is nested more than {DEPTH} deep")
        documents = [value(node) for node in yaml.compose_all(text, loader)]
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
    for index, document in enumerate(documents):
        yield from flattened(document, f"document {index + 1}" if index else "")


def parse_ini(text: str) -> Iterator[Leaf]:
    """Yield the leaves of INI; keys may repeat, and go on in lines that begin with a blank."""
    section, key, value = "", "", None
    for line in [*text.split("\n"), "["]:
        stripped = line.strip()
        if stripped.startswith(("#", ";")):
            continue
        if value is not None and stripped and line[0] in " \t":
            value = f"{value} {stripped}".strip()
            continue
        if value is not None:
            yield joined(section, key), value
            value = None
        if not stripped:
            continue
        if match := re.fullmatch(r"\[(.*)\]", stripped):
            section = match[1]
        elif stripped != "[":
            key, equals, rest = re.match(r"([^=:]*)([=:]?)(.*)", stripped).groups()  # type: ignore[union-attr]
            key, value = key.strip(), rest.strip() if equals else "true"


def parse_nginx(text: str) -> Iterator[Leaf]:
    """Yield the directives of nginx; their path is the chain of the blocks around them."""
    words: list[str] = []
    blocks: list[str] = []
    for match in re.finditer(
        r"#[^\n]*|([;{}])|(\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|(?:\$\{\w+\}|\\.|[^\s;{}])+)",
        text,
    ):
        mark, word = match.groups()
        if word:
            words.append(word)
        elif mark == ";" and words:
            yield ".".join([*blocks, words[0]]), " ".join(words[1:])
            words = []
        elif mark == "{" and words:
            blocks.append(" ".join(words))
            words = []
        elif mark == "}" and blocks and not words:
            blocks.pop()
        elif mark:
            raise ValueError(f"{mark} stands where nginx allows none")
    if words or blocks:
        raise ValueError("ends within a directive")


def parse_dockerfile(text: str) -> Iterator[Leaf]:
    """Yield the instructions of a Dockerfile, below the name of their stage."""
    stage, number = "", 0
    text = re.sub(r"(?m)^[ \t]*#.*\n?", "", text)
    for line in re.sub(r"\\[ \t]*\n", " ", text).split("\n"):
        word, _, rest = line.strip().partition(" ")
        rest = " ".join(rest.split())
        instruction = word.upper()
        if not word:
            continue
        if instruction == "FROM":
            name = re.search(r"(?i) as (\S+)$", rest)
            stage, number = name[1] if name else str(number), number + 1
            yield f"{stage}.FROM", rest
        elif instruction in ("ENV", "ARG", "LABEL") and "=" in rest:
            for variable, value in re.findall(r"([\w.-]+)=((?:\"(?:\\.|[^\"\\])*\"|\S)*)", rest):
                yield joined(f"{stage}.{instruction}".lstrip("."), variable), value
        else:
            yield f"{stage}.{instruction}".lstrip("."), rest


def parse_env(text: str) -> Iterator[Leaf]:
    """Yield the variables of a file such as .env.example."""
    for line in text.split("\n"):
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            yield name.strip(), value.strip()


def parse_requirements(text: str) -> Iterator[Leaf]:
    """Yield the requirements: the version and marker of each, and its hashes as one value."""
    for line in re.sub(r"\\\n", " ", text).split("\n"):
        line = re.sub(r"(^|\s)#.*", "", line).strip()
        if not line:
            continue
        if match := re.match(r"(-[\w-]+)[\s=]*(.*)", line):
            yield match[1], match[2]
            continue
        words, *hashes = line.split("--hash=")
        match = re.match(r"([A-Za-z0-9][\w.-]*)(\[[^\]]*\])?(.*)", words)
        if not match:
            yield "requirement", line
            continue
        name = re.sub(r"[-_.]+", "-", match[1]).lower() + (match[2] or "")
        yield name, match[3].strip()
        if hashes:
            yield f"{name}{HASHES}", f"{len(hashes)} hashes, {hash_of(hashes)}"


def hash_of(values: list[str]) -> str:
    """Return a short name of some hashes, whatever their order."""
    import hashlib

    return hashlib.sha256(" ".join(sorted(value.strip() for value in values)).encode()).hexdigest()[
        :8
    ]


def parse_lines(text: str) -> Iterator[Leaf]:
    """Yield the lines of a list of patterns."""
    for line in text.split("\n"):
        if line.strip() and not line.startswith("#"):
            yield line.strip(), ""


Parser = Callable[[str], Iterator[Leaf]]
# The first pattern that a file's name matches says its format.
PARSERS: list[tuple[str, Parser]] = [
    *((pattern, parse_yaml) for pattern in ("*.yml", "*.yaml")),
    *((pattern, parse_toml) for pattern in ("*.toml", "Pipfile")),
    *((pattern, parse_json) for pattern in ("*.json",)),
    *((pattern, parse_ini) for pattern in ("*.ini", "*.cfg", "*.cnf", ".flake8", ".editorconfig", ".coveragerc")),
    *((pattern, parse_nginx) for pattern in ("*.conf", "*.conf.template")),
    *((pattern, parse_dockerfile) for pattern in ("Dockerfile", "Dockerfile.*", "*.dockerfile")),
    *((pattern, parse_env) for pattern in (".env", ".env.*", "*.env")),
    *((pattern, parse_requirements) for pattern in ("requirements*.txt", "constraints*.txt")),
    *((pattern, parse_lines) for pattern in (".gitignore", ".dockerignore", ".gitattributes")),
]  # fmt: skip

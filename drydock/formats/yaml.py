"""YAML, of both versions: what one of them reads as something else than a text is kept apart from texts."""

import json
import re
from typing import Any

import yaml

from drydock.formats.document import DEPTH, LIMIT, Document, Format, Uncertain, unix
from drydock.formats.nested import OTHERWISE, Alias, Bare, Pairs, document, joined

STANDARD = "tag:yaml.org,2002:"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# A template of Helm, Jinja or ERB; and a tab, which some programs take for a blank.
TEMPLATED = re.compile(r"\{\{|\{%|<%|(?m:^ *\t)")


def parse(_path: str, text: str) -> Document:
    """Return the document of YAML: scalars as they are written, tags such as Compose's !reset before them.

    Aliases count as what they stand for, and merges as the keys that they bring.
    """
    text = unix(text)
    try:
        # libyaml makes nodes by recursion in C, where too deep a nesting ends the process.
        depth = 0
        for event in yaml.parse(text, LOADER):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > DEPTH:
                raise Uncertain(f"is nested more than {DEPTH} deep")
        nodes = list(yaml.compose_all(text, LOADER))
    except yaml.YAMLError as error:
        if TEMPLATED.search(text):
            raise Uncertain(str(error)) from None
        raise ValueError(str(error)) from None
    budget = [LIMIT]
    roots = []
    for index, node in enumerate(nodes):
        path = f"document {index + 1}" if index else ""
        roots.append((path, Reader(text, budget).value(node, path)))
    return document(roots)


class Reader:
    """Turns the nodes of one document into values."""

    def __init__(self, text: str, budget: list[int]) -> None:
        self.text = text
        self.budget = budget
        # The path at which a node was first met, and those that are being read.
        self.places: dict[int, str] = {}
        self.open: set[int] = set()

    def value(self, node: yaml.Node, path: str) -> Any:  # noqa: ANN401
        """Return the value of a node at a path; an alias where it was met before."""
        self.budget[0] -= 1
        if self.budget[0] < 0:
            raise Uncertain(f"has more than {LIMIT} values")
        if id(node) in self.open:
            raise Uncertain("holds itself")
        if id(node) in self.places:
            return Alias(self.read(node, path), self.places[id(node)])
        self.places[id(node)] = path
        return self.read(node, path)

    def read(self, node: yaml.Node, path: str) -> Any:  # noqa: ANN401
        self.open.add(id(node))
        try:
            if isinstance(node, yaml.ScalarNode):
                return self.scalar(node)
            tag = own_tag(node)
            below = joined(path, tag) if tag else path
            inner: Any
            if isinstance(node, yaml.SequenceNode):
                items = [(f"[{index}]", item) for index, item in enumerate(node.value)]
                inner = [
                    self.value(item, below + ("[]" if isinstance(item, yaml.ScalarNode) else place))
                    for place, item in items
                ]
            else:
                inner = self.mapping(node, below)
            return Pairs([(tag, inner)]) if tag else inner
        finally:
            self.open.discard(id(node))

    def mapping(self, node: yaml.Node, path: str) -> Pairs:
        """Return the pairs of a mapping: its own keys, and below those the merged ones."""
        own: list[tuple[str, Any]] = []
        merged: dict[str, Any] = {}
        for key, item in node.value:
            if key.tag == f"{STANDARD}merge":
                for source in item.value if isinstance(item, yaml.SequenceNode) else [item]:
                    value = self.value(source, joined(path, "<<"))
                    origin = value.origin if isinstance(value, Alias) else ""
                    plain = value.value if isinstance(value, Alias) else value
                    for name, one in plain.pairs if isinstance(plain, Pairs) else ():
                        merged.setdefault(name, Alias(one, joined(origin, name)) if origin else one)
            else:
                name = self.name(key)
                own.append((name, self.value(item, joined(path, name))))
        # A key of its own comes before one of the same name that was merged.
        names = {name for name, _ in own}
        return Pairs([*(pair for pair in merged.items() if pair[0] not in names), *own])

    def scalar(self, node: yaml.ScalarNode) -> str | Bare:
        """Return a scalar, of whose tag the text says whether it was written."""
        written = self.text[node.start_mark.index : node.end_mark.index]
        return scalar(node, tagged=bool(re.match(r"(&\S+\s+)?!", written)))

    def name(self, node: yaml.Node) -> str:
        """Return a key: a text that looks like a number stands in quotes."""
        if not isinstance(node, yaml.ScalarNode):
            return repr(self.value(node, ""))
        value = self.scalar(node)
        if isinstance(value, Bare):
            return value.text
        return json.dumps(value, ensure_ascii=False) if OTHERWISE.fullmatch(value) else str(value)


def own_tag(node: yaml.Node) -> str:
    """Return the tag of a list or a mapping, unless it is the one that they all have."""
    usual = "seq" if isinstance(node, yaml.SequenceNode) else "map"
    return "" if node.tag in (f"{STANDARD}{usual}", "!") else node.tag.replace(STANDARD, "!!")


def scalar(node: yaml.ScalarNode, *, tagged: bool) -> str | Bare:
    """Return a scalar: a text, or something else as it is written; one with a tag of its own, with that."""
    plain = not node.style
    kind = node.tag.removeprefix(STANDARD)
    if kind == "null" and plain and not tagged:
        return Bare("null")
    if kind in ("str", "!"):
        # The later version of YAML reads 0o14 and 1e3 as numbers, the earlier one as texts.
        number = plain and not tagged and OTHERWISE.fullmatch(node.value)
        return Bare(node.value) if number else str(node.value)
    if plain and not tagged:
        return Bare(node.value)
    text = node.value if plain else json.dumps(node.value, ensure_ascii=False)
    return Bare(f"{node.tag.replace(STANDARD, '!!')} {text}".strip())


FORMAT = Format(names=("*.yml", "*.yaml"), parse=parse)

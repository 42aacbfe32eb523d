"""YAML 1.1 and 1.2: whatever either reads as something other than a string is kept apart from strings."""

import json
import re
from typing import Any

import yaml

from drydock.formats.document import DEPTH, LIMIT, Document, Uncertain, unix
from drydock.formats.nested import OTHERWISE, Alias, Bare, Pairs, document, joined

STANDARD = "tag:yaml.org,2002:"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# A Helm, Jinja or ERB template; and a tab, which some programs treat as a space.
TEMPLATED = re.compile(r"\{\{|\{%|<%|(?m:^ *\t)")


def parse(_path: str, text: str) -> Document:
    """Return the document of YAML: scalars as written, preceded by tags such as Compose's !reset.

    Aliases count as what they stand for, merges as the keys that they bring in.
    """
    text = unix(text)
    try:
        # libyaml builds nodes by recursion in C, where nesting that is too deep ends the process.
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
        # The path at which each node was first met, and the nodes that are being read.
        self.places: dict[int, str] = {}
        self.open: set[int] = set()

    def value(self, node: yaml.Node, path: str) -> Any:  # noqa: ANN401
        """Return the value of a node at a path; an alias if the node was met before."""
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
        """Return the pairs of a mapping: its own keys, and the merged ones that they do not override."""
        own: list[tuple[str, Any]] = []
        merged: dict[str, Any] = {}
        for key, item in node.value:
            if key.tag == f"{STANDARD}merge":
                for source in item.value if isinstance(item, yaml.SequenceNode) else [item]:
                    value = self.value(source, joined(path, "<<"))
                    origin = value.origin if isinstance(value, Alias) else ""
                    plain = value.value if isinstance(value, Alias) else value
                    for name, inherited in plain.pairs if isinstance(plain, Pairs) else ():
                        merged.setdefault(
                            name, Alias(inherited, joined(origin, name)) if origin else inherited
                        )
            else:
                name = self.name(key)
                own.append((name, self.value(item, joined(path, name))))
        # Its own key takes precedence over a merged one of the same name.
        names = {name for name, _ in own}
        return Pairs([*(pair for pair in merged.items() if pair[0] not in names), *own])

    def scalar(self, node: yaml.ScalarNode) -> str | Bare:
        """Return a scalar; the source says whether its tag was written out."""
        written = self.text[node.start_mark.index : node.end_mark.index]
        return scalar(node, tagged=bool(re.match(r"(&\S+\s+)?!", written)))

    def name(self, node: yaml.Node) -> str:
        """Return a key: a string that looks like a number is quoted."""
        if not isinstance(node, yaml.ScalarNode):
            return repr(self.value(node, ""))
        value = self.scalar(node)
        if isinstance(value, Bare):
            return value.text
        return json.dumps(value, ensure_ascii=False) if OTHERWISE.fullmatch(value) else str(value)


def own_tag(node: yaml.Node) -> str:
    """Return the tag of a list or a mapping, unless it is the default one."""
    usual = "seq" if isinstance(node, yaml.SequenceNode) else "map"
    return "" if node.tag in (f"{STANDARD}{usual}", "!") else node.tag.replace(STANDARD, "!!")


def scalar(node: yaml.ScalarNode, *, tagged: bool) -> str | Bare:
    """Return a scalar: a string, or anything else as written; with its tag, if it has one of its own."""
    plain = not node.style
    kind = node.tag.removeprefix(STANDARD)
    if kind == "null" and plain and not tagged:
        return Bare("null")
    if kind in ("str", "!"):
        # YAML 1.2 reads 0o14 and 1e3 as numbers, YAML 1.1 as strings.
        number = plain and not tagged and OTHERWISE.fullmatch(node.value)
        return Bare(node.value) if number else str(node.value)
    if plain and not tagged:
        return Bare(node.value)
    text = node.value if plain else json.dumps(node.value, ensure_ascii=False)
    return Bare(f"{node.tag.replace(STANDARD, '!!')} {text}".strip())

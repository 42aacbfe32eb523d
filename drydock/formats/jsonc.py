"""JSON, and JSON with comments for files whose programs allow them."""

import json
import re
from fnmatch import fnmatchcase
from typing import Any

from drydock.formats.document import Document, unix
from drydock.formats.nested import Bare, Pairs, document

# TypeScript, Visual Studio Code and others read comments, and commas before a closing bracket.
COMMENTED = (
    "tsconfig*.json", "jsconfig*.json", "*.jsonc", "devcontainer.json", "pyrightconfig.json", "biome.json",
    ".eslintrc*", ".babelrc*", ".swcrc", "turbo.json", "deno.json", "renovate.json", "*.code-workspace",
)  # fmt: skip
FOLDERS = (".vscode", ".devcontainer")
# In package.json, the first condition that applies wins, and so does the first pattern of Jest.
ORDERED = ("exports", "imports", "typesVersions", "jest")


def parse(path: str, text: str) -> Document:
    """Return the document of JSON; a key that occurs twice is kept twice."""
    *folders, name = path.split("/")
    if any(fnmatchcase(name, pattern) for pattern in COMMENTED) or {*folders} & {*FOLDERS}:
        text = uncommented(text)
    value = json.loads(
        unix(text), object_pairs_hook=Pairs, parse_int=Bare, parse_float=Bare, parse_constant=Bare
    )
    if name == "package.json" and isinstance(value, Pairs):
        value = Pairs(
            [(key, in_order(item) if key in ORDERED else item) for key, item in value.pairs]
        )
    if name == "jest.config.json":
        value = in_order(value)
    return document([("", value)])


def in_order(value: Any) -> Any:  # noqa: ANN401 -- any JSON
    """Return a value whose mappings are ordered at every depth."""
    match value:
        case Pairs():
            return Pairs([(key, in_order(item)) for key, item in value.pairs], ordered=True)
        case list():
            return [in_order(item) for item in value]
        case _:
            return value


def uncommented(text: str) -> str:
    """Return JSON without its comments, and without commas before a closing bracket."""
    strings = r"\"(?:\\.|[^\"\\])*\""
    plain = re.sub(rf"({strings})|//[^\n]*|/\*[\s\S]*?\*/", lambda match: match[1] or " ", text)
    return re.sub(rf"({strings})|,(?=\s*[}}\]])", lambda match: match[1] or "", plain)

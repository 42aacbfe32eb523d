"""nginx: all order counts."""

import re

from drydock.formats.document import DEPTH, Document, Leaf, Uncertain, unix

TOKEN = re.compile(
    r"#[^\n]*|([;{}])|(\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|(?:\$\{\w+\}|\\.|[^\s;{}])+)",
    re.DOTALL,
)


def parse(path: str, text: str) -> Document:
    """Return the directives; their path is the chain of the blocks around them. An empty block is one, too."""
    leaves: list[Leaf] = []
    meaning: list[tuple[str, str]] = []
    directive: list[str] = []
    blocks: list[str] = []
    for match in TOKEN.finditer(unix(text)):
        mark, word = match.groups()
        if word:
            directive.append(word)
        elif mark == ";" and directive:
            leaf = Leaf(".".join([*blocks, directive[0]]), " ".join(directive[1:]))
            leaves.append(leaf)
            meaning.append((leaf.key, leaf.value))
            directive = []
        elif mark == "{" and directive:
            if directive[0].endswith("_by_lua_block"):
                raise Uncertain("has a block of Lua")
            if len(blocks) > DEPTH:
                raise Uncertain(f"is nested more than {DEPTH} deep")
            blocks.append(" ".join(directive))
            meaning.append((".".join(blocks), "{"))
            directive = []
        elif mark == "}" and blocks and not directive:
            block = ".".join(blocks)
            if meaning[-1] == (block, "{"):
                leaves.append(Leaf(block, "{}"))
            meaning.append((block, "}"))
            blocks.pop()
        elif mark:
            raise broken(path, f"{mark} stands where nginx allows none")
    if directive or blocks:
        raise broken(path, "ends within a directive")
    return Document(leaves=tuple(leaves), meaning=tuple(meaning))


def broken(path: str, reason: str) -> ValueError:
    """Return the error of a file that is not nginx's, unless its path says that it is."""
    return ValueError(reason) if "nginx" in path.lower() else Uncertain(reason)

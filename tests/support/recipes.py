"""Recipes: a project's docs/recipes.md, and documents of the same form, followed as they are written."""

import re
from dataclasses import dataclass, field
from pathlib import Path

# Before a block, where its lines go.
SENTENCE = re.compile(
    r"(?:[Aa]t the end of `(?P<end>[^`]+)`"
    r"|[Nn]ew, `(?P<new>[^`]+)`"
    r"|[Ii]n `(?P<path>[^`]+)`, (?:after `(?P<after>.+?)`|in place of `(?P<instead>.+?)`)"
    r"|[Ii]n place of `(?P<same>.+?)`)[,;:]"
)
BLOCK = re.compile(r"(?ms)^```(\w*)\n(.*?)^```$")
PACKAGES = re.compile(r"Packages?: (`[^`]+`(?:, `[^`]+`)*)")


@dataclass(frozen=True, kw_only=True)
class Edit:
    """Lines for a file: at its end, after a line, or in place of it; a new file has nothing else."""

    path: str
    text: str
    line: str = ""
    replaces: bool = False
    new: bool = False

    def apply(self, project: Path) -> None:
        """Change the file; raise ValueError unless its line is there exactly once."""
        path = project / self.path
        if self.new or not self.line:
            path.parent.mkdir(parents=True, exist_ok=True)
            before = path.read_text("utf-8") if path.exists() and not self.new else ""
            path.write_text(before + self.text, "utf-8")
            return
        lines = path.read_text("utf-8").splitlines(keepends=True)
        found = [i for i, line in enumerate(lines) if line.strip() == self.line]
        if len(found) != 1:
            raise ValueError(f"{self.path} has {self.line!r} {len(found)} times")
        lines[found[0] + (not self.replaces) : found[0] + 1] = [self.text]
        path.write_text("".join(lines), "utf-8")


@dataclass
class Recipe:
    """What one task takes: packages, and edits and commands in their order."""

    packages: list[str] = field(default_factory=list)
    steps: list[Edit | str] = field(default_factory=list)

    @property
    def edits(self) -> list[Edit]:
        """The steps that edit a file."""
        return [step for step in self.steps if isinstance(step, Edit)]


def read(markdown: str) -> dict[str, Recipe]:
    """Return the recipes of a document by their titles; raise ValueError for a block whose place is not said."""
    recipes = {}
    for part in re.split(r"(?m)^##? ", markdown)[1:]:
        title, _, text = part.partition("\n")
        recipe = recipes[title] = Recipe()
        for names in PACKAGES.findall(text):
            recipe.packages += re.findall("`([^`]+)`", names)
        end = 0
        for block in BLOCK.finditer(text):
            before, end = text[end : block.start()].rstrip().split("\n\n")[-1], block.end()
            if block[1] == "sh":
                recipe.steps += block[2].splitlines()
            elif block[1]:
                recipe.steps.append(edit(before, block[2], recipe.edits, title))
    return recipes


def edit(before: str, text: str, earlier: list[Edit], title: str) -> Edit:
    """Return the edit that the paragraph before a block asks for; without a file, it is that of the edit before."""
    said = SENTENCE.search(" ".join(before.splitlines()))
    if not said:
        raise ValueError(f"{title}: where does this go?\n{text}")
    path = said["end"] or said["new"] or said["path"] or earlier[-1].path
    replaced = said["instead"] or said["same"]
    line = said["after"] or replaced or ""
    return Edit(path=path, text=text, line=line, replaces=bool(replaced), new=bool(said["new"]))


def follow(project: Path, *titles: str) -> list[str]:
    """Edit a project as some of its recipes say; return the packages that they need. Their commands are the caller's."""
    recipes = read((project / "docs/recipes.md").read_text("utf-8"))
    for title in titles:
        for change in recipes[title].edits:
            change.apply(project)
    return [name for title in titles for name in recipes[title].packages]


def uncomment(project: Path, service: str, **names: str) -> None:
    """Uncomment a service in both Compose files; put names in place of those in capital letters."""
    for name in ("docker-compose.yml", "docker-compose.override.yml"):
        path = project / name
        text, count = re.subn(
            rf"(?m)^  # {service}:\n(?:  # .*\n)+",
            lambda lines: re.sub("(?m)^  # ", "  ", lines[0]),
            path.read_text("utf-8"),
        )
        if count != 1:
            raise ValueError(f"{name} has {count} services {service} in comments")
        for old, new in names.items():
            text = re.sub(rf"\b{old}\b", new, text)
        path.write_text(text, "utf-8")

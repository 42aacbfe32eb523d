"""Update projects that both sides have edited, with drydock, cruft and copier, and see what comes through.

The template is this one's own project with the default answers, made into a template that cookiecutter and copier
both take. Each case is a project of its first version, with random edits of the team and committed, and a second
version of the template with random edits of its own: values, lines, blocks, deletions, and files that are added,
removed or moved, many of them in the same few files. Each edit leaves a word that is nowhere else, or takes one away,
so that a program can tell whether it is still there after the update. `git merge` of the two renders is the measure
of what can be merged at all.

Prints a table in Markdown:

    conflicts       files with conflict markers, unmerged in git's index, or with rejected hunks (`.rej`) beside
    ours lost       edits of the team that are undone
    theirs missing  edits of the template that did not arrive, in files that are not reported as conflicts
    failed          updates that ended with an error

Exits with 1 if drydock loses an edit, misses one, fails, or reports more conflicts than `git merge`.

    python bench/updates.py --cases 40
    python bench/updates.py --cases 1 --seed 17 --verbose
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from projects import Tools, last_line
from serving import ROOT, Failure, positive, say

SLUG = "my_site"
FOLDER = "{{cookiecutter.slug}}"
ANSWERS = "{{cookiecutter.__answers}}"
RECORDS = frozenset({".cruft.json", ".copier-answers.yml", ANSWERS})
COPIER = f"""\
_subdirectory: "{{% raw %}}{FOLDER}{{% endraw %}}"
_templates_suffix: ""
slug: {{type: str, default: {SLUG}}}
cookiecutter:
  type: yaml
  when: false
  default: "{{slug: '{{{{ slug }}}}', __answers: .copier-answers.yml}}"
"""
# Not in the template: secrets, the record, and a thousand lines of hashes.
LEFT_OUT = (".env", ".cruft.json", "requirements-dev.txt")
COMMENTS = {".html": "<!-- {} -->", ".md": "{}", ".css": "/* {} */", ".json": None}
PROGRAMS = ("git merge", "drydock", "cruft", "copier")


@dataclass(frozen=True, kw_only=True)
class Edit:
    """An edit: a word that must be in some file afterwards, a line that must not, or a file."""

    kind: str
    path: str
    word: str = ""
    line: str = ""


@dataclass
class Side:
    """A folder that one side edits, and the edits so far."""

    folder: Path
    name: str
    random: Random
    hot: list[str]
    edits: list[Edit] = field(default_factory=list)

    def texts(self) -> dict[str, list[str]]:
        """Return the lines of each file."""
        return {path: text.splitlines() for path, text in texts(self.folder)}

    def write(self, path: str, lines: list[str]) -> None:
        """Replace a file's lines."""
        (self.folder / path).write_text("\n".join(lines) + "\n", encoding="utf-8")

    def edit(self, *, also_added: str) -> None:
        """Make one edit, of a random kind."""
        kinds = {self.value: 35, self.insert: 27, self.block: 12, self.delete: 14, self.add: 4, self.remove: 3,
                 self.move: 4}  # fmt: skip
        word = f"{self.name}{len(self.edits) + 1}"
        while True:
            made = self.random.choices([*kinds], weights=[*kinds.values()])[0](word, also_added)
            if made:
                self.edits.append(made)
                return

    def choose(self, tree: dict[str, list[str]]) -> str:
        """Return a path: mostly one of those that both sides edit."""
        hot = [path for path in self.hot if path in tree]
        return self.random.choice(hot if hot and self.random.random() < 0.7 else sorted(tree))

    def is_free(self, line: str) -> bool:
        """Tell whether a line is neither an earlier edit nor a template's expression."""
        return len(line.strip()) > 3 and self.name not in line and not re.search(r"[{}]{2}", line)

    def value(self, word: str, _: str) -> Edit | None:
        """Change the last word of a line, which stays valid where the format has strings."""
        tree = self.texts()
        path = self.choose(tree)
        end = r'\w"\W*$' if path.endswith((".json", ".toml")) else r"\w\W*$"
        lines = tree[path]
        places = [
            number
            for number, line in enumerate(lines)
            if self.is_free(line) and re.search(end, line)
        ]
        if not places:
            return None
        number = self.random.choice(places)
        lines[number] = re.sub(r"(\w)(\W*)$", rf"\1{word}\2", lines[number])
        self.write(path, lines)
        return Edit(kind="value", path=path, word=word)

    def insert(self, word: str, _: str) -> Edit | None:
        """Insert a line as the file's format has it."""
        tree = self.texts()
        path = self.choose(tree)
        lines = tree[path]
        if not lines:
            return None
        number = self.random.randrange(len(lines))
        line = lines[number]
        indent = re.match(r"\s*", line)
        blanks = indent[0] if indent else ""
        if path.endswith((".yml", ".yaml")):
            pair = re.match(r"\s*[\w.-]+: [^|>&{]*$", line)
            new = f"{blanks}{word}: added" if pair else f"{blanks}# {word}"
        elif path.endswith(".json"):
            if not line.rstrip().endswith(","):
                return None
            new = f'{blanks}"{word}": "added",'
        else:
            form = COMMENTS.get(Path(path).suffix) or "# {}"
            new = blanks + form.format(f"{word}: a line that was added")
        if line.rstrip().endswith("\\"):
            return None
        lines.insert(number + 1, new)
        self.write(path, lines)
        return Edit(kind="insert", path=path, word=word)

    def block(self, word: str, _: str) -> Edit | None:
        """Add a few lines at a blank line, or at the end."""
        tree = self.texts()
        path = self.choose(tree)
        lines = tree[path]
        form = COMMENTS.get(Path(path).suffix, "# {}")
        if form is None:
            return None
        places = [number for number, line in enumerate(lines) if not line.strip()] + [len(lines)]
        number = self.random.choice(places)
        new = [
            form.format(f"{word}: line {count} of a block")
            for count in range(self.random.randint(3, 8))
        ]
        lines[number:number] = ["", *new]
        self.write(path, lines)
        return Edit(kind="block", path=path, word=word)

    def delete(self, word: str, _: str) -> Edit | None:
        """Delete a few lines, of which one is nowhere else."""
        tree = self.texts()
        path = self.choose(tree)
        lines = tree[path]
        everywhere = Counter(line.strip() for some in tree.values() for line in some)
        places = [
            number
            for number, line in enumerate(lines)
            if self.is_free(line) and len(line.strip()) > 15 and everywhere[line.strip()] == 1
        ]
        if not places:
            return None
        number = self.random.choice(places)
        end = number + 1
        while (
            end < min(number + self.random.randint(1, 3), len(lines))
            and self.name not in lines[end]
        ):
            end += 1
        line = lines[number].strip()
        del lines[number:end]
        self.write(path, lines)
        return Edit(kind="delete", path=path, line=line)

    def add(self, word: str, also_added: str) -> Edit | None:
        """Add a file; now and then both sides add the same one."""
        path = also_added if self.random.random() < 0.3 else f"docs/{word}.md"
        if (self.folder / path).exists():
            return None
        lines = [f"# Notes {word}", "", *(f"Line {number}." for number in range(12))]
        (self.folder / path).parent.mkdir(exist_ok=True)
        self.write(path, lines)
        return Edit(kind="add", path=path, word=word)

    def remove(self, word: str, _: str) -> Edit | None:
        """Remove a file that this side has not edited."""
        path = self.choose(self.texts())
        if any(edit.path == path for edit in self.edits):
            return None
        (self.folder / path).unlink()
        return Edit(kind="remove", path=path)

    def move(self, word: str, _: str) -> Edit | None:
        """Move a file to another folder, and add a line."""
        tree = self.texts()
        path = self.choose(tree)
        form = COMMENTS.get(Path(path).suffix, "# {}")
        # git takes a short file for another one.
        if form is None or "moved" in path or len(tree[path]) < 15:
            return None
        target = self.folder / "moved" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).rename(target)
        self.write(f"moved/{path}", [*tree[path], form.format(f"{word}: moved")])
        self.edits = [
            Edit(kind=edit.kind, path=f"moved/{path}", word=edit.word, line=edit.line)
            if edit.path == path
            else edit
            for edit in self.edits
        ]
        return Edit(kind="move", path=f"moved/{path}", word=word)


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each file that can be edited."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith(".git/") and name not in RECORDS:
            try:
                yield name, path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue


def render(tools: Tools, source: Path, folder: Path) -> Path:
    """Generate with cookiecutter into a new folder, with the default answers; return the project."""
    folder.mkdir()
    options = ["--no-input", "--default-config", "--output-dir", str(folder)]
    result = tools.ask(folder, "cookiecutter", *options, source)
    if result.status:
        raise Failure(last_line(result.errors))
    return folder / SLUG


def template(tools: Tools, folder: Path) -> Path:
    """Make the first version of a template for both; return its folder."""
    made = render(tools, ROOT, folder / "made")
    for name in LEFT_OUT:
        (made / name).unlink(missing_ok=True)
    for name, text in texts(made):
        text = re.sub(r"\{[{%#]", r'{{ "\g<0>" }}', text)
        (made / name).write_text(text.replace(SLUG, "{{ cookiecutter.slug }}"), encoding="utf-8")
    (made / SLUG).rename(made / FOLDER)
    (made / ANSWERS).write_text("{{ _copier_answers|to_nice_yaml }}", encoding="utf-8")
    target = folder / "template"
    target.mkdir()
    made.rename(target / FOLDER)
    questions = {"slug": SLUG, "__answers": ""}
    (target / "cookiecutter.json").write_text(json.dumps(questions), encoding="utf-8")
    (target / "copier.yml").write_text(COPIER, encoding="utf-8")
    tools.commit(target, "First")
    tools.git(target, "tag", "v1.0.0")
    return target


def projects(tools: Tools, source: Path, folder: Path) -> tuple[Path, Path]:
    """Make a project of the first version for cruft, and one for copier; Failure if that fails."""
    folder.mkdir()
    for result in (
        tools.ask(folder, "cruft", "create", "--no-input", "--default-config", source),
        tools.ask(folder, "copier", "copy", "--defaults", "--quiet", source, folder / "copier"),
    ):
        if result.status:
            raise Failure(last_line(result.errors))
    pair = folder / SLUG, folder / "copier"
    for project in pair:
        tools.commit(project, "As generated")
    return pair


def synchronise(tools: Tools, project: Path, other: Path) -> None:
    """Give a project the files of another one, except for its own record."""
    for path in tools.git(other, "ls-files").splitlines():
        if path not in RECORDS:
            (other / path).unlink()
    for path in tools.git(project, "ls-files").splitlines():
        if path not in RECORDS:
            (other / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(project / path, other / path)
    tools.commit(other, "The team's edits")


@dataclass(frozen=True, kw_only=True)
class Score:
    """What came of an update."""

    conflicts: frozenset[str]
    lost: tuple[Edit, ...]
    missing: tuple[Edit, ...]
    failure: str = ""


def merge(tools: Tools, project: Path, source: Path) -> None:
    """Merge the two versions' renders with git alone."""
    with tempfile.TemporaryDirectory() as name:
        new = render(tools, source, Path(name) / "new")
        first = tools.git(project, "rev-list", "--max-parents=0", "HEAD")
        tools.git(project, "checkout", "--quiet", "-b", "upstream", first)
        for path in tools.git(project, "ls-files").splitlines():
            if path not in RECORDS:
                (project / path).unlink()
        shutil.copytree(new, project, dirs_exist_ok=True)
    tools.commit(project, "The template's edits")
    tools.git(project, "checkout", "--quiet", "main")
    command = ["git", "-C", project, "merge", "--quiet", "--no-edit", "upstream"]
    # A conflict is no failure: the index has it.
    subprocess.run([str(word) for word in command], env=tools.env, capture_output=True, check=False)


def run_program(tools: Tools, program: str, project: Path) -> str:
    """Update a project; return why it failed, or nothing."""
    options = {
        "drydock": ["update"],
        "cruft": ["update", "--skip-apply-ask"],
        "copier": ["update", "--defaults", "--quiet"],
    }[program]
    result = tools.ask(project, program, *options)
    accepted = (0, 1) if program == "drydock" else (0,)
    return "" if result.status in accepted else last_line(result.errors)


def conflicts(tools: Tools, project: Path) -> frozenset[str]:
    """Return the files that an update left in conflict."""
    unmerged = {
        line.partition("\t")[2]
        for line in tools.git(project, "ls-files", "--unmerged").splitlines()
    }
    rejected, marked = set(), set()
    for name, text in texts(project):
        if name.endswith(".rej"):
            rejected.add(name.removesuffix(".rej"))
        elif re.search(r"^<{7} ", text, re.MULTILINE):
            marked.add(name)
    return frozenset(unmerged | marked | rejected)


def score(
    tools: Tools,
    project: Path,
    before: set[str],
    ours: list[Edit],
    theirs: list[Edit],
    failure: str,
) -> Score:
    """Look what is left of each edit in an updated project, which had some files before."""
    in_conflict = conflicts(tools, project)
    kept = {name: text for name, text in texts(project) if not name.endswith(".rej")}
    everything = "\n".join(kept.values())
    lines = {line.strip() for name, text in kept.items() if name not in in_conflict for line in text.splitlines()}  # fmt: skip

    def holds(edit: Edit) -> bool:
        if edit.word:
            return re.search(rf"{edit.word}(?!\d)", everything) is not None
        if edit.line:
            return edit.line not in lines
        return edit.path not in kept or edit.path in in_conflict

    def is_told(edit: Edit) -> bool:
        """Tell whether an edit of the template need not be there: reported, or the file had gone."""
        return edit.path in in_conflict or (edit.kind != "add" and edit.path not in before)

    names = {Path(path).name for path in in_conflict}
    return Score(
        conflicts=in_conflict,
        lost=tuple(edit for edit in ours if not holds(edit)),
        missing=tuple(
            edit
            for edit in theirs
            # A file that was moved may be reported under either name.
            if not holds(edit) and not is_told(edit) and Path(edit.path).name not in names
        ),
        failure=failure,
    )


def case(
    tools: Tools, source: Path, pair: tuple[Path, Path], folder: Path, seed: int, edits: int
) -> dict[str, Score]:
    """Make one case, update it with each program, and return the scores."""
    random = Random(seed)  # noqa: S311
    tools.git(source, "checkout", "--quiet", "--force", "-B", "main", "v1.0.0")
    tools.git(source, "clean", "--quiet", "-d", "--force")
    plain, for_copier = folder / "edited", folder / "edited-for-copier"
    for project, copy in zip(pair, (plain, for_copier), strict=True):
        shutil.copytree(project, copy, symlinks=True)
    known = [
        name for name, text in texts(plain) if len(text.splitlines()) > 20 and SLUG not in name
    ]
    hot = random.sample(known, 5)
    ours = Side(plain, "ours", random, hot)
    theirs = Side(source / FOLDER, "theirs", random, hot)
    for _ in range(edits):
        for side in (ours, theirs):
            side.edit(also_added="docs/extra.md")
    tools.commit(source, "Second")
    tools.git(source, "tag", "--force", "v2.0.0")
    tools.commit(plain, "The team's edits")
    synchronise(tools, plain, for_copier)
    before = {name for name, _ in texts(plain)}
    scores = {}
    for program in PROGRAMS:
        project = folder / program.replace(" ", "-")
        shutil.copytree(for_copier if program == "copier" else plain, project, symlinks=True)
        failure = ""
        if program == "git merge":
            merge(tools, project, source)
        else:
            failure = run_program(tools, program, project)
        scores[program] = score(tools, project, before, ours.edits, theirs.edits, failure)
    return scores


def table(cases: list[dict[str, Score]], edits: int) -> str:
    """Return the table, in Markdown."""
    total = len(cases) * edits
    lines = [
        f"{len(cases)} updates, {total} edits on each side.",
        "",
        "| | conflicts | ours lost | theirs missing | failed |",
        "|---|---|---|---|---|",
    ]
    columns: list[Callable[[Score], int]] = [
        lambda score: len(score.conflicts),
        lambda score: len(score.lost),
        lambda score: len(score.missing),
        lambda score: bool(score.failure),
    ]
    for program in PROGRAMS:
        sums = [sum(column(scores[program]) for scores in cases) for column in columns]
        lines.append(f"| {program} | " + " | ".join(map(str, sums)) + " |")
    return "\n".join(lines)


def main() -> int:
    """Measure and print; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=positive, default=40, help="updates (40)")
    parser.add_argument("--edits", type=positive, default=10, help="edits on each side (10)")
    parser.add_argument("--seed", type=int, default=1, help="of the first case (1)")
    parser.add_argument("--verbose", action="store_true", help="also say what was lost, and where")
    options = parser.parse_args()
    cases = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tools = Tools(folder, (), packages=("copier",))
        source = template(tools, folder)
        pair = projects(tools, source, folder / "projects")
        for number in range(options.cases):
            seed = options.seed + number
            with tempfile.TemporaryDirectory(dir=folder) as place:
                scores = case(tools, source, pair, Path(place), seed, options.edits)
            cases.append(scores)
            say(f"[{number + 1}/{options.cases}] seed {seed}")
            for program, score in scores.items() if options.verbose else ():
                say(f"  {program}: {score.failure or 'done'}; conflicts: {', '.join(sorted(score.conflicts))}")  # fmt: skip
                for label, found in (("lost", score.lost), ("missing", score.missing)):
                    for edit in found:
                        say(f"    {label}: {edit}")
    print(table(cases, options.edits))
    drydock = [scores["drydock"] for scores in cases]
    more = sum(len(scores["drydock"].conflicts) - len(scores["git merge"].conflicts) for scores in cases)  # fmt: skip
    return more > 0 or any(score.lost or score.missing or score.failure for score in drydock)


if __name__ == "__main__":
    sys.exit(main())

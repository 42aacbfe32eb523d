"""Find the record of a project that has none: the commit and answers whose render is closest to it."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drydock import project, record, render
from drydock.answers import questions
from drydock.cache import default_cache
from drydock.errors import DrydockError
from drydock.inspect import Commit
from drydock.inspect import commit as commit_of
from drydock.record import Record
from drydock.secrets import is_secret_name
from drydock.source import Source, open_source
from drydock.tree import Tree

# Longer lines are not searched for answers. Characters.
LONGEST = 500
# Folders that hold none of a template's files, but many others.
ELSEWHERE = frozenset({".git", ".venv", "__pycache__", "node_modules", "venv"})


@dataclass(frozen=True, kw_only=True)
class Fit:
    """The record that fits best, and how well.

    `likeness` is the share of the template's lines that the project has, 0 to 1; `sure` are the
    answers for which the project has evidence.
    """

    record: Record
    label: str
    files: int
    identical: int
    likeness: float
    sure: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Score:
    """How close a render is to the project: the higher, the better."""

    likeness: float
    identical: int
    files: int

    @property
    def key(self) -> tuple[float, int]:
        """What scores are ordered by."""
        return self.likeness, self.identical


def score(tree: Tree, here: Tree) -> Score:
    """Compare a render with the project: as multisets of lines, file by file."""
    common = total = identical = 0
    for path in tree.keys() | here.keys():
        ours, theirs = tree.get(path), here.get(path)
        if ours == theirs:
            identical += 1
        lines = [
            Counter((file.data if file else b"").splitlines() or [b""]) for file in (ours, theirs)
        ]
        common += (lines[0] & lines[1]).total() if ours and theirs else 0
        total += (lines[0] | lines[1]).total()
    return Score(likeness=common / total if total else 0.0, identical=identical, files=len(tree))


class Marks:
    """Placeholders for answers in a render, and what the project has in their place."""

    def __init__(self, names: list[str]) -> None:
        self.votes: dict[str, Counter[str]] = {name: Counter() for name in names}
        # Lowercase letters, so that no filter changes them.
        letters = {
            name: "".join(chr(97 + int(digit)) for digit in str(i)) for i, name in enumerate(names)
        }
        self.texts = {name: f"zqx{letters[name]}xqz" for name in names}
        self.names = {text: name for name, text in self.texts.items()}
        self.any = re.compile("zqx[a-j]+xqz")

    def vote(self, text: str, candidates: Iterable[str]) -> None:
        """Count what similar candidates have in place of the marks in a text."""
        groups: dict[str, str] = {}
        parts, end = [], 0
        for match in self.any.finditer(text):
            parts.append(re.escape(text[end : match.start()]))
            name = self.names[match[0]]
            if name in groups:
                parts.append(f"(?P={groups[name]})")
            else:
                groups[name] = f"g{len(groups)}"
                parts.append(f"(?P<{groups[name]}>.+?)")
            end = match.end()
        if not groups:
            return
        pattern = re.compile("".join(parts) + re.escape(text[end:]))
        for found in filter(None, map(pattern.fullmatch, candidates)):
            for name, group in groups.items():
                self.votes[name][found[group]] += 1

    def likely(self) -> dict[str, list[str]]:
        """Return the few most frequent answers to each question that has any, best first."""
        return {
            name: [value for value, _ in count.most_common(3)]
            for name, count in self.votes.items()
            if count
        }

    def replaced(self, text: str) -> str:
        """Return a text with the likely answers in place of their marks."""
        for name, values in self.likely().items():
            text = text.replace(self.texts[name], values[0])
        return text


def files_below(folder: Path) -> list[str]:
    """Return the paths of the files below a folder, where a template's may be."""
    found = []
    for top, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - ELSEWHERE)
        found += [Path(top, name).relative_to(folder).as_posix() for name in names]
    return found


class Search:
    """Renders of one template for one project."""

    def __init__(self, folder: Path, source: Source, directory: str | None) -> None:
        self.folder, self.source, self.directory = folder, source, directory
        self.trees: dict[str, Tree] = {}

    def template(self, sha: str) -> Tree:
        """Return the template's files at a commit."""
        if sha not in self.trees:
            self.trees = {sha: self.source.tree(sha, self.directory)}
        return self.trees[sha]

    def render(self, sha: str, answers: Mapping[str, Any]) -> tuple[Tree, dict[str, Any]]:
        """Return the render and its answers."""
        where = f"{self.source.url} at {self.source.describe(sha)}"
        tree, resolved = render.rendered(
            self.template(sha),
            answers,
            where=where,
            extra={"_template": self.source.url, "_commit": sha, "_checkout": None},
            cache=default_cache(),
        )
        tree.pop(record.NAME, None)
        return tree, resolved.public

    def try_out(self, sha: str, answers: Mapping[str, Any], paths: set[str]) -> Score | None:
        """Return the score of a commit and answers; None if they cannot be rendered."""
        try:
            tree, _ = self.render(sha, answers)
        except DrydockError:
            return None
        # Files that the project has and only other answers would give count against these.
        return score(tree, project.read(self.folder, paths | tree.keys()))

    def texts(self, sha: str, answers: dict[str, Any], fixed: set[str]) -> dict[str, list[str]]:
        """Return the answers to text questions that the project's files suggest, best first."""
        raw = questions(self.template(sha), self.source.url)
        names = [
            name
            for name, default in raw.items()
            if isinstance(default, str) and name[0] != "_" and name not in fixed
        ]
        marks = Marks(names)
        try:
            tree, _ = self.render(sha, {**answers, **marks.texts})
        except DrydockError:
            return {}
        # Paths first: they say under which names to find the files.
        every = files_below(self.folder)
        for path in tree:
            marks.vote(path, every)
        here = project.read(self.folder, [marks.replaced(path) for path in tree])
        for path, file in tree.items():
            mine = here.get(marks.replaced(path))
            ours, theirs = file.text, mine.text if mine else None
            if ours is not None and theirs is not None:
                lines = [line for line in theirs.splitlines() if len(line) <= LONGEST]
                for line in set(ours.splitlines()):
                    marks.vote(line, lines)
        return marks.likely()

    def best(self, sha: str, answers: Mapping[str, Any], name: str, values: list[str]) -> str:
        """Return the answer to a question whose render is closest to the project."""
        scores = {}
        for value in values if len(values) > 1 else ():
            if found := self.try_out(sha, {**answers, name: value}, set()):
                scores[value] = found.key
        return max(scores, key=lambda value: scores[value], default=values[0])

    def choices(self, sha: str, answers: dict[str, Any], fixed: set[str]) -> set[str]:
        """Set the choices in `answers` that fit best, question by question; return the sure ones."""
        raw = questions(self.template(sha), self.source.url)
        sure = set()
        asked = {
            name: [True, False] if isinstance(value, bool) else value
            for name, value in raw.items()
            if isinstance(value, bool | list) and name[0] != "_" and name not in fixed
        }
        for _ in range(2):  # Twice, because one choice may show only once another is right.
            for name, values in asked.items():
                paths: set[str] = set()
                for value in values:
                    try:
                        paths |= self.render(sha, {**answers, name: value})[0].keys()
                    except DrydockError:
                        continue
                scores = {
                    value: found.key
                    for value in values
                    if (found := self.try_out(sha, {**answers, name: value}, paths))
                }
                if not scores:
                    continue
                default = raw[name] if isinstance(raw[name], bool) else values[0]
                current = scores.get(answers.get(name, default), (-1.0, -1))
                best = max(scores, key=lambda value: scores[value])
                if scores[best] > current:
                    answers[name] = best
                if len({*scores.values()}) > 1:
                    sure.add(name)
        return sure


def search(
    folder: Path,
    template: str,
    *,
    directory: str | None = None,
    checkout: str | None = None,
    given: Mapping[str, str] | None = None,
    commits: int = 200,
    offline: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Fit:
    """Return the record that fits a project's folder best.

    `given` answers are taken as they are. DrydockError if no commit can be rendered, or the project
    has nothing in common with the template.
    """
    project.check_no_merge(folder)
    say = progress or (lambda words: None)
    source = open_source(template, offline=offline, progress=progress)
    one = Search(folder, source, directory)
    history = source.commits(checkout)[: max(commits, 1)]
    answers: dict[str, Any] = dict(given or {})
    fixed = set(answers)
    sure = set(fixed)

    def fill(sha: str) -> None:
        say(f"Looking for the answers at {source.describe(sha)} ...")
        for _ in range(2):
            texts = one.texts(sha, answers, fixed)
            answers.update({name: values[0] for name, values in texts.items()})
            for name, values in texts.items():
                answers[name] = one.best(sha, answers, name, values)
            sure.update(texts, one.choices(sha, answers, fixed))

    newest = newest_rendered(one, history)
    fill(newest)
    best, best_score = newest, None
    for index, sha in enumerate(history):
        if index % 10 == 0:
            say(f"Trying the commits: {index} of {len(history)} ...")
        found = one.try_out(sha, answers, set())
        if found and (best_score is None or found.key > best_score.key):
            best, best_score = sha, found
    if best != newest:
        fill(best)
    tree, public = one.render(best, answers)
    final = score(tree, project.read(folder, tree))
    if not final.likeness:
        raise DrydockError(
            f"{folder}: has nothing in common with {source.url}. Is that the right template?"
        )
    made: Commit = commit_of(source, best)
    return Fit(
        record=Record(
            template=source.url,
            commit=best,
            # Secrets are not written down: the default replaces a missing one.
            answers={name: value for name, value in public.items() if not is_secret_name(name)},
            checkout=checkout,
            directory=directory,
        ),
        label=f"{source.url} at {made.label} of {made.date[:10]}",
        files=final.files,
        identical=final.identical,
        likeness=final.likeness,
        sure=frozenset(sure),
    )


def newest_rendered(one: Search, history: list[str]) -> str:
    """Return the newest commit that can be rendered; DrydockError with the newest's error if none can."""
    first: DrydockError | None = None
    for sha in history:
        try:
            one.render(sha, {})
        except DrydockError as error:
            first = first or error
        else:
            return sha
    raise DrydockError(f"None of {len(history)} commits can be rendered; the newest: {first}")

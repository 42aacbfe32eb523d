"""Infer the record of a project that has none: the commit and answers whose render is closest to it."""

import itertools
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drydock import project, record
from drydock.answers import Resolved, questions
from drydock.errors import DrydockError
from drydock.policy import is_skipped
from drydock.record import Record
from drydock.source import Source, open_source
from drydock.source.base import folder_of
from drydock.template import Template
from drydock.tree import File, Tree

# Longer lines are not searched for answers. Characters.
LONGEST = 500
# Bounds of a search, on any input: files of the project, comparisons of a line, renders, seconds.
FILES, COMPARISONS, RENDERS, SECONDS = 50_000, 2_000_000, 3000, 300
# So many commits are tried at once; then those between the best one's neighbours.
AT_ONCE = 8
# Folders that hold none of a template's files, but many others.
ELSEWHERE = frozenset({".git", ".venv", "__pycache__", "node_modules", "venv"})


@dataclass(frozen=True, kw_only=True)
class Inference:
    """The record that fits best, and how well.

    `likeness` is the share of the template's lines that the project has, 0 to 1; `sure` are the
    answers for which the project has evidence. `alike` are other commits that fit as well. Of the template's
    `commits`, `states` differ in what they render, and `tried` of those were rendered. `is_complete` is false
    if the search was ended by its bounds. `unreadable` says why some files of the project do not count.
    """

    record: Record
    label: str
    files: int
    identical: int
    likeness: float
    sure: frozenset[str]
    alike: tuple[str, ...]
    commits: int
    states: int
    tried: int
    is_complete: bool
    unreadable: tuple[str, ...]


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


# Of each file of a render: the lines that the project has too, those of both together, whether all is equal.
Parts = dict[str, tuple[int, int, bool]]


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
        self.any = re.compile("(zqx[a-j]+xqz)")
        self.comparisons = 0

    def vote(self, text: str, candidates: Sequence[str]) -> None:
        """Count what similar candidates have in place of the marks in a text."""
        pieces = self.any.split(text)
        literals = pieces[::2]
        names = [self.names.get(mark, "") for mark in pieces[1::2]]
        # Two marks side by side could be divided anywhere.
        if not all(names) or not names or not all(literals[1:-1]):
            return
        self.comparisons += len(candidates)
        if self.comparisons > COMPARISONS:
            return
        for values in filter(None, (between(literals, candidate) for candidate in candidates)):
            pairs = {*zip(names, values, strict=True)}
            if len(pairs) == len({*names}):
                for name, value in pairs:
                    self.votes[name][value] += 1

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


def between(literals: list[str], text: str) -> list[str] | None:
    """Return what a text has between the given pieces, each as short as can be; None if it lacks them."""
    first, *middle, last = literals
    if not (text.startswith(first) and text.endswith(last)):
        return None
    place, end, values = len(first), len(text) - len(last), []
    for literal in middle:
        stop = text.find(literal, place + 1, end)
        if stop < 0:
            return None
        values.append(text[place:stop])
        place = stop + len(literal)
    return [*values, text[place:end]] if place < end else None


def files_below(folder: Path) -> list[str]:
    """Return the paths of the files below a folder, where a template's may be."""

    def walk() -> Iterable[str]:
        for top, folders, names in os.walk(folder):
            folders[:] = sorted(set(folders) - ELSEWHERE)
            yield from (Path(top, name).relative_to(folder).as_posix() for name in names)

    return list(itertools.islice(walk(), FILES))


class Here:
    """The project's files, each read once; `unreadable` says of some why they cannot be, and so do not count."""

    def __init__(self, folder: Path, skip: tuple[str, ...]) -> None:
        self.folder, self.skip = folder, skip
        self.files: dict[str, File | None] = {}
        self.unreadable: dict[str, str] = {}
        self.lines: dict[str, Counter[bytes]] = {}

    def read(self, paths: Iterable[str]) -> Tree:
        """Return those of the paths that are files in the project."""
        wanted = [*paths]
        new = [path for path in wanted if path not in self.files]
        read = project.read(self.folder, new, partial=True)
        unknown = {path: file.unknown for path, file in read.items() if file.unknown}
        self.unreadable |= unknown
        self.files |= {path: None if path in unknown else read.get(path) for path in new}
        return {path: file for path in wanted if (file := self.files[path])}

    def parts(self, tree: Tree) -> Parts:
        """Compare a render with the project, file by file: as multisets of lines."""
        paths = [path for path in tree if not is_skipped(self.skip, path)]
        here = self.read(paths)
        parts: Parts = {}
        for path in paths:
            if path in self.unreadable:
                continue
            ours, theirs = tree[path], here.get(path)
            if theirs and theirs.data == ours.data:
                count = len(ours.data.splitlines()) or 1
                parts[path] = (count, count, ours == theirs)
                continue
            lines, mine = lines_of(ours.data), self.lines_of(path)
            parts[path] = ((lines & mine).total(), (lines | mine).total(), False)
        return parts

    def lines_of(self, path: str) -> Counter[bytes]:
        """Return the lines of a file of the project; none if it does not exist."""
        if path not in self.lines:
            file = self.read([path]).get(path)
            self.lines[path] = lines_of(file.data) if file else Counter()
        return self.lines[path]

    def score(self, parts: Parts, others: Iterable[str] = ()) -> Score:
        """Return how close a render is; files of the project at `others` that it lacks count against it."""
        lacking = sum(self.lines_of(path).total() for path in {*others} - {*parts})
        total = sum(total for _, total, _ in parts.values()) + lacking
        return Score(
            likeness=sum(common for common, _, _ in parts.values()) / total if total else 0.0,
            identical=sum(same for _, _, same in parts.values()),
            files=len(parts),
        )

    def scores(self, renders: Sequence[Parts]) -> list[Score]:
        """Return the scores of renders, in each of which the files count that only others give."""
        paths = {path for parts in renders for path in parts}
        return [self.score(parts, paths) for parts in renders]


def lines_of(data: bytes) -> Counter[bytes]:
    """Return the lines of a file, with how often each is there; an empty file has an empty one."""
    return Counter(data.splitlines() or [b""])


class Search:
    """Renders of one template for one project."""

    def __init__(
        self, here: Here, source: Source, directory: str | None, checkout: str | None
    ) -> None:
        self.here, self.source, self.directory, self.checkout = here, source, directory, checkout
        self.template = Template(source, directory)
        self.renders, self.end = 0, time.monotonic() + SECONDS

    @property
    def is_over(self) -> bool:
        """Whether the bounds of the search are reached."""
        return self.renders >= RENDERS or time.monotonic() > self.end

    def record(self, sha: str, answers: Mapping[str, Any]) -> Record:
        """Return the record of a commit and answers.

        It has the private variables that cruft records: a template may use them, and each render has them.
        """
        private = {"_template": self.source.url, "_commit": sha, "_checkout": self.checkout}
        return Record(
            template=self.source.url,
            commit=sha,
            answers=dict(answers),
            checkout=self.checkout,
            directory=self.directory,
            skip=self.here.skip,
            private=private,
        )

    def render(self, sha: str, answers: Mapping[str, Any]) -> tuple[Tree, Resolved]:
        """Return the render, and the variables it was rendered with."""
        self.renders += 1
        extra = self.record(sha, answers).surroundings(sha)
        return self.template.render(sha, answers, extra=extra)

    def try_out(self, sha: str, answers: Mapping[str, Any]) -> Parts | None:
        """Return how a commit and answers compare with the project; None if they cannot be rendered."""
        try:
            tree, _ = self.render(sha, answers)
        except DrydockError:
            return None
        return self.here.parts(tree)

    def newest_rendered(self, history: list[str]) -> str:
        """Return the newest commit that can be rendered; DrydockError with the newest's error if none can."""
        first: DrydockError | None = None
        for sha in history:
            try:
                self.render(sha, {})
            except DrydockError as error:
                first = first or error
            else:
                return sha
            if self.is_over:
                break
        raise DrydockError(f"None of {len(history)} commits can be rendered; the newest: {first}")

    def texts(self, sha: str, answers: dict[str, Any], fixed: set[str]) -> dict[str, list[str]]:
        """Return the answers to text questions that the project's files suggest, best first."""
        raw = questions(self.template.tree(sha), self.source.url)
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
        every = files_below(self.here.folder)
        for path in tree:
            marks.vote(path, every)
        marks.comparisons = 0
        here = self.here.read([marks.replaced(path) for path in tree])
        for path, file in tree.items():
            mine = here.get(marks.replaced(path))
            ours, theirs = file.text, mine.text if mine else None
            if ours is not None and theirs is not None:
                lines = [line for line in theirs.splitlines() if len(line) <= LONGEST]
                for line in dict.fromkeys(ours.splitlines()):
                    marks.vote(line, lines)
        return marks.likely()

    def choose(
        self, sha: str, answers: dict[str, Any], name: str, values: list[Any]
    ) -> tuple[bool, bool]:
        """Set the answer to a question to that of the values which fits best, the first of several.

        Return whether that changed anything, and whether the project has evidence for it.
        """
        tried: list[tuple[Any, Parts]] = []
        for value in values if len(values) > 1 else ():
            if self.is_over:
                return False, False
            if (parts := self.try_out(sha, {**answers, name: value})) is not None:
                tried.append((value, parts))
        if not tried:
            return False, False
        keys = [score.key for score in self.here.scores([parts for _, parts in tried])]
        scores = list(zip((value for value, _ in tried), keys, strict=True))
        current = answers.get(name, values[0])
        now = next((key for value, key in scores if value == current), (-1.0, -1))
        best, key = max(scores, key=lambda pair: pair[1])
        if key > now:
            answers[name] = best
        return key > now, len({*keys}) > 1

    def choices(self, sha: str, answers: dict[str, Any], fixed: set[str]) -> set[str]:
        """Set the choices in `answers` that fit best, question by question; return the sure ones."""
        sure = set()
        asked = {
            # The default first.
            name: [value, not value] if isinstance(value, bool) else value
            for name, value in questions(self.template.tree(sha), self.source.url).items()
            if isinstance(value, bool) or (isinstance(value, list) and value)
            if name[0] != "_" and name not in fixed
        }
        for _ in range(2):  # Twice, because one choice may show only once another is right.
            results = {name: self.choose(sha, answers, name, asked[name]) for name in asked}
            sure |= {name for name, (_, told) in results.items() if told}
            if not any(changed for changed, _ in results.values()):
                break
        return sure

    def fill(self, sha: str, answers: dict[str, Any], fixed: set[str]) -> set[str]:
        """Set the answers that fit best at a commit; return those that the project has evidence for."""
        sure: set[str] = set()
        for _ in range(2):
            if self.is_over:
                break
            before = dict(answers)
            texts = self.texts(sha, answers, fixed)
            answers.update({name: values[0] for name, values in texts.items()})
            for name, values in texts.items():
                self.choose(sha, answers, name, values)
            sure |= {*texts} | self.choices(sha, answers, fixed)
            if answers == before:
                break
        return sure

    def scores(
        self, states: list[str], answers: Mapping[str, Any], say: Callable[[str], None]
    ) -> dict[int, Score]:
        """Return the scores of those states that were tried: first far apart, then ever closer to the best."""
        tried: dict[int, Parts] = {}
        low, high = 0, len(states) - 1
        while True:
            step = max(1, (high - low) // AT_ONCE)
            say(f"Trying commits: {len(tried)} of {len(states)} ...")
            for index in (*range(low, high, step), high):
                if index not in tried and not self.is_over:
                    tried[index] = self.try_out(states[index], answers) or {}
            scores = dict(zip(tried, self.here.scores([*tried.values()]), strict=True))
            best = best_of(scores)
            if step == 1 or best is None or self.is_over:
                return scores
            low, high = max(0, best - step), min(len(states) - 1, best + step)


def best_of(scores: Mapping[int, Score]) -> int | None:
    """Return the number of the best score, the newest of several; None if there is none."""
    keys = {index: (score.key, -index) for index, score in scores.items() if score.files}
    return max(keys, key=lambda index: keys[index], default=None)


def states_of(
    source: Source, history: list[str], ref: str | None, directory: str | None
) -> list[str]:
    """Return the newest of each run of commits that render the same, because none changed the template."""
    folder = folder_of(directory)
    top = "" if folder == "." else re.sub(r"([][*?\\])", r"\\\1", folder) + "/"
    names = ("cookiecutter.json", "*cookiecutter*/**", "templates/**")
    changed = {*source.commits(ref, tuple(f":(top,glob){top}{name}" for name in names))}
    starts = [number + 1 for number, sha in enumerate(history) if sha in changed]
    # Without any, the template is behind a link.
    return (
        [history[number] for number in (0, *starts) if number < len(history)] if starts else history
    )


def infer(
    folder: Path,
    template: str,
    *,
    directory: str | None = None,
    checkout: str | None = None,
    given: Mapping[str, str] | None = None,
    commits: int | None = None,
    offline: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Inference:
    """Return the record that fits a project's folder best.

    `given` answers are taken as they are; `commits` is how many of the newest to search, None for all. What an
    existing record skips stays skipped. DrydockError if no commit can be rendered, or the project has nothing in
    common with the template.
    """
    project.check_no_merge(folder)
    say = progress or (lambda message: None)
    source = open_source(template, offline=offline, progress=progress)
    search = Search(Here(folder, record.skip_of(folder)), source, directory, checkout)
    history = source.commits(checkout)
    if commits is not None:
        history = history[: max(commits, 1)]
    states = states_of(source, history, checkout, directory)
    answers: dict[str, Any] = dict(given or {})
    fixed = set(answers)
    best = search.newest_rendered(states)
    tried: set[int] = set()
    alike: list[str] = []
    sure: set[str] = set()
    # Answers that fit another commit may show that yet another one fits better.
    for _ in range(3):
        say(f"Looking for the answers at {source.describe(best)} ...")
        sure = search.fill(best, answers, fixed)
        scores = search.scores(states, answers, say)
        tried |= {*scores}
        closest = best_of(scores)
        if closest is None:
            break
        keys = {index: score.key for index, score in scores.items()}
        alike = [
            states[index]
            for index in sorted(keys)
            if index != closest and keys[index] == keys[closest]
        ]
        if states[closest] == best:
            break
        best = states[closest]
    else:
        sure = search.fill(best, answers, fixed)
    is_complete = not search.is_over
    tree, resolved = search.render(best, answers)
    final = search.here.score(search.here.parts(tree))
    if not final.likeness:
        raise DrydockError(
            f"{folder}: has nothing in common with {source.url}. Is that the right template?"
        )
    return Inference(
        # Secrets are not written down: the default replaces a missing one.
        record=search.record(best, resolved.recordable({})),
        label=f"{source.url} at {source.describe(best)} of {source.date(best)[:10]}",
        files=final.files,
        identical=final.identical,
        likeness=final.likeness,
        sure=frozenset(sure | fixed),
        alike=tuple(map(source.describe, alike)),
        commits=len(history),
        states=len(states),
        tried=len(tried),
        is_complete=is_complete,
        unreadable=tuple(reason for path, reason in search.here.unreadable.items() if path in tree),
    )

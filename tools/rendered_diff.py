"""Show what a change to the template changes in generated projects, as Markdown for a GitHub comment.

The projects of two commits are compared, for combinations of answers that cover every pair of choices. A new
answer has no counterpart, so it is compared with one that it replaces. Hooks are not run, so what they write,
`.env` with its random secrets and `.cruft.json`, is not compared.
"""

import argparse
import difflib
import html
import itertools
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# For when this is started as a script.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from drydock.answers import migrated, questions
from drydock.errors import DrydockError
from drydock.render import rendered
from drydock.source import open_source
from drydock.tree import File, Tree
from tests.support.choices import allowed, choices, combinations, label

ROOT = Path(__file__).resolve().parents[1]

EXAMPLES = """\
examples:
  python tools/rendered_diff.py main                        what the commits of this branch change
  python tools/rendered_diff.py HEAD~3 HEAD --full all.md   and all of it in a file, however long
"""
# GitHub's limit is 65,536 characters. The rest is for the line by which the workflow recognizes its comment.
LIMIT = 65_500
ARTIFACT = "rendered-diff"
FILES_IN_TABLE = 10
Answers = dict[str, str]
# Path to unified diff.
Changes = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Side:
    """The template at a commit."""

    commit: str
    tree: Tree
    catalogue: dict[str, Any]
    cache: Path

    def project(self, answers: Answers) -> Tree:
        """Return the project that answers give."""
        return rendered(self.tree, {}, where=self.commit, given=answers, cache=self.cache)[0]

    def understood(self, answers: Answers) -> Answers | None:
        """Return the answers of another commit's project as they are here; None if they are impossible."""
        known = choices(self.catalogue)
        here = migrated(answers, self.catalogue)[0]
        here = {name: value for name, value in here.items() if name in known}
        fits = all(value in known[name] for name, value in here.items())
        return here if fits and allowed(here, self.catalogue) else None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How the projects of two commits differ.

    `changes` has a project for each combination of answers; `gone` are those that the newer commit does not
    take; `added` has a title and the changes for each choice that is new.
    """

    changes: dict[str, Changes]
    rows: dict[str, Answers]
    gone: list[str]
    added: dict[str, Changes]


def side(repository: Path, ref: str, cache: Path) -> Side:
    """Return the template at a commit, a tag or a branch of a repository."""
    source = open_source(str(repository))
    commit = source.resolve(ref)
    tree = source.tree(commit)
    return Side(commit=commit[:7], tree=tree, catalogue=questions(tree, ref), cache=cache)


def unified(path: str, old: File | None, new: File | None) -> str:
    """Return the difference between two versions of a file, in git's format."""
    sides = (f"a/{path}" if old else "/dev/null", f"b/{path}" if new else "/dev/null")
    lines = []
    if old and new and old.executable != new.executable:
        lines.append(f"{path} is {'executable' if new.executable else 'not executable any more'}")
    texts = [file.text if file else "" for file in (old, new)]
    if texts[0] is None or texts[1] is None:
        return "\n".join([*lines, f"Binary files {sides[0]} and {sides[1]} differ"])
    before, after = (re.findall("[^\n]*\n|[^\n]+", text) for text in texts if text is not None)
    difference = [*difflib.unified_diff(before, after, *sides)]
    for line in difference or [f"--- {sides[0]}\n", f"+++ {sides[1]}\n"]:
        lines.append(line.removesuffix("\n"))
        if not line.endswith("\n"):
            lines.append("\\ No newline at end of file")
    return "\n".join(lines)


def changes(old: Tree, new: Tree) -> Changes:
    """Return the differences between two projects, file by file."""
    return {
        path: unified(path, old.get(path), new.get(path))
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    }


def new_choices(base: Side, head: Side) -> Iterator[tuple[str, str]]:
    """Yield question and choice where the base has no such choice, and the head has others besides."""
    known = migrated(choices(base.catalogue), head.catalogue)[0]
    for question, values in choices(head.catalogue).items():
        # If the question is new, other projects get the first choice.
        for value in values if question in known else values[1:]:
            if value not in known.get(question, []):
                yield question, value


def compare(base: Side, head: Side) -> Comparison:
    """Compare the projects of two commits."""
    rows = {label(answers): answers for answers in combinations(base.catalogue)}
    here = {name: head.understood(answers) for name, answers in rows.items()}
    found = {
        name: changes(base.project(rows[name]), head.project(answers))
        for name, answers in here.items()
        if answers is not None
    }
    added = {}
    for question, value in new_choices(base, head):
        answers = next(row for row in combinations(head.catalogue) if row[question] == value)
        for other in choices(head.catalogue)[question]:
            instead = {**answers, question: other}
            if other != value and allowed(instead, head.catalogue):
                title = f"`{question}={value}`, new, compared with `{other}`"
                added[title] = changes(head.project(instead), head.project(answers))
                break
    return Comparison(
        changes=found,
        rows={name: rows[name] for name in found},
        gone=[name for name, answers in here.items() if answers is None],
        added=added,
    )


def described(names: Iterable[str], rows: dict[str, Answers]) -> str:
    """Return what combinations have in common that no other has: the fewest answers, else their names."""
    names = [*names]
    if len(names) == len(rows):
        return f"all {len(rows)} combinations"
    some = [rows[name] for name in names]
    fitting = []
    for few in (1, 2):
        for asked in itertools.combinations(some[0], few):
            values = {question: {row[question] for row in some} for question in asked}
            if sum(all(row[q] in values[q] for q in asked) for row in rows.values()) == len(some):
                fitting.append(values)
        if fitting:
            best = min(fitting, key=lambda values: sum(map(len, values.values())))
            answers = [f"`{one}` is {' or '.join(sorted(best[one]))}" for one in best]
            return f"{len(names)} of {len(rows)}: {' and '.join(answers)}"
    return f"{len(names)} of {len(rows)}: {', '.join(f'`{name}`' for name in names)}"


def grouped(found: dict[str, Changes]) -> list[tuple[list[str], Changes]]:
    """Return the combinations with equal changes together, the largest group first."""
    groups: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for name, changed in found.items():
        groups.setdefault(tuple(changed.items()), []).append(name)
    ordered = sorted(groups.items(), key=lambda group: -len(group[1]))
    return [(names, dict(changed)) for changed, names in ordered]


def files(changed: Changes) -> str:
    """Return the names of changed files for a table, only some if there are many."""
    shown = [f"`{path}`" for path in [*changed][:FILES_IN_TABLE]]
    more = len(changed) - len(shown)
    return ", ".join([*shown, *([f"{more} more"] if more else [])]) or "none"


def folded(path: str, where: str, diff: str) -> str:
    """Return a difference as a folded block."""
    hunks = diff.partition("\n@@")[2].split("\n")  # without the lines that name the files
    added, removed = (sum(line.startswith(sign) for line in hunks) for sign in "+-")
    # Longer than any fence in the text.
    longest = max(map(len, re.findall("`+", diff)), default=0)
    fence = "`" * max(3, longest + 1)
    where = re.sub("`([^`]*)`", r"<code>\1</code>", where)
    title = f"<code>{html.escape(path)}</code> +{added} -{removed} ({where})"
    return f"<details><summary>{title}</summary>\n\n{fence}diff\n{diff}\n{fence}\n</details>\n"


def report(base: str, head: str, found: Comparison) -> tuple[str, list[str]]:
    """Return the summary, and a folded block for each different change of a file."""
    count = len(found.changes)
    between = f"from `{base}` to `{head}`"
    if not any([*found.changes.values(), found.gone, found.added]):
        return (
            f"**Generated projects do not change** {between} ({count} combinations of answers).\n",
            [],
        )
    lines = [
        f"### What changes in generated projects {between}",
        "",
        "| Combinations of answers | Files that change |",
        "|---|---|",
    ]
    lines += [
        f"| {described(names, found.rows)} | {files(changed)} |"
        for names, changed in grouped(found.changes)
    ]
    lines += [f"| {title} | {files(changed)} |" for title, changed in found.added.items()]
    if found.gone:
        gone = ", ".join(f"`{name}`" for name in found.gone)
        lines += ["", f"`{head}` does not take the answers of {gone}."]
    blocks: dict[tuple[str, str], list[str]] = {}
    for name, changed in found.changes.items():
        for change in changed.items():
            blocks.setdefault(change, []).append(name)
    # Each file's most common change comes first, so every file gets a place even in a full comment.
    turns: dict[str, int] = {}
    ordered = []
    for (path, diff), names in sorted(blocks.items(), key=lambda block: -len(block[1])):
        turns[path] = turns.get(path, 0) + 1
        ordered.append((turns[path], path, folded(path, described(names, found.rows), diff)))
    details = [block for _, _, block in sorted(ordered, key=lambda entry: entry[:2])]
    details += [
        folded(path, title, diff)
        for title, changed in found.added.items()
        for path, diff in changed.items()
    ]
    return "\n".join([*lines, ""]), details


def fitted(summary: str, blocks: list[str], run: str, limit: int = LIMIT) -> str:
    """Return summary and blocks, without the blocks that do not fit into a comment."""
    if len(whole := "\n".join([summary, *blocks])) <= limit:
        return whole
    place = f"the artifact `{ARTIFACT}` of [this run]({run})" if run else "the file of --full"
    note = (
        "\n**{} of {} differences are left out**: a comment has 65,536 characters. All are in {}.\n"
    )
    room = limit - len(note.format(len(blocks), len(blocks), place))
    text, left = summary[:room], 0
    for block in blocks:
        if len(text) + 1 + len(block) <= room:
            text += f"\n{block}"
        else:
            left += 1
    return text + note.format(left, len(blocks), place)


def main() -> None:
    """Print what changes between two commits."""
    parser = argparse.ArgumentParser(
        description="Say what changes in generated projects between two commits of the template.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("base", help="the older commit, or a branch or tag")
    parser.add_argument("head", nargs="?", default="HEAD", help="the newer one (default: HEAD)")
    parser.add_argument("--full", type=Path, metavar="FILE", help="write all of it into a file")
    parser.add_argument("--run", default="", metavar="URL", help="of the run that has that file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        try:
            base, head = (side(ROOT, ref, Path(cache)) for ref in (options.base, options.head))
            summary, blocks = report(base.commit, head.commit, compare(base, head))
        except DrydockError as error:
            sys.exit(str(error))
    if options.full:
        options.full.write_text("\n".join([summary, *blocks]), "utf-8")
    print(fitted(summary, blocks, options.run), end="")


if __name__ == "__main__":
    main()

"""Check fresh projects of public cookiecutter templates, with drydock and with cruft.

Each project is generated with the default answers and committed, hooks and all. Then `drydock check`, without
`--hooks`, should say that nothing differs, or why it cannot tell. After that, a line is added to the README, and to a
file that a hook has made if there is one: both should be reported, and nothing else.

With `--behind N`, projects are generated from the commit N before the newest: the template has moved, but still
nothing was edited here.

Prints a table in Markdown; exits with 1 if drydock reports an edit that nobody made, or misses one.

    python bench/templates.py
    python bench/templates.py --mirrors '/srv/{owner}/{name}.git' --only wemake --only scverse
"""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from projects import Template, Tools, last_line
from serving import Failure, say

TEMPLATES = (
    Template(
        repository="cookiecutter/cookiecutter-django",
        habits="a hook removes many files and writes random secrets",
    ),
    Template(
        repository="audreyfeldroy/cookiecutter-pypackage",
        habits="hooks",
    ),
    Template(
        repository="drivendataorg/cookiecutter-data-science",
        checkout="v1",
        habits="a branch; a folder's name with blanks in the braces",
    ),
    Template(
        repository="cjolowicz/cookiecutter-hypermodern-python",
        habits="a hook rewrites files",
    ),
    Template(repository="fpgmaas/cookiecutter-uv", habits="a hook removes and moves files"),
    Template(
        repository="ionelmc/cookiecutter-pylibrary",
        packages=("jinja2-time",),
        habits="its own extension of Jinja, answers of the day",
    ),
    Template(
        repository="lacion/cookiecutter-golang",
        habits="a hook removes files, and runs git init",
    ),
    Template(
        repository="wemake-services/wemake-django-template",
        packages=("jinja2-git",),
        habits="somebody's extension of Jinja, hooks",
    ),
    Template(repository="scientific-python/cookie", habits="no hooks; the year; names that vanish"),
    Template(repository="pytest-dev/cookiecutter-pytest-plugin", habits="a hook removes files"),
    Template(
        repository="cookiecutter-flask/cookiecutter-flask",
        answers={
            "app_name": "my_app",
            "project_name": "My App",
            "python_version": "3.13",
            "node_version": "24",
            "use_pipenv": "False",
            "use_heroku": "False",
        },
        habits="no defaults; a hook removes and writes files",
    ),
    Template(
        repository="scverse/cookiecutter-scverse",
        packages=("prek",),
        habits="dictionaries, Jinja's settings, files that are not rendered",
    ),
    Template(
        repository="mariovagomarzal/latex-napkin",
        habits="its own delimiters, in names, too; booleans",
    ),
    Template(
        repository="MolSSI/cookiecutter-cms",
        answers={"author_email": "author@example.com"},
        habits="a hook removes files, runs git init and commits",
    ),
    Template(repository="jupyterlab/extension-cookiecutter-ts", habits="a hook removes files"),
    Template(
        repository="meltano/sdk",
        directory="cookiecutter/tap-template",
        habits="a folder in the repository of a program",
    ),
    Template(
        repository="trailofbits/cookiecutter-python",
        habits="computed private answers; a hook removes and moves files",
    ),
)
# The states of a file that say that somebody edited it here.
HERE = ("edited here", "deleted here", "same change", "merges cleanly", "conflict")
LINE = "\nA line that somebody has added.\n"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the table, without what cannot be said."""

    template: Template
    commit: str
    files: int
    status: int
    edited: int
    by_hook: int
    found: str
    cruft: str
    cruft_found: str
    note: str = ""
    is_wrong: bool = False


def check(tools: Tools, project: Path, *options: str) -> dict[str, Any]:
    """Return drydock's report of a project; an error is one without files."""
    result = tools.ask(project, "drydock", "check", "--json", *options)
    try:
        report: dict[str, Any] = json.loads(result.output)
    except ValueError:
        raise Failure(f"drydock: {last_line(result.errors)}") from None
    return {"drifts": [], "by_hook": [], "files": 0, "behind": 0} | report


def edited(report: dict[str, Any]) -> set[str]:
    """Return the files that a report says were edited here."""
    return {drift["path"] for drift in report["drifts"] if drift["state"].replace("_", " ") in HERE}


def cruft_diff(tools: Tools, project: Path) -> set[str] | str:
    """Return the files that `cruft diff` shows, or why it shows nothing."""
    result = tools.ask(project, "cruft", "diff")
    if result.status:
        return last_line(result.errors)
    lines = re.findall(r"^diff --git (\S+) \S+$", result.output, re.MULTILINE)
    return {line.partition("/")[2] for line in lines}


def victims(tools: Tools, project: Path, report: dict[str, Any]) -> list[str]:
    """Return the files to edit: the README, and one of those that a hook has made, if any."""
    tracked = tools.git(project, "ls-files").splitlines()
    readme = [path for path in tracked if re.match(r"(?i)readme", path)] or tracked
    made = [path for path in report["by_hook"] if path in tracked and path not in readme]
    return readme[:1] + made[:1]


def measure(tools: Tools, template: Template, folder: Path, behind: int) -> Row:
    """Try one template; Failure if it cannot be generated."""
    clone = tools.clone(template, folder / "clone", behind)
    project = tools.generate(template, clone, folder / "output")
    fresh = check(tools, project)
    note = fresh.get("error") or fresh.get("not_known") or ""
    cruft_check = tools.ask(project, "cruft", "check").status
    shown = cruft_diff(tools, project)
    wrong = edited(fresh)
    if note and "--hooks" in note:
        trusted = check(tools, project, "--hooks")
        note += f" With `--hooks`: status {trusted['status']}, {len(edited(trusted))} edits."
    chosen = victims(tools, project, fresh)
    for path in chosen:
        with (project / path).open("a", encoding="utf-8") as file:
            file.write(LINE)
    report = check(tools, project)
    right = edited(report) == wrong | {*chosen}
    after = cruft_diff(tools, project)
    differs = (
        after if isinstance(after, str) else after - ({*shown} if isinstance(shown, set) else set())
    )
    return Row(
        template=template,
        commit=tools.git(clone, "rev-parse", "--short=8", "HEAD"),
        files=fresh["files"],
        status=fresh["status"],
        edited=len(wrong),
        by_hook=len(fresh["by_hook"]),
        found=f"{len((edited(report) - wrong) & {*chosen})} of {len(chosen)}",
        cruft=f"{cruft_check}; " + (shown if isinstance(shown, str) else str(len(shown))),
        cruft_found="-" if isinstance(differs, str) else f"{len({*chosen} & differs)} of {len(chosen)}",
        note=" ".join(note.split()) + ("" if not wrong else f" {', '.join(sorted(wrong)[:5])}"),
        is_wrong=bool(wrong) or (fresh["status"] == 2 and not note) or (not right and not note),
    )  # fmt: skip


def table(rows: Sequence[Row]) -> str:
    """Return the table, in Markdown, with the reasons below it."""
    head = ("template", "habits", "commit", "files", "`drydock check`", "edited", "by hook", "edits found",
            "`cruft check`; files in `cruft diff`", "edits found")  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    notes: list[str] = []
    for row in rows:
        mark = ""
        if row.note:
            notes.append(f"{len(notes) + 1}. {row.template.name}: {row.note}")
            mark = f" ({len(notes)})"
        cells = (
            row.template.name, row.template.habits, row.commit, row.files, f"{row.status}{mark}", row.edited,
            row.by_hook, row.found, row.cruft, row.cruft_found,
        )  # fmt: skip
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join([*lines, *(["", *notes] if notes else [])])


def main() -> int:
    """Measure and print; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--mirrors", metavar="PATTERN", help="where repositories are on this machine, with {owner} and {name}"
    )  # fmt: skip
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="a part of a name"
    )
    parser.add_argument(
        "--behind", type=int, default=0, help="commits before the newest to generate from"
    )
    options = parser.parse_args()
    wanted = [
        template
        for template in TEMPLATES
        if not options.only or any(part in template.name for part in options.only)
    ]
    rows, failures = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tools = Tools(folder, wanted, options.mirrors)
        for number, template in enumerate(wanted):
            say(f"[{number + 1}/{len(wanted)}] {template.name}")
            try:
                rows.append(measure(tools, template, folder / str(number), options.behind))
            except Failure as failure:
                failures.append(f"{template.name}: {failure}")
    print(table(rows))
    for line in failures:
        print(f"\nFAILED: {line}")
    return any(row.is_wrong for row in rows) or bool(failures)


if __name__ == "__main__":
    sys.exit(main())

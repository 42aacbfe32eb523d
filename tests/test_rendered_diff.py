"""The report of what a change to the template changes in generated projects: complete, without repetition, Markdown."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import run, succeed
from tests.support.templates import Template, copied, git
from tools import rendered_diff
from tools.rendered_diff import LIMIT, Comparison, compare, fitted, report, side

TOP = "{{cookiecutter.slug}}"
QUESTIONS: dict[str, Any] = {
    "slug": "site",
    "database": ["mysql", "postgresql", "sqlite"],
    "server": ["uwsgi", "gunicorn"],
    "_refused": {},
}
README = f"{TOP}/README.md"
UWSGI = f"{TOP}/{{{{'uwsgi.ini' if cookiecutter.server == 'uwsgi'}}}}"
FILES: dict[str, str | bytes | None] = {
    "cookiecutter.json": json.dumps(QUESTIONS),
    README: "# {{ cookiecutter.slug }}\n",
    UWSGI: "[uwsgi]\nmaster = true\n",
}


@pytest.fixture
def template(tmp_path: Path) -> Template:
    """Return a small template with one commit."""
    folder = tmp_path / "template"
    folder.mkdir()
    git(folder, "init", "--quiet")
    template = Template(folder)
    template.commit(FILES, "First")
    return template


def compared(template: Template) -> Comparison:
    """Compare the last two commits of a template."""
    cache = template.folder.parent / "cache"
    return compare(*(side(template.folder, ref, cache) for ref in ("HEAD~1", "HEAD")))


def told(template: Template) -> str:
    """Return the report on the last two commits."""
    return fitted(*report("old", "new", compared(template)), run="")


def asking(**questions: Any) -> dict[str, str]:  # noqa: ANN401 -- JSON
    """Return the catalogue with different questions."""
    return {"cookiecutter.json": json.dumps({**QUESTIONS, **questions})}


def titles(text: str) -> list[str]:
    """Return the titles of the folded blocks, without their tags."""
    return [re.sub("<[^>]*>", "", title) for title in re.findall("<summary>(.*)</summary>", text)]


def rows(text: str) -> list[str]:
    """Return the rows of the table, without its head."""
    return [line for line in text.splitlines() if line.startswith("| ")][1:]


def test_no_difference_is_one_line(template: Template) -> None:
    template.commit({"docs/note.md": "Not generated.\n"})
    assert told(template) == (
        "**Generated projects do not change** from `old` to `new` (6 combinations of answers).\n"
    )


def test_a_change_for_everybody_is_shown_once(template: Template) -> None:
    template.commit({README: "# {{ cookiecutter.slug }}\n\nMore.\n"})
    text = told(template)
    assert rows(text) == ["| all 6 combinations | `README.md` |"]
    assert titles(text) == ["README.md +2 -0 (all 6 combinations)"]
    assert (
        "```diff\n--- a/README.md\n+++ b/README.md\n@@ -1 +1,3 @@\n # site\n+\n+More.\n```" in text
    )


def test_a_change_for_some_says_for_whom(template: Template) -> None:
    template.commit({UWSGI: "[uwsgi]\nmaster = false\n"})
    text = told(template)
    assert sorted(rows(text)) == [
        "| 3 of 6: `server` is gunicorn | none |",
        "| 3 of 6: `server` is uwsgi | `uwsgi.ini` |",
    ]
    assert titles(text) == ["uwsgi.ini +1 -1 (3 of 6: server is uwsgi)"]


def test_equal_differences_are_grouped(template: Template) -> None:
    database = "{{ cookiecutter.database if cookiecutter.database != 'mysql' else 'sqlite' }}"
    template.commit({README: f"# {{{{ cookiecutter.slug }}}}\n\n{database}\n"})
    assert sorted(rows(told(template))) == [
        "| 2 of 6: `database` is postgresql | `README.md` |",
        "| 4 of 6: `database` is mysql or sqlite | `README.md` |",
    ]


def test_combinations_with_nothing_in_common_are_named() -> None:
    answers = {f"{a}-{b}-{c}": {"a": a, "b": b, "c": c} for a in "12" for b in "12" for c in "12"}
    described = rendered_diff.described(["1-1-1", "2-2-2"], answers)
    assert described == "2 of 8: `1-1-1`, `2-2-2`"
    assert rendered_diff.described(["1-1-1", "1-1-2"], answers) == "2 of 8: `a` is 1 and `b` is 1"


def test_files_come_and_go_and_change_their_mode(template: Template) -> None:
    script = f"{TOP}/run.sh"
    template.commit({script: "#!/bin/sh\n", f"{TOP}/data.bin": b"\0"})
    (template.folder / script).chmod(0o644)
    template.commit({README: None, f"{TOP}/data.bin": b"\0\1", f"{TOP}/empty.txt": ""})
    text = told(template)
    assert "--- a/README.md\n+++ /dev/null\n@@ -1 +0,0 @@\n-# site" in text
    assert "\nBinary files a/data.bin and b/data.bin differ\n" in text
    assert "--- /dev/null\n+++ b/empty.txt\n" in text
    assert "\nrun.sh is not executable any more\n" in text


def test_lines_are_counted_whatever_they_begin_with(template: Template) -> None:
    grants = f"{TOP}/grants.sql"
    template.commit({grants: "-- who may\nGRANT\n"})
    template.commit({grants: "++ who may\nGRANT"})
    assert titles(told(template)) == ["grants.sql +2 -2 (all 6 combinations)"]
    assert "\\ No newline at end of file\n" in told(template)


def test_a_fence_in_a_file_does_not_end_the_block(template: Template) -> None:
    template.commit({README: "# {{ cookiecutter.slug }}\n\n````sh\nls\n````\n"})
    assert "\n`````diff\n" in told(template)
    assert "\n`````\n</details>\n" in told(template)


def test_what_hooks_write_is_not_compared(template: Template) -> None:
    hook = "import secrets; open('.env', 'w').write(secrets.token_hex())\n"
    template.commit({"hooks/post_gen_project.py": hook})
    assert told(template).startswith("**Generated projects do not change**")


def test_a_new_choice_is_compared_with_another(template: Template) -> None:
    files = asking(server=["uwsgi", "gunicorn", "granian"])
    template.commit({**files, README: "# {{ cookiecutter.server }}\n"})
    template.commit(asking(), "The choice is gone again")
    git(template.folder, "revert", "--no-edit", "HEAD")
    found = compared(template)
    assert [*found.added] == ["`server=granian`, new, compared with `uwsgi`"]
    # The older commit's are unchanged.
    assert len(found.changes) == 6
    assert not any(found.changes.values())
    assert titles(told(template)) == [
        "README.md +1 -1 (server=granian, new, compared with uwsgi)",
        "uwsgi.ini +0 -2 (server=granian, new, compared with uwsgi)",
    ]


def test_projects_have_the_first_choice_of_a_new_question(template: Template) -> None:
    template.commit({**asking(queue=["none", "celery"]), README: "{{ cookiecutter.queue }}\n"})
    found = compared(template)
    assert {changed["README.md"].splitlines()[-1] for changed in found.changes.values()} == {
        "+none"
    }
    assert [*found.added] == ["`queue=celery`, new, compared with `none`"]


@pytest.mark.parametrize(
    "questions",
    [
        {"database": ["mysql", "postgresql"]},
        {"_refused": {"database=sqlite, server=uwsgi": "", "database=sqlite, server=gunicorn": ""}},
    ],
    ids=["gone", "refused"],
)
def test_answers_that_are_not_taken_any_more_are_named(
    template: Template, questions: dict[str, Any]
) -> None:
    template.commit(asking(**questions))
    found = compared(template)
    assert len(found.changes) == 4
    assert all(name.startswith("sqlite-") for name in found.gone)
    assert "`new` does not take the answers of `sqlite-" in told(template)


def test_answers_move_with_their_question(template: Template) -> None:
    renamed = {"server": None, "app_server": QUESTIONS["server"]}
    questions = {**QUESTIONS, **renamed, "_migrations": {"renamed": {"server": "app_server"}}}
    del questions["server"]
    uwsgi = UWSGI.replace("cookiecutter.server", "cookiecutter.app_server")
    files = {"cookiecutter.json": json.dumps(questions), UWSGI: None, uwsgi: FILES[UWSGI]}
    template.commit(files)
    assert told(template).startswith("**Generated projects do not change**")


def test_a_long_comment_is_cut_between_blocks_and_says_so(template: Template) -> None:
    long = "A line of a long file, for {{ cookiecutter.database }}.\n" * 250
    template.commit({f"{TOP}/{number}.txt": long for number in range(5)})
    summary, blocks = report("old", "new", compared(template))
    assert len(blocks) == 15
    text = fitted(summary, blocks, run="https://example.com/7")
    shown = titles(text)
    assert len(text) <= LIMIT < 65_536
    assert text.count("<details>") == text.count("</details>") == len(shown)
    # Each file comes once before any comes a second time.
    assert [title[0] for title in shown[: min(5, len(shown))]] == [*"01234"][: len(shown)]
    assert text.endswith(
        f"\n**{15 - len(shown)} of 15 differences are left out**: a comment has 65,536 characters. All are in the "
        "artifact `rendered-diff` of [this run](https://example.com/7).\n"
    )


@pytest.mark.slow
def test_the_script_compares_two_commits_of_this_template(tmp_path: Path) -> None:
    template = copied(tmp_path / "template")
    path = "templates/choices/app_server/uwsgi/uwsgi.ini"
    changed = (template.folder / path).read_text("utf-8") + "# The end.\n"
    template.commit({path: changed})
    script = template.folder / "tools" / "rendered_diff.py"
    full = tmp_path / "full.md"
    text = succeed(sys.executable, script, "HEAD~1", "HEAD", "--full", full, cwd=tmp_path)
    assert [title.split(" (")[0] for title in titles(text)] == ["uwsgi.ini +1 -0"]
    assert "`app_server` is uwsgi | `uwsgi.ini` |\n" in text
    assert full.read_text("utf-8") == text
    nowhere = run(sys.executable, script, "nowhere", cwd=tmp_path)
    assert nowhere.returncode == 1
    assert "no branch or tag nowhere" in nowhere.stdout

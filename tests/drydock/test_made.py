"""What a template's hooks did is not drift; what was done later is."""

import json
import shutil
from pathlib import Path

import pytest
from cookiecutter.main import cookiecutter

from drydock.chance import settled
from drydock.record import NAME, Record
from drydock.tree import File
from tests.support.templates import FILES, TOP, Drydock, MakeTemplate, Template, git

HOOK = """\
import pathlib
pathlib.Path("README.md").write_text("written by the hook\\n")
pathlib.Path("run.sh").unlink()
pathlib.Path("own.txt").write_text("the hook's\\n")
"""


@pytest.fixture
def hooked(make_template: MakeTemplate) -> Template:
    """Return a template whose hook writes a file, removes one and makes one."""
    return make_template({**FILES, "hooks/post_gen_project.py": HOOK})


def generate(template: Template, folder: Path) -> Path:
    """Generate a project, hooks and all, and write its record."""
    made = cookiecutter(str(template.folder), no_input=True, output_dir=folder, accept_hooks=True)
    project = Path(made)
    answers = {"slug": "site", "database": "mysql", "debug": False}
    record = Record(template=str(template.folder), commit=template.head(), answers=answers)
    (project / NAME).write_text(record.dumps())
    return project


def commit(project: Path) -> None:
    """Commit all of a project."""
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Change")


@pytest.fixture
def made(hooked: Template, tmp_path: Path) -> Path:
    """Return a project that was committed right after its generation."""
    project = generate(hooked, tmp_path / "projects")
    commit(project)
    return project


def paths(drydock: Drydock, project: Path, *words: str) -> dict[str, str]:
    """Return the state of each file that drifted."""
    report = json.loads(drydock("check", project, "--json", *words).stdout)
    return {drift["path"]: drift["state"] for drift in report["drifts"]}


def test_what_hooks_did_is_no_drift(drydock: Drydock, made: Path) -> None:
    result = drydock("check", made)
    assert result.exit_code == 0
    assert "README" not in result.output
    verbose = drydock("check", made, "--verbose").output
    assert "As the template's hooks made them:\n  README.md\n  run.sh\n" in verbose
    assert json.loads(drydock("check", made, "--json").stdout)["by_hook"] == ["README.md", "run.sh"]
    assert drydock("diff", made).output == ""


def test_an_edit_of_what_a_hook_wrote_is_drift(drydock: Drydock, made: Path) -> None:
    (made / "README.md").write_text("written by the hook\nand by me\n")
    (made / "run.sh").write_text("the hook had removed one of that name: this is my own\n")
    assert paths(drydock, made) == {"README.md": "edited here"}
    shown = drydock("diff", made).output
    assert "+and by me" in shown
    assert "written by the hook\n" in shown
    assert "-# site" not in shown


def test_edits_before_an_update_are_drift_after_it(
    drydock: Drydock, hooked: Template, made: Path
) -> None:
    (made / "docker-compose.yml").write_text("services: {}\n")
    commit(made)
    sha = hooked.commit({f"{TOP}/new.txt": "new\n", f"{TOP}/gone.txt": "gone\n"})
    text = (made / NAME).read_text()
    old = json.loads(text)["commit"]
    (made / NAME).write_text(text.replace(old, sha))
    (made / "new.txt").write_text("new\n")  # and a hook removed the other
    commit(made)
    assert paths(drydock, made) == {"docker-compose.yml": "edited here"}
    (made / "new.txt").unlink()
    assert paths(drydock, made)["new.txt"] == "deleted here"


def test_an_edit_of_a_file_that_git_ignores_is_drift(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    # Under its own name, it would count in the template, too.
    ignore = f"{TOP}/{{% if true %}}.gitignore{{% endif %}}"
    ignored = {ignore: "local/\n", f"{TOP}/local/a.cfg": "a\n", f"{TOP}/local/b.cfg": "b\n"}
    hook = {"hooks/post_gen_project.py": "import os\nos.unlink('local/b.cfg')\n"}
    project = generate(make_template({**ignored, **hook}), tmp_path / "projects")
    commit(project)
    assert paths(drydock, project) == {}
    (project / "local/a.cfg").write_text("mine\n")
    assert paths(drydock, project) == {"local/a.cfg": "edited here"}


def test_without_a_history_it_says_so(drydock: Drydock, hooked: Template, tmp_path: Path) -> None:
    project = generate(hooked, tmp_path / "projects")
    result = drydock("check", project)
    assert result.exit_code == 1
    assert "2 differ, and the template's hooks may have made some of them." in result.output
    assert "not in a git repository" in result.output


def test_a_record_that_came_later_tells_nothing(
    drydock: Drydock, hooked: Template, tmp_path: Path
) -> None:
    project = generate(hooked, tmp_path / "projects")
    record = (project / NAME).read_text()
    (project / NAME).unlink()
    commit(project)
    (project / "docker-compose.yml").write_text("services: {}\n")
    (project / NAME).write_text(record)
    commit(project)
    result = drydock("check", project)
    assert "docker-compose.yml" in result.output
    assert "older than its record" in result.output


COMMITTING = (
    HOOK
    + """
import subprocess
identity = ["-c", "user.name=Hook", "-c", "user.email=hook@example.com"]
for command in (["init", "--quiet"], ["add", "--all"], [*identity, "commit", "--quiet", "-m", "Made from a template"]):
    subprocess.run(["git", *command], check=True)
"""
)


@pytest.fixture
def committed(make_template: MakeTemplate, tmp_path: Path) -> Path:
    """Return a project that a hook has committed; its record came after that."""
    template = make_template({**FILES, "hooks/post_gen_project.py": COMMITTING})
    return generate(template, tmp_path / "projects")


def test_a_hook_that_commits_tells_before_the_record_is_committed(
    drydock: Drydock, committed: Path
) -> None:
    assert drydock("check", committed).exit_code == 0
    assert "\n  README.md\n  run.sh\n" in drydock("check", committed, "--verbose").output


def test_a_hook_that_commits_tells_of_no_edit_since(drydock: Drydock, committed: Path) -> None:
    (committed / "README.md").write_text("written by the hook\nand by me\n")
    (committed / "docker-compose.yml").write_text("services: {}\n")
    edited = {"README.md": "edited here", "docker-compose.yml": "edited here"}
    assert paths(drydock, committed) == edited
    commit(committed)
    assert paths(drydock, committed) == edited


def test_a_commit_between_a_hooks_and_the_record_leaves_it_unknown(
    drydock: Drydock, committed: Path
) -> None:
    (committed / "README.md").write_text("mine\n")
    git(committed, "add", "README.md")
    git(committed, "commit", "--quiet", "--message", "Mine")
    commit(committed)
    assert "older than its record" in drydock("check", committed).output
    assert paths(drydock, committed) == {"README.md": "edited here", "run.sh": "deleted here"}


@pytest.mark.parametrize("message", ["All of it", "init", "from a template"])
def test_a_first_commit_that_is_not_the_hooks_tells_nothing(
    drydock: Drydock, committed: Path, message: str
) -> None:
    (committed / "README.md").write_text("mine\n")
    git(committed, "add", "README.md")
    git(committed, "commit", "--quiet", "--amend", "--message", message)
    commit(committed)
    assert "older than its record" in drydock("check", committed).output


def test_a_shallow_clone_says_so(drydock: Drydock, made: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{made}", "shallow")
    assert "its clone is shallow" in drydock("check", tmp_path / "shallow").output


def test_a_project_in_a_folder_of_a_repository(
    drydock: Drydock, hooked: Template, tmp_path: Path
) -> None:
    project = generate(hooked, tmp_path / "repository/services")
    commit(tmp_path / "repository")
    assert drydock("check", project).exit_code == 0


def test_edits_before_a_move_in_the_repository_are_drift_after_it(
    drydock: Drydock, hooked: Template, tmp_path: Path
) -> None:
    top = tmp_path / "repository"
    project = generate(hooked, top)
    commit(top)
    sha = hooked.commit({f"{TOP}/new.txt": "new\n", f"{TOP}/gone.txt": "gone\n"})
    text = (project / NAME).read_text()
    (project / NAME).write_text(text.replace(json.loads(text)["commit"], sha))
    (project / "new.txt").write_text("new\n")  # and a hook removed the other
    commit(top)
    (project / "docker-compose.yml").write_text("services: {}\n")
    commit(top)
    before = paths(drydock, project)
    assert before == {"docker-compose.yml": "edited here"}
    for place in ("services/web", "other"):
        (top / place).parent.mkdir(exist_ok=True)
        project = project.rename(top / place)
        commit(top)
        assert paths(drydock, project) == before


@pytest.fixture
def edited(hooked: Template, tmp_path: Path) -> Path:
    """Return a project in a folder of a repository, with an edit in a later commit."""
    top = tmp_path / "repository"
    project = generate(hooked, top)
    commit(top)
    (project / "docker-compose.yml").write_text("services: {}\n")
    commit(top)
    return project


def test_edits_before_a_copy_in_the_repository_are_drift_after_it(
    drydock: Drydock, edited: Path
) -> None:
    top = edited.parent
    shutil.copytree(edited, top / "copy")
    commit(top)
    assert paths(drydock, top / "copy") == {"docker-compose.yml": "edited here"}


def test_a_move_with_a_change_of_the_record_leaves_it_unknown(
    drydock: Drydock, edited: Path
) -> None:
    top = edited.parent
    project = edited.rename(top / "moved")
    (project / NAME).write_text((project / NAME).read_text() + "\n")
    commit(top)
    output = drydock("check", project).output
    assert "docker-compose.yml" in output
    assert "the project may have been moved from site/ when .cruft.json changed" in output


def test_projects_of_one_repository_have_histories_of_their_own(
    drydock: Drydock, hooked: Template, tmp_path: Path
) -> None:
    top = tmp_path / "repository"
    generate(hooked, top / "one")
    commit(top)
    (top / "one/site/docker-compose.yml").write_text("services: {}\n")
    hooked.commit({f"{TOP}/new.txt": "new\n"})
    other = generate(hooked, top / "two")
    commit(top)
    assert paths(drydock, other) == {}


def test_a_template_may_declare_what_its_hooks_write(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    questions = {"slug": "site", "database": ["mysql"], "_by_hook": ["README.md", "*.sh"]}
    template = make_template({**FILES, "hooks/post_gen_project.py": HOOK}, questions)
    project = generate(template, tmp_path / "projects")
    (project / "docker-compose.yml").unlink()
    assert paths(drydock, project) == {"docker-compose.yml": "deleted here"}


def test_ends_of_lines_that_git_changed_are_no_edit(drydock: Drydock, project: Path) -> None:
    (project / ".gitattributes").write_text("*.md text eol=crlf\n")
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Change")
    (project / "README.md").unlink()
    git(project, "checkout", "README.md")
    assert b"\r\n" in (project / "README.md").read_bytes()
    assert paths(drydock, project) == {}
    (project / "run.sh").write_bytes((project / "run.sh").read_bytes().replace(b"\n", b"\r\n"))
    assert paths(drydock, project) == {"run.sh": "edited here"}


@pytest.mark.parametrize("attributes", ["", "*.bat text eol=crlf\n", "* text=auto\n"])
def test_ends_of_lines_that_the_template_asks_for_are_no_edit(
    attributes: str, drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    template = make_template({
        ".gitattributes": "*.bat text eol=crlf\n",
        f"{TOP}/.gitattributes": attributes,
        f"{TOP}/run.bat": "echo 1\n",
        "hooks/post_gen_project.py": "",
    })  # fmt: skip
    (template.folder / TOP / "run.bat").unlink()
    git(template.folder, "checkout", "--quiet", TOP)
    project = template.generate(tmp_path / "projects")
    assert (project / "run.bat").read_bytes() == b"echo 1\r\n"
    commit(project)
    assert paths(drydock, project) == {}
    clone = tmp_path / "clone"
    git(project, "clone", "--quiet", str(project), str(clone))
    assert paths(drydock, clone) == {}
    template.commit({f"{TOP}/run.bat": "echo 2\n"})
    assert drydock("update", clone).exit_code == 0
    assert (clone / "run.bat").read_bytes() == b"echo 2\r\n"
    commit(clone)
    assert paths(drydock, clone) == {}
    (clone / "run.bat").write_bytes(b"mine\r\n")
    commit(clone)
    assert drydock("restore", clone, "run.bat").exit_code == 0
    assert git(clone, "diff", "HEAD~1", "--", "run.bat") == ""
    assert paths(drydock, clone) == {}


def test_a_mode_counts_where_there_are_modes(drydock: Drydock, project: Path) -> None:
    git(project, "init", "--quiet")
    (project / "run.sh").chmod(0o644)
    assert paths(drydock, project) == {"run.sh": "edited here"}
    git(project, "config", "core.fileMode", "false")
    assert paths(drydock, project) == {}


RANDOM = """\
import secrets
from pathlib import Path

text = Path("settings").read_text()
Path("settings").write_text(text.replace("CHANGE-ME", secrets.token_hex(20)))
"""
SETTINGS = "HOST = 'db'\nSECRET_KEY = 'CHANGE-ME'\nPORT = 1\n"


@pytest.fixture
def keyed(make_template: MakeTemplate) -> Template:
    """Return a template whose hook writes a random key."""
    return make_template(
        {**FILES, f"{TOP}/settings": SETTINGS, "hooks/post_gen_project.py": RANDOM}
    )


@pytest.mark.slow
def test_what_hooks_made_at_random_is_no_drift(
    drydock: Drydock, keyed: Template, tmp_path: Path
) -> None:
    project = generate(keyed, tmp_path / "projects")  # Not committed: git may ignore such a file.
    result = drydock("check", project, "--hooks", "-v")
    assert result.exit_code == 0, result.output
    assert "As the template's hooks made them:\n  settings\n" in result.output
    settings = project / "settings"
    text = settings.read_text()
    settings.write_text(text.replace("PORT = 1", "PORT = 2"))
    assert paths(drydock, project, "--hooks") == {"settings": "edited here"}
    shown = drydock("diff", project, "--hooks", "--local").output
    assert "PORT = 2" in shown
    assert "-SECRET_KEY" not in shown


@pytest.mark.slow
def test_an_update_keeps_what_hooks_made_at_random(
    drydock: Drydock, keyed: Template, tmp_path: Path
) -> None:
    project = generate(keyed, tmp_path / "projects")
    commit(project)
    key = next(line for line in (project / "settings").read_text().splitlines() if "KEY" in line)
    # Next to the key, so that no merge by line could keep it.
    changed = SETTINGS.replace("PORT = 1", "PORT = 5").replace("'db'", "'other'")
    keyed.commit({f"{TOP}/settings": changed})
    assert drydock("update", project, "--hooks").exit_code == 0
    assert (project / "settings").read_text() == f"HOST = 'other'\n{key}\nPORT = 5\n"
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Update")
    assert drydock("check", project, "--hooks").exit_code == 0


@pytest.mark.parametrize(
    ("one", "two", "mine", "expected"),
    [
        ("KEY=a1\n", "KEY=b2\n", "KEY=c\n", "KEY=c\n"),
        ("KEY=a1\n", "KEY=a2\n", "KEY=c\n", "KEY=c\n"),  # alike by chance
        ("KEY=a1\n", "KEY=b2\n", "OTHER=c\n", "KEY=a1\n"),
        ("a1\n", "b2\n", "c\n", "a1\n"),  # nothing to tell the line by
        ("    a1\n", "    b2\n", "    c\n", "    a1\n"),
        ("KEY=a1\nKEY=3\n", "KEY=b2\nKEY=3\n", "KEY=c\nKEY=3\n", "KEY=a1\nKEY=3\n"),
        ("KEY=a1", "KEY=b2\nX=1", "KEY=c", "KEY=c"),
    ],
)
def test_the_line_of_a_random_value_is_the_project_s(
    one: str, two: str, mine: str, expected: str
) -> None:
    base, again, here = ({"x": File(data=text.encode())} for text in (one, two, mine))
    for tree in settled(base, again, base, here):
        assert tree["x"].text == expected


def test_random_bytes_and_files_of_one_render_are_as_rendered() -> None:
    base, again = ({"x": File(data=data), "y": File(data=b"KEY=1")} for data in (b"\xff", b"\xfe"))
    del again["y"]
    assert settled(base, again, {}, base) == (base, {})

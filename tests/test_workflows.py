"""The workflows of this repository: they are well-formed, have few rights, and their decisions are right."""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.catalogue import ROOT
from tests.support.commands import run, succeed, tool
from tools import docs

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def name(path: Path) -> str:
    """Name a workflow in a test's id."""
    return path.stem


def load(path: Path) -> dict[str, Any]:
    """Return a workflow."""
    workflow = yaml.safe_load(path.read_text("utf-8"))
    assert isinstance(workflow, dict)
    return workflow


def triggers(path: Path) -> dict[str, Any]:
    """Return what starts a workflow: `on`, a key that is a boolean in YAML 1.1."""
    return {**load(path)[True]}  # type: ignore[index]


def step(workflow: str, title: str) -> str:
    """Return the script of a step."""
    jobs = load(ROOT / ".github" / "workflows" / workflow)["jobs"].values()
    steps = [step for job in jobs for step in job["steps"] if step.get("name") == title]
    assert len(steps) == 1
    return str(steps[0]["run"])


def test_actionlint_finds_nothing() -> None:
    shellcheck = f"-shellcheck={tool('shellcheck')}"
    assert succeed(tool("actionlint"), shellcheck, *WORKFLOWS, cwd=ROOT) == ""


def test_zizmor_finds_nothing() -> None:
    succeed(tool("zizmor"), "--offline", "--pedantic", "--quiet", ".github", cwd=ROOT)


def test_schemas_of_github_are_kept() -> None:
    check = [tool("check-jsonschema"), "--builtin-schema"]
    succeed(*check, "vendor.github-workflows", *WORKFLOWS, cwd=ROOT)
    succeed(*check, "vendor.dependabot", ".github/dependabot.yml", cwd=ROOT)


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_a_workflow_has_no_rights_but_those_of_its_jobs(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]["group"]
    for job in workflow["jobs"].values():
        assert job["permissions"]
        assert job["timeout-minutes"] <= 60


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_actions_are_pinned(path: Path) -> None:
    used = re.findall(r"uses: (.*)", path.read_text("utf-8"))
    assert [use for use in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", use)] == []


def test_an_action_has_one_version() -> None:
    used = {use for path in WORKFLOWS for use in re.findall(r"uses: (.*)", path.read_text("utf-8"))}
    assert len({use.partition("@")[0] for use in used}) == len(used)


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_code_of_a_pull_request_meets_no_rights(path: Path) -> None:
    started_by = triggers(path)
    assert "pull_request_target" not in started_by
    for job in load(path)["jobs"].values():
        rights = {right for right in job["permissions"].values() if right != "read"}
        if "pull_request" in started_by:
            assert not rights
        if "workflow_run" in started_by:
            assert not [step for step in job["steps"] if "uses" in step]


def test_the_comment_follows_the_comparison() -> None:
    follows = triggers(ROOT / ".github/workflows/rendered-diff-comment.yml")["workflow_run"]
    compares = load(ROOT / ".github/workflows/rendered-diff.yml")
    assert follows["workflows"] == [compares["name"]]
    uploads = [step for step in compares["jobs"]["compare"]["steps"] if "upload-" in str(step)]
    assert f"--name {uploads[0]['with']['name']} " in step(
        "rendered-diff-comment.yml", "Write the comment, or bring it up to date"
    )


def test_what_is_published_is_what_make_docs_builds() -> None:
    path = ROOT / ".github/workflows/documentation.yml"
    assert triggers(path)["push"] == {"branches": ["main"]}
    jobs = load(path)["jobs"]
    (build,) = (step for step in jobs["build"]["steps"] if "run" in step)
    assert build["run"] == "make docs"
    (upload,) = (step for step in jobs["build"]["steps"] if "pages-artifact@" in str(step))
    assert ROOT / upload["with"]["path"] == docs.SITE
    # Only the job that runs none of this repository's code may publish.
    rights = {name: {*job["permissions"]} for name, job in jobs.items()}
    assert rights == {"build": {"contents"}, "publish": {"pages", "id-token"}}
    assert jobs["publish"]["needs"] == "build"
    assert not [step for step in jobs["publish"]["steps"] if "run" in step]


def test_tools_have_the_versions_that_are_pinned_elsewhere() -> None:
    audit = (ROOT / "{{cookiecutter.project_slug}}/.github/workflows/audit.yml").read_text("utf-8")
    ours = step("audit.yml", "Look the versions up")
    assert re.findall(r"pip-audit==\S+", ours) == re.findall(r"pip-audit==\S+", audit) != []
    uv = re.findall(r"uv==\S+", step("release.yml", "Publish"))
    pinned = (ROOT / "requirements-dev.txt").read_text("utf-8")
    assert uv == re.findall(r"(?m)^uv==\S+", pinned) != []


def stub(folder: Path, program: str, script: str) -> dict[str, str]:
    """Put a program first in the PATH; return the environment."""
    path = folder / "bin" / program
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}")
    path.chmod(0o755)
    return {"PATH": f"{path.parent}:{os.environ['PATH']}", "LOG": str(folder / "log")}


@pytest.mark.parametrize("bad", ["", "5.2.txt"], ids=["none", "the first"])
def test_every_file_of_pins_is_audited(bad: str, tmp_path: Path) -> None:
    script = 'for last; do :; done\necho "$last" >>"$LOG"\n[ "${last##*/}" != "$BAD" ]\n'
    env = {**stub(tmp_path, "pipx", script), "BAD": bad}
    result = run("bash", "-e", "-c", step("audit.yml", "Look the versions up"), cwd=ROOT, env=env)
    assert result.returncode == (1 if bad else 0)
    pins = sorted(f"templates/pins/{path.name}" for path in ROOT.glob("templates/pins/*"))
    tools = ["requirements-dev.txt", "requirements-docs.txt"]
    assert (tmp_path / "log").read_text().split() == [*tools, *pins]


@pytest.mark.parametrize("already", [0, 1], ids=["none is open", "one is open"])
def test_an_issue_is_opened_once(already: int, tmp_path: Path) -> None:
    script = f'[ "$2" = list ] && echo {already} && exit\necho "$@" >>"$LOG"\n'
    env = {**stub(tmp_path, "gh", script), "TITLE": "Failed", "RUN": "https://example.com/7"}
    issue = step("audit.yml", "Open an issue, unless one is open")
    succeed("bash", "-e", "-c", issue, cwd=tmp_path, env=env)
    log = tmp_path / "log"
    assert log.exists() == (not already)
    if not already:
        assert log.read_text().startswith("issue create --title Failed --body https://example.com")


MARK = "<!-- rendered difference -->"
BOT = {"login": "github-actions[bot]"}
# Stands in for GitHub's API: answers from files, filtered by --jq like `gh`, and records what is written.
GITHUB = """\
case "$*" in
  *"run download"*) mkdir -p reports; echo "The difference." >reports/comment.md; exit;;
  *"--method P"*) echo "$4 $5" >>"$LOG"; cat body.md >>"$LOG"; exit;;
  */pulls*) answer=pulls.json;;
  */comments*) answer=comments.json;;
esac
while [ "$1" != --jq ]; do shift; done
jq --raw-output "$2" "$answer"
"""


@pytest.mark.skipif(not shutil.which("jq"), reason="jq, which stands for that of gh, is not here")
@pytest.mark.parametrize(
    ("comments", "written"),
    [
        ([], "POST repos/o/r/issues/3/comments"),
        ([{"id": 1, "user": BOT, "body": "Another."}], "POST repos/o/r/issues/3/comments"),
        (
            [
                {"id": 1, "user": {"login": "eve"}, "body": f"{MARK} by hand"},
                {"id": 2, "user": BOT, "body": f"{MARK}\nbefore"},
            ],
            "PATCH repos/o/r/issues/comments/2",
        ),
    ],
    ids=["no comment", "comments of others", "its own"],
)
def test_there_is_one_comment(comments: list[Any], written: str, tmp_path: Path) -> None:
    assert comment(tmp_path, "abc", comments) == f"{written}\n{MARK}\nThe difference.\n"


@pytest.mark.skipif(not shutil.which("jq"), reason="jq, which stands for that of gh, is not here")
def test_an_older_commit_is_not_commented_on(tmp_path: Path) -> None:
    assert comment(tmp_path, "older", []) == ""


def comment(folder: Path, commit: str, comments: list[Any]) -> str:
    """Run the step that comments; return what it wrote to GitHub."""
    (folder / "pulls.json").write_text(json.dumps([{"number": 3, "head": {"sha": "abc"}}]))
    (folder / "comments.json").write_text(json.dumps(comments))
    env = {
        **stub(folder, "gh", GITHUB),
        **{"BRANCH": "topic", "COMMIT": commit, "GH_REPO": "o/r", "MARK": MARK},
        **{"OWNER": "eve", "RUN": "7"},
    }
    script = step("rendered-diff-comment.yml", "Write the comment, or bring it up to date")
    succeed("bash", "-e", "-c", script, cwd=folder, env=env)
    log = folder / "log"
    return log.read_text() if log.exists() else ""

"""The commands that this repository's documents give, and what runs them."""

import re

from tests.support.documents import ELSEWHERE, ON_A_SERVER
from tests.support.documents import REASONS as OF_A_PROJECT

BLOCK = re.compile(r"(?ms)^```sh\n(.*?)^```$")


def code(markdown: str, language: str, words: str) -> str:
    """Return the block of a document in a language that has some words."""
    blocks = re.findall(rf"(?ms)^```{language}\n(.*?)^```$", markdown)
    return str(next(block for block in blocks if words in block))


def shell(markdown: str) -> list[str]:
    """Return the commands in a document's shell blocks, without comments; a loop is one."""
    found: list[str] = []
    for block in BLOCK.findall(markdown):
        loop: list[str] = []
        for line in re.sub(r"(?m)(^|[ \t]+)# .*", "", block).splitlines():
            if loop or line.startswith("for "):
                loop.append(line)
                if line.endswith("done"):
                    found.append("\n".join(loop))
                    loop = []
            elif line:
                found.append(line)
    return list(dict.fromkeys(found))


# Those of projects, as in tests/support/documents.py; those that other tests run, and where; those that none runs, and why.
TUTORIAL = "test_docs.py::test_the_tutorial_leads_where_it_says"
ROLL_OUT = "test_docs.py::test_a_change_is_rolled_out_as_written"
RUN = {
    "make (app NAME=notices|test|lint|format)": TUTORIAL,
    "uv run python manage.py makemigrations notices": TUTORIAL,
    'git init|git add --all|git commit --message ".*"': TUTORIAL,
    r"for project in \*/; do(?s:.)*": ROLL_OUT,
    "git tag v1.2.0": ROLL_OUT,
    "drydock new gh:ORG/django-drydock( deploy=ssh| services=http)?": "drydock/test_new.py::test_this_template_gives_the_bytes_that_cookiecutter_gives",
    "make (lock|upgrade)|uv add django-taggit": "test_project.py::test_make_lock_follows_the_list_of_packages_and_make_upgrade_renews_all",
    "drydock check": "drydock/test_commands.py::test_each_state_of_a_file",
    "drydock preview --set database=postgresql": "drydock/test_commands.py::test_preview_shows_what_an_answer_would_change_and_writes_nothing",
    "drydock update|git add docker-compose.yml|drydock update --(continue|abort)": "drydock/test_update.py::test_a_conflict_has_marks_and_three_versions",
    "drydock update --dry-run": "drydock/test_update.py::test_a_dry_run_writes_nothing",
    "drydock update --set database=postgresql": "drydock/test_update.py::test_new_and_changed_answers_are_recorded",
    "drydock accept .*": "drydock/test_accept.py::test_what_is_accepted_is_no_drift",
    "drydock restore .*": "drydock/test_accept.py::test_a_file_is_restored",
    "docker network create .* services|docker compose up --detach|docker compose exec -T backend python manage.py spectacular .*": "stack/test_services.py::services",
    "make docs": "test_docs.py::test_the_site_is_built_without_a_warning",
}
REASONS = {
    "docker compose exec backend python manage.py shell .*": "the tutorial's own tests make such rows",
    "pip install .*": "it asks the package index",
    "git (push|clone) .*": "it needs a repository on another machine",
    "git diff": "git's own",
    "make install test lint": "the tutorial's test runs what it consists of",
    "pre-commit install": "it writes into this repository's .git",
    "make test-fast": "it runs these tests",
    "exit": "it ends the login before it",
}
PATTERNS = [*ON_A_SERVER, *ELSEWHERE, *OF_A_PROJECT, *RUN, *REASONS]

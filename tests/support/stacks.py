"""The stacks that the tests start, chosen from the catalogue so that a new choice joins by itself."""

import itertools
import os
from typing import Any

import pytest

from tests.support.catalogue import CATALOGUE
from tests.support.choices import allowed, choices

Answers = dict[str, str]

# The stacks that tests have made, and that are not stopped yet.
MADE: pytest.StashKey[list[Any]] = pytest.StashKey()


def stop_all(config: pytest.Config) -> None:
    """Stop the stacks that tests have made."""
    for stack in config.stash.get(MADE, []):
        stack.down()
    config.stash[MADE] = []


# `make endurance` runs the long forms.
LONG = os.environ.get("ENDURANCE") == "long"
only_in_the_long_form = pytest.mark.skipif(not LONG, reason="make endurance runs it")


def servers(answers: Answers, catalogue: dict[str, Any]) -> list[str]:
    """Return which of the database and the cache are servers, by the names of their services."""
    images = catalogue["_databases"] | catalogue["_caches"]
    names = (answers["database"], answers["cache"])
    return [name for name in names if images[name]["image"]]


def spread(answers: Answers, question: str, start: int, catalogue: dict[str, Any]) -> Answers:
    """Return the answers with one to another question: the choice at a position, or the next that is allowed."""
    values = choices(catalogue)[question]
    for value in (values[(start + step) % len(values)] for step in range(len(values))):
        if allowed(more := {**answers, question: value}, catalogue):
            return more
    raise ValueError(f"no {question} goes together with {answers}")


def stacks(catalogue: dict[str, Any]) -> dict[str, Answers]:
    """Return stacks of production, by name: every database, cache and application server is in one.

    A stack has a server for both database and cache, or for neither; each application server is combined
    with a database server at least once. The first stack has the first choices.
    """
    questions = {name: choices(catalogue)[name] for name in ("database", "cache", "app_server")}
    rows = [
        dict(zip(questions, row, strict=True)) for row in itertools.product(*questions.values())
    ]
    rows = [row for row in rows if len(servers(row, catalogue)) != 1 and allowed(row, catalogue)]

    def covered(row: Answers) -> set[tuple[str, str]]:
        return {
            (question, choice)
            for question, choice in row.items()
            if question != "app_server" or servers(row, catalogue)
        }

    found: dict[str, Answers] = {}
    missing = set().union(*map(covered, rows))
    while missing:
        best = max(rows, key=lambda row: len(covered(row) & missing))
        missing -= covered(best)
        answers = best
        for question in ("django_version", "package_manager"):
            answers = spread(answers, question, len(found), catalogue)
        found["-".join(best.values())] = answers
    return found


def developments(catalogue: dict[str, Any]) -> dict[str, Answers]:
    """Return stacks of development, by name: one for each database, with different pairs from production's."""
    questions = choices(catalogue)
    found: dict[str, Answers] = {}
    for index, database in enumerate(questions["database"]):
        caches = [
            {"database": database, "cache": name}
            for name in questions["cache"]
            if len(servers({"database": database, "cache": name}, catalogue)) != 1
        ]
        answers = caches[-index % len(caches)]
        places = {"django_version": index + 1, "package_manager": -index, "code_style": index // 2}
        for question, place in places.items():
            answers = spread(answers, question, place, catalogue)
        found["-".join(answers.values())] = answers
    return found


STACKS = stacks(CATALOGUE)
DEVELOPMENTS = developments(CATALOGUE)

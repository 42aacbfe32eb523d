"""The answers that go together, read from the catalogue: `cookiecutter.json`, of any commit."""

import itertools
from collections.abc import Iterator
from typing import Any

import covertable


def choices(catalogue: dict[str, Any]) -> dict[str, list[str]]:
    """Return the questions with choices: name to choices, the default first.

    The choices of a yes-or-no question are written as on the command line.
    """
    return {
        name: values if isinstance(values, list) else ["true", "false"][:: 1 if values else -1]
        for name, values in catalogue.items()
        if isinstance(values, list | bool) and not name.startswith("_")
    }


def parts(words: str) -> dict[str, str]:
    """Return the answers in the text of a refused combination: `database=sqlite, cache=redis`."""
    return dict(word.split("=") for word in words.split(", "))


def allowed(answers: dict[str, str], catalogue: dict[str, Any]) -> bool:
    """Tell whether no refused combination is among the answers."""
    return not any(parts(words).items() <= answers.items() for words in catalogue["_refused"])


def combinations(catalogue: dict[str, Any]) -> list[dict[str, str]]:
    """Return combinations that contain every pair of choices, and no refused combination."""
    refused = [
        {
            "operator": "not",
            "condition": {
                "operator": "and",
                "conditions": [
                    {"operator": "eq", "left": name, "value": choice}
                    for name, choice in parts(words).items()
                ],
            },
        }
        for words in catalogue["_refused"]
    ]
    questions = choices(catalogue)
    rows = covertable.make(questions, constraints=refused)
    return [{name: row[name] for name in questions} for row in rows]


def pairs(answers: dict[str, str]) -> set[tuple[tuple[str, str], ...]]:
    """Return the pairs of choices among some answers."""
    return set(itertools.combinations(sorted(answers.items()), 2))


def few(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return as few of the combinations as still contain every choice that is in any of them."""
    missing = set().union(*(row.items() for row in rows))
    found = []
    while missing:
        best = max(rows, key=lambda row: len(row.items() & missing))
        missing -= best.items()
        found.append(best)
    return found


def everything(catalogue: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Yield all combinations of choices that are not refused."""
    questions = choices(catalogue)
    for row in itertools.product(*questions.values()):
        answers = dict(zip(questions, row, strict=True))
        if allowed(answers, catalogue):
            yield answers


def label(answers: dict[str, str]) -> str:
    """Return the name of a combination for a test's id."""
    words = {"true": "{}", "false": "no_{}"}
    return "-".join(words.get(value, value).format(name) for name, value in answers.items())

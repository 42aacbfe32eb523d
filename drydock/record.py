"""The record of a generation, `.cruft.json`: which template, at which commit, with which answers.

The format is cruft's, so cruft's own commands work on the project, too.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drydock.errors import DrydockError
from drydock.tree import text_at

NAME = ".cruft.json"
# What cookiecutter and cruft add to a template's variables.
ADDED = ("_template", "_commit", "_checkout", "_output_dir", "_repo_dir")


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a project was generated from.

    `answers` maps the template's questions to answers. `skip` are paths and patterns, as cruft reads
    them, of files that are not compared. `taken` are files of a later commit than `commit`: path to
    that. `private` are the variables that a program recorded besides: `_template`, `__computed`.
    """

    template: str
    commit: str
    answers: dict[str, Any]
    checkout: str | None = None
    directory: str | None = None
    skip: tuple[str, ...] = field(default=())
    taken: dict[str, str] = field(default_factory=dict)
    private: dict[str, Any] = field(default_factory=dict)

    def surroundings(self, commit: str) -> dict[str, Any]:
        """Return the private variables that the program which made a project adds to the template's own.

        They are those of the record, as of a commit; for a record without any, cookiecutter's.
        """
        now = {"_template": self.template, "_commit": commit, "_checkout": self.checkout}
        recorded = {name: self.private[name] for name in ADDED if name in self.private}
        names = recorded or ("_template", "_checkout")
        return {**recorded, **{name: value for name, value in now.items() if name in names}}

    def dumps(self) -> str:
        """Return the text of the file."""
        record: dict[str, Any] = {
            "template": self.template,
            "commit": self.commit,
            "checkout": self.checkout,
            "context": {"cookiecutter": {**self.answers, **self.private}},
            "directory": self.directory,
        }
        if self.skip:
            record["skip"] = list(self.skip)
        return text_of_json(record)


def project_of(folder: Path) -> Path:
    """Return the project that a folder is in: the nearest folder with a record, up to the top of its repository.

    Where there is none, or no repository, it is the folder itself.
    """
    place = folder.resolve()
    above = [place, *place.parents]
    tops = [number for number, parent in enumerate(above) if (parent / ".git").exists()]
    inside = above[: tops[0] + 1] if tops else []
    nearest = next((parent for parent in inside if (parent / NAME).exists()), place)
    return folder if nearest == place else nearest


def skip_of(project: Path) -> tuple[str, ...]:
    """Return what a project's record skips; nothing if there is no record, or it is broken."""
    try:
        return read_record(project).skip
    except DrydockError:
        return ()


def read_record(project: Path) -> Record:
    """Read the record of a project's folder; DrydockError if there is none, or it is broken."""
    path = project / NAME
    try:
        text = text_at(path)
    except FileNotFoundError:
        message = (
            f"{path}: no such file, so it is unknown which template this project is from. "
            "`drydock init TEMPLATE` finds out and writes the file."
        )
        raise DrydockError(message) from None
    except (OSError, UnicodeDecodeError) as error:
        raise DrydockError(f"{path}: cannot be read: {error}") from None
    return loads(text, str(path))


def loads(text: str, name: str = NAME) -> Record:
    """Return the record in a text; DrydockError that names the file and what is missing."""
    mend = "Restore it from an earlier commit, or let `drydock init TEMPLATE` rewrite it."
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        if "<<<<<<<" in text:
            raise DrydockError(
                f"{name}: has merge conflict markers. Resolve the conflict, then try again."
            ) from None
        raise DrydockError(f"{name}: is not JSON: {error}. {mend}") from None
    if not isinstance(data, dict):
        raise DrydockError(f"{name}: is not a JSON object. {mend}")

    def text_of(key: str) -> str:
        value = data.get(key)
        if not isinstance(value, str) or not value or "\0" in value:
            raise DrydockError(f"{name}: `{key}` is missing or not a string. {mend}")
        return value

    def optional(key: str) -> str | None:
        return text_of(key) if data.get(key) is not None else None

    context = data.get("context")
    answers = context.get("cookiecutter") if isinstance(context, dict) else None
    if not isinstance(answers, dict):
        raise DrydockError(f"{name}: `context.cookiecutter` (the answers) is missing. {mend}")
    skip = data.get("skip", [])
    if not isinstance(skip, list) or not all(isinstance(pattern, str) for pattern in skip):
        raise DrydockError(f"{name}: `skip` is not a list of patterns. {mend}")
    return Record(
        template=text_of("template"),
        commit=text_of("commit"),
        checkout=optional("checkout"),
        directory=optional("directory"),
        answers={key: value for key, value in answers.items() if not key.startswith("_")},
        skip=tuple(skip),
        taken=taken_of(data, text_of("commit")),
        private={key: value for key, value in answers.items() if key.startswith("_")},
    )


def taken_of(data: dict[str, Any], commit: str) -> dict[str, str]:
    """Return the files that a partial update took; none if another program has changed the record since."""
    own = data.get("drydock")
    taken = own.get("taken") if isinstance(own, dict) and own.get("since") == commit else None
    pairs = taken.items() if isinstance(taken, dict) else ()
    return {path: sha for path, sha in pairs if isinstance(sha, str)}


def updated(
    text: str,
    *,
    taken: Mapping[str, str],
    template: str | None = None,
    commit: str | None = None,
    checkout: str | None = None,
    directory: str | None = None,
    answers: Mapping[str, Any] | None = None,
) -> str:
    """Return the text of a record after an update, with everything that other programs have written into it.

    Arguments that are None change nothing; but with a new commit, `checkout` is what is followed, None being the
    default branch, and `directory` the template's folder, None being the top.
    """
    data = json.loads(text)
    variables = data["context"]["cookiecutter"]
    if template is not None:
        data["template"] = template
        if "_template" in variables:
            variables["_template"] = template
    if commit is not None:
        data["commit"] = commit
        if "_commit" in variables:
            variables["_commit"] = commit
        if data.get("checkout") != checkout:
            data["checkout"] = checkout
            if "_checkout" in variables:
                variables["_checkout"] = checkout
        if data.get("directory") != directory:
            data["directory"] = directory
    if answers is not None:
        private = {name: value for name, value in variables.items() if name.startswith("_")}
        data["context"]["cookiecutter"] = {**answers, **private}
    data.pop("drydock", None)
    if taken:
        data["drydock"] = {"since": data["commit"], "taken": dict(taken)}
    return text_of_json(data)


def text_of_json(data: dict[str, Any]) -> str:
    """Return the text of a record. What of a file's name is not UTF-8 is escaped: a file could not hold it."""
    text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    return text.encode(errors="backslashreplace").decode()

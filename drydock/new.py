"""A new project: the template's questions, each answer checked, and what cookiecutter makes of them."""

import contextlib
import logging
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cookiecutter.config import get_user_config
from cookiecutter.exceptions import CookiecutterException, FailedHookException, UnknownRepoType
from cookiecutter.find import find_template
from cookiecutter.generate import generate_context, generate_files
from cookiecutter.hooks import run_pre_prompt_hook
from cookiecutter.prompt import (
    read_repo_password,
    read_user_choice,
    read_user_dict,
    read_user_variable,
    read_user_yes_no,
)
from cookiecutter.replay import dump
from cookiecutter.repository import determine_repo_dir
from cookiecutter.utils import create_env_with_context
from jinja2 import Environment

from drydock.answers import (
    NAME,
    Resolved,
    asks_secret,
    check_allowed,
    fault,
    render_text,
    resolve,
    without_secrets,
)
from drydock.errors import DrydockError
from drydock.render import told
from drydock.source.address import hidden, without_credentials

# Of drydock's own words, those that stand among a template's questions.
WORDS = {
    "ko": {
        "These are the answers:": "답은 다음과 같습니다.",
        "Generate {}?": "{}에 생성할까요?",
        "Nothing was written.": "아무것도 쓰지 않았습니다.",
        "{}: {} exists already.": "{}: {}은(는) 이미 있습니다.",
        "{}: {} {}. For example: {}": "{}: {}: {}. 예: {}",
        "{}: {} {}.": "{}: {}: {}.",
    }
}


def language() -> str:
    """Return the language of the user's messages, such as "ko"; it may be empty, or "C"."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    return re.split("[_.@]", next(filter(None, map(os.environ.get, names)), ""))[0]


@dataclass(frozen=True, kw_only=True)
class Questionnaire:
    """A template that is ready to be asked for: its folder, its cookiecutter.json, and where a project would go.

    `raw` has the defaults of the user's own configuration, as cookiecutter takes them.
    """

    template: str
    checkout: str | None
    folder: Path
    raw: dict[str, Any]
    environment: Environment
    output: Path
    replays: Path

    @property
    def names(self) -> list[str]:
        """The questions in cookiecutter's order: dictionaries come last."""
        public = [name for name in self.raw if not name.startswith("_")]
        return sorted(public, key=lambda name: isinstance(self.raw[name], dict))

    def say(self, message: str, *values: object) -> str:
        """Return a message in the user's language, if drydock or the template has it in that."""
        theirs = self.raw.get("_messages")
        words = WORDS.get(language(), {})
        if isinstance(theirs, dict) and isinstance(theirs.get(language()), dict):
            words = theirs[language()] | words
        return words.get(message, message).format(*values)

    def labels(self) -> dict[str, Any]:
        """Return the labels of the questions, in the user's language if the template's `_prompts` have it."""
        other = self.raw.get("_prompts")
        translated = other.get(language()) if isinstance(other, dict) else None
        return {**self.raw.get("__prompts__", {}), **(translated or {})}

    def resolved(self, given: Mapping[str, str], *, is_complete: bool = True) -> Resolved:
        """Return all variables for some answers; DrydockError for one that the template does not accept.

        Unless they are complete, a combination is refused only once all of its answers are given.
        """
        for name, value in given.items():
            if wrong := self.against_rules(name, value):
                raise DrydockError(wrong)
        refused = self.raw.get("_refused")
        raw = self.raw if is_complete else {**self.raw, "_refused": {}}
        result = resolve(self.environment, raw, {}, without_credentials(self.template), given)
        chosen = {name: result.variables[name] for name in given}
        check_allowed(refused, chosen, given, without_credentials(self.template))
        return result

    def without_secrets(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Return variables with the template's defaults in place of secret answers."""
        defaults = self.resolved({}, is_complete=False).variables
        return without_secrets(variables, defaults, self.raw)

    def project(self, variables: Mapping[str, Any]) -> Path:
        """Return the folder that a project with these variables would be in."""
        name = find_template(self.folder, self.environment).name
        return self.output / render_text(self.environment, name, {"cookiecutter": variables})

    def ask(self, name: str, default: Any, place: str) -> Any:  # noqa: ANN401 -- JSON
        """Ask a question as cookiecutter does; return the answer."""
        words = (self.labels(), f"  [dim][{place}][/] ")
        match self.raw[name]:
            case list() as choices:
                context = {"cookiecutter": default}
                shown = [render_text(self.environment, str(c), context) for c in choices]
                return read_user_choice(name, shown, *words)
            case bool():
                return read_user_yes_no(name, default, *words)
            case dict():
                return read_user_dict(name, default, *words)
        if asks_secret(name, default):
            labels, before = words
            return read_repo_password(f"{before}{labels.get(name) or name}") or default
        return read_user_variable(name, default, *words)

    def against_rules(self, name: str, value: object) -> str:
        """Return a sentence on what is wrong with an answer by the template's rules; empty if nothing is."""
        why = fault(self.raw, name, value)
        if not why:
            return ""
        if example := self.raw["_rules"][name].get("example"):
            told = self.say(why)
            return self.say("{}: {} {}. For example: {}", name, repr(value), told, example)
        return self.say("{}: {} {}.", name, repr(value), self.say(why))

    def problem(self, name: str, value: object, variables: Mapping[str, Any]) -> str:
        """Return a sentence on what is wrong with an answer, or with the folder that it names; empty if nothing is."""
        if wrong := self.against_rules(name, value):
            return wrong
        folder = find_template(self.folder, self.environment).name
        project = self.project({**variables, name: value})
        if re.search(rf"\bcookiecutter\.{name}\b", folder) and project.exists():
            return self.say("{}: {} exists already.", name, project)
        return ""


@contextlib.contextmanager
def opened(
    template: str, output: Path, *, checkout: str | None = None, directory: str | None = None
) -> Iterator[Questionnaire]:
    """Give a template's questions; it is fetched into a folder that is removed afterwards.

    `template` is anything that cookiecutter takes. DrydockError if it cannot be had or read.
    """
    logging.getLogger("cookiecutter").addHandler(logging.NullHandler())  # It logs what it raises.
    config = get_user_config()
    path = [*sys.path]
    with tempfile.TemporaryDirectory(prefix="drydock-", ignore_cleanup_errors=True) as place:
        where = without_credentials(template)
        try:
            fetched, is_copy = determine_repo_dir(
                template, config["abbreviations"], place, checkout, True, directory=directory
            )
            folder = Path(run_pre_prompt_hook(fetched))
            context = generate_context(str(folder / NAME), config["default_context"])
            questions = context["cookiecutter"]
            if nested := questions.get("templates") or questions.get("template"):
                raise DrydockError(
                    f"{where}: has several templates: {', '.join(nested)}. Choose the folder of one with --directory."
                )
            sys.path.append(str(folder))  # for the template's own extensions
            environment = create_env_with_context(context)
            find_template(folder, environment)
        except DrydockError:
            raise
        except UnknownRepoType:
            raise DrydockError(
                f"{where}: cookiecutter cannot tell that this is git. Write git+{where}."
            ) from None
        except Exception as error:  # whatever the template's code raises
            reason = hidden(told(error), template).rstrip(".")
            raise DrydockError(f"{where}: cannot be used: {reason}.") from None
        try:
            yield Questionnaire(
                template=template,
                checkout=checkout,
                folder=folder,
                raw=questions,
                environment=environment,
                output=output,
                replays=Path(config["replay_dir"]),
            )
        finally:
            sys.path[:] = path
            copies = {folder, Path(fetched)} if is_copy else {folder} - {Path(fetched)}
            for copy in copies:
                shutil.rmtree(copy, ignore_errors=True)
                with contextlib.suppress(OSError):
                    copy.parent.rmdir()  # Made for it alone, if it is empty now.


def interview(
    questions: Questionnaire, given: Mapping[str, str], tell: Callable[[str], None]
) -> dict[str, Any]:
    """Ask what is not given, each question until its answer is accepted; return all variables.

    `tell` shows what is wrong with an answer. DrydockError for a given one that is not accepted.
    """
    answers, whole = dict(given), dict[str, Any]()
    variables = questions.resolved(answers, is_complete=False).variables
    for number, name in enumerate(questions.names, 1):
        place = f"{number}/{len(questions.names)}"
        while name not in answers:
            default = variables if isinstance(questions.raw[name], list) else variables[name]
            value = questions.ask(name, default, place)
            if isinstance(value, dict):
                whole[name] = value  # Typed at a prompt, it takes the place of the default.
                break
            text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
            if wrong := questions.problem(name, value, variables):
                tell(wrong)
                continue
            try:
                variables = questions.resolved({**answers, name: text}, is_complete=False).variables
            except DrydockError as error:
                tell(str(error))
                continue
            answers[name] = text
    return questions.resolved(answers).variables | whole


def generate(questions: Questionnaire, variables: Mapping[str, Any]) -> Path:
    """Let cookiecutter generate, hooks included; return the project's folder.

    DrydockError if it exists, or a hook refuses. Whatever ends it early leaves nothing behind.
    """
    project = questions.project(variables)
    if project.exists():
        raise DrydockError(
            f"{project}: exists already. Choose another name, or another --output-dir."
        )
    extra = {
        "_template": questions.template,
        "_output_dir": os.path.abspath(questions.output),
        "_repo_dir": str(questions.folder),
        "_checkout": questions.checkout,
    }
    asked = {name: questions.raw[name] for name in questions.names}
    context = {"cookiecutter": {**variables, **extra}, "_cookiecutter": asked}
    replay = {**context, "cookiecutter": {**questions.without_secrets(variables), **extra}}
    new = [path for path in (project, *project.parents) if not path.exists()]
    try:
        # As cookiecutter does, for its --replay, but that has the template's defaults in place of secrets.
        dump(questions.replays, questions.folder.name, replay)
        return Path(generate_files(str(questions.folder), context, str(questions.output)))
    except BaseException as error:
        shutil.rmtree(project, ignore_errors=True)
        for folder in new[1:]:
            with contextlib.suppress(OSError):
                folder.rmdir()
        if isinstance(error, FailedHookException):
            raise DrydockError(
                "A hook of the template refused, as it says above. Nothing was written."
            ) from None
        if isinstance(error, CookiecutterException | OSError | ValueError):
            raise DrydockError(f"{project}: cannot be generated: {error}") from None
        raise

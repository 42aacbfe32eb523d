"""Refuse answers that would give a project that does not work.

cookiecutter renders this file and runs the result in the project's folder, before it writes any file there;
it deletes a new folder if the exit status is not 0. cookiecutter itself has checked the questions with choices.
What an answer may be is in cookiecutter.json: `_rules`, which drydock reads as well.
"""

import json
import os
import re
import reprlib
import shlex
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Any

QUOTE = reprlib.Repr()
QUOTE.maxstring = QUOTE.maxother = 80
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")

# The answers and the catalogue. The JSON that Jinja writes contains no single quotes.
CONTEXT = dict(json.loads(r'{{ cookiecutter.items() | list | tojson }}'))  # fmt: skip
# In the order in which they are asked: tojson sorts.
RULES: dict[str, Any] = {n: CONTEXT["_rules"][n] for n in CONTEXT if n in CONTEXT["_rules"]}
LOCALE = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
MESSAGES = CONTEXT["_messages"].get(re.split("[_.@]", LOCALE)[0], {})


def say(message: str, *values: object) -> str:
    """Return a message in the language of LANG, or else in English."""
    return str(MESSAGES.get(message, message)).format(*values)


def fault(name: str, value: Any) -> str:  # noqa: ANN401 -- JSON
    """Return what is wrong with an answer, in words that follow it; empty if nothing is.

    It is no text if the user's own configuration has, say, an unquoted `no`.
    """
    rules = RULES.get(name, {})
    if rules and not isinstance(value, str):
        return "is not text"
    words, stranger = rules.get("one_of", ["", ""])
    taken = CONTEXT.get(rules.get("none_of"), {})
    faults = [why for pattern, why in rules.get("match", []) if not re.fullmatch(pattern, value)]
    faults += [stranger] if words and value not in CONTEXT[words].split() else []
    faults += [why for why, names in taken.items() if value in names.split()]
    return next(iter(faults), "")


# A suggestion takes a bad answer and returns what may have been meant, which may be bad as well.
def suggest_slug(value: str) -> str:
    """Return a slug made of the value's letters and digits: site_2nd from 2nd, test_site from test."""
    slug = re.sub("^(?=[0-9])", "site_", "_".join(re.findall("[a-z0-9]+", value.lower())))[:32]
    slug = slug.rstrip("_")
    return f"{slug[:27].rstrip('_')}_site" if fault("project_slug", slug) else slug


def suggest_domain(value: str) -> str:
    """Return the domain in a URL, in lowercase ASCII."""
    host = value.strip().lower().split("://", 1)[-1].split("/")[0].split(":")[0]
    try:
        return host.rstrip(".").replace("_", "-").encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def suggest_language(value: str) -> str:
    """Return the code in Django's spelling, or the language without its country: ko from ko_KR."""
    code, known = value.strip().lower().replace("_", "-"), CONTEXT["_languages"].split()
    family = (other for other in known if other.split("-")[0] == code.split("-")[0])
    return code if code in known else min(family, default="")


def suggest_time_zone(value: str) -> str:
    """Return the time zone whose name is most like the value."""
    zones = CONTEXT["_time_zones"].split()
    return next(iter(get_close_matches(value.title(), zones, n=1, cutoff=0.8)), "")


def suggest_line(value: str) -> str:
    """Return the line without line breaks, control characters and extra spaces."""
    return " ".join(UNPRINTABLE.sub(" ", value).split())


SUGGESTIONS = {
    "project_slug": suggest_slug,
    "domain_name": suggest_domain,
    "language_code": suggest_language,
    "time_zone": suggest_time_zone,
}


def working(name: str, value: Any) -> Any:  # noqa: ANN401 -- JSON
    """Return an answer that works: the given one, what may have been meant by it, or the example."""
    if not fault(name, value):
        return value
    suggest = SUGGESTIONS.get(name, suggest_line)
    suggestion = suggest(value) if isinstance(value, str) else ""
    works = suggestion and not fault(name, suggestion)
    return suggestion if works else RULES[name]["example"]


def problems(answers: dict[str, Any]) -> list[str]:
    """Return a sentence for each answer that is bad, with one that works."""
    found = {name: why for name in RULES if (why := fault(name, answers.get(name)))}
    sentence = "{}: {} {}. For example: {}"
    return [
        say(sentence, name, QUOTE.repr(value), say(why), working(name, value))
        for name, why in found.items()
        for value in [answers.get(name)]
    ]


def refusals(answers: dict[str, Any], refused: dict[str, str]) -> list[str]:
    """Return a sentence for each refused combination: "database=sqlite, cache=redis" -> why."""
    given = {f"{name}={value}".lower() for name, value in answers.items()}
    return [f"{words}: {why}" for words, why in refused.items() if given >= {*words.split(", ")}]


def unknown(answers: dict[str, Any], command: list[str]) -> dict[str, str]:
    """Return the settings in cookiecutter's command that are no questions: it would ignore them."""
    template = answers.get("_template")
    words = command[command.index(template) :] if template in command else []
    settings = dict(word.split("=", 1) for word in words if re.match(r"[A-Za-z]\w*=", word))
    return {name: value for name, value in settings.items() if name not in answers}


def repeated(answers: dict[str, Any]) -> str:
    """Return the command that gives these answers, and working ones for the bad; without a login in the address.

    Tools that generate only to compare do not say where the template and the project are.
    """
    template = answers.get("_template", "TEMPLATE")
    words = ["cookiecutter", re.sub(r"^(\w+://)[^/]*@", r"\1", template), "--no-input"]
    words += ["--checkout", answers["_checkout"]] if answers.get("_checkout") else []
    if answers.get("_output_dir", "") not in ("", os.environ.get("PWD")):
        words += ["--output-dir", answers["_output_dir"]]
    for name in (name for name in answers if name[0] != "_"):
        text = str(working(name, answers[name]))
        if "{" in text:  # cookiecutter takes what it finds on the command line for a template.
            text = " ".join(["{" * 2, json.dumps(text, ensure_ascii=False), "}" * 2])
        words.append(f"{name}={text}")
    return shlex.join(words)


if __name__ == "__main__":
    parent = Path(f"/proc/{os.getppid()}/cmdline")  # Only Linux tells.
    command = parent.read_text("utf-8", "replace").split("\0") if parent.exists() else []
    found, questions = problems(CONTEXT), [name for name in CONTEXT if name[0] != "_"]
    for name, setting in unknown(CONTEXT, command).items():
        meant = get_close_matches(name, questions, n=1)
        CONTEXT.update(dict.fromkeys(meant, setting))
        sentence = "{}: no such question. Did you mean {}?"
        found.append(say(sentence, name, ", ".join(meant or questions)))
    if found := found + refusals(CONTEXT, CONTEXT["_refused"]):
        lines = "".join(f"  {line}\n" for line in found)
        repeat = say("This command repeats your other answers:")
        refusal = say("Nothing was generated. Please change:")
        sys.exit(f"\n{refusal}\n{lines}\n{repeat}\n\n  {repeated(CONTEXT)}\n")

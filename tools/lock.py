"""Upgrade or check the versions, with hashes, that generated projects get.

The catalogue in cookiecutter.json says which packages each choice needs. For each Django
version, they are all resolved together, so every combination gets the same, mutually compatible
versions. The result is templates/pins/<Django version>.txt: a line above each pin says which of
the catalogue's requirements bring it along, so that the macro in templates/pins.jinja can pick
what one project needs.

Two lists in cookiecutter.json follow from the pins: the names that a project cannot have, because a package has
them, and Django's languages.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PINS = ROOT / "templates" / "pins"

EXAMPLES = """\
examples:
  python tools/lock.py            after a change of the catalogue; other versions stay
  python tools/lock.py --upgrade  the newest versions that the catalogue allows
  python tools/lock.py --check    whether the pins still fit the catalogue (no network)
"""

NEEDED_BY = "# needed by "
TAKEN = "is the name of a package that a project may use"
# Not in the catalogue, but likely to be added to a project.
LATER = {
    "django_redis",
    "psycopg_pool",
    "uwsgi",
    "valkey",
}


def wanted(catalogue: dict[str, Any], django_version: str) -> list[str]:
    """Return all that projects on one Django version may need, as the catalogue spells it."""
    groups = list(catalogue["_packages"].values())
    for section, entries in catalogue.items():
        for choice, entry in entries.items() if isinstance(entries, dict) else ():
            if section == "_django_versions" and choice != django_version:
                continue
            if isinstance(entry, dict):
                groups += [entry.get("packages", []), entry.get("dev_packages", [])]
    return sorted({requirement for group in groups for requirement in group})


def versions(pins: str) -> dict[str, list[str]]:
    """Return the pinned versions of each package; several if they depend on a marker."""
    found: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", pins, re.MULTILINE):
        found.setdefault(name, []).append(version)
    return found


def needs(pins: str) -> dict[str, set[str]]:
    """Return the requirements of the catalogue that bring each package along."""
    found: dict[str, set[str]] = {}
    for block in pins.split("\n\n"):
        head, _, pin = block.partition("\n")
        if head.startswith(NEEDED_BY):
            names = head.removeprefix(NEEDED_BY).split()
            found.setdefault(pin.split("==")[0], set()).update(names)
    return found


def read(path: Path) -> str:
    """Return the pins of one Django version, empty if there are none yet."""
    return path.read_text("utf-8") if path.exists() else ""


def uv(*words: str | Path, given: str = "") -> str:
    """Run a command of `uv pip`, with the default index and nothing else; return what it printed."""
    program = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if program is None:
        sys.exit("uv is not installed: python -m pip install uv")
    # A mirror, or a directory of wheels built here, would put its own hashes into the pins.
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "UV_"))}
    command = [program, "pip", *words, "--quiet", "--no-config"]
    run = subprocess.run(command, input=given, stdout=subprocess.PIPE, text=True, env=clean)
    if run.returncode:
        sys.exit(f"uv pip {words[0]} failed. The pins are as they were.")
    return run.stdout


def uv_compile(requirements: list[str], *options: str | Path) -> str:
    """Resolve requirements for all platforms."""
    fixed = ["--python", sys.executable, "--universal", "--no-header", "--no-annotate"]
    return uv("compile", "-", *fixed, *options, given="\n".join(requirements))


def resolve(requirements: list[str], python: str, preferred: str) -> str:
    """Return the pins of requirements, keeping preferred pins where they still fit."""
    with tempfile.TemporaryDirectory() as scratch:
        # uv prefers the versions, with their hashes, that its output file already has.
        path = Path(scratch, "requirements.txt")
        path.write_text(preferred, "utf-8")
        floor = ["--python-version", python]
        uv_compile(requirements, *floor, "--generate-hashes", "--output-file", path)
        # One more run for each requirement is slower than following uv's "# via" notes,
        # but those don't say which extra brought a package.
        closure = {
            requirement: versions(uv_compile([requirement], *floor, "--constraints", path))
            for requirement in requirements
        }
        blocks = []
        for pin in re.split(r"\n(?=\S)", path.read_text("utf-8").strip()):
            by = [name for name, brought in closure.items() if pin.split("==")[0] in brought]
            blocks.append(f"{NEEDED_BY}{' '.join(by)}\n{pin}\n")
        return "\n".join(blocks)


def problems(catalogue: dict[str, Any], directory: Path) -> list[str]:
    """Return what is wrong with the pins, one line each; needs no network."""
    found = []
    stale = {path.stem for path in directory.glob("*")} - catalogue["_django_versions"].keys()
    found += [f"{name}: not a Django version of the catalogue" for name in sorted(stale)]
    for django_version in catalogue["_django_versions"]:
        requirements = wanted(catalogue, django_version)
        pins = read(directory / f"{django_version}.txt")
        pinned, needed = versions(pins), needs(pins)
        asking = {requirement for names in needed.values() for requirement in names}
        wrong = [f"{name} has no pin" for name in requirements if name not in asking]
        wrong += [f"{name} left the catalogue" for name in sorted(asking - {*requirements})]
        wrong += [
            f"nothing needs the pin of {name}" for name in sorted(pinned) if not needed.get(name)
        ]
        for requirement in map(Requirement, requirements):
            for version in pinned.get(canonicalize_name(requirement.name), []):
                if not requirement.specifier.contains(version, prereleases=True):
                    wrong.append(f"{requirement} is asked for, {version} is pinned")
        for block in pins.split("\n\n") if pins else []:
            head, *starts = re.findall(r"^\S.*", block, re.MULTILINE)
            if not head.startswith(NEEDED_BY) or len(starts) != 1 or "--hash=sha256:" not in block:
                wrong.append(f"not one requirement with its hashes: {[head, *starts]}")
        taken = catalogue["_taken_names"][TAKEN].split()
        free = sorted(name for name in pinned if name.replace("-", "_") not in taken)
        wrong += [f"a project could have the name of the package {name}" for name in free]
        if "://" in pins or "{" in pins:
            wrong.append("a URL, or a brace that Jinja would read, is among the pins")
        found += [f"{django_version}: {line}" for line in wrong]
    return found


def reserved(catalogue: dict[str, Any], directory: Path) -> tuple[list[str], list[str]]:
    """Return the names of all pinned packages, to install and to import, and Django's languages.

    For the names to import, what comes as a wheel is installed into a temporary folder. The languages are
    those of the oldest Django.
    """
    names = {*LATER}
    languages: list[str] = []
    # What is compiled has no wheel.
    compiled = {
        canonicalize_name(Requirement(name).name)
        for entry in catalogue["_databases"].values()
        if entry["build_apt"]
        for name in entry["packages"]
    }
    for django_version, entry in catalogue["_django_versions"].items():
        pins = read(directory / f"{django_version}.txt")
        found = versions(pins)
        names |= {name.replace("-", "_") for name in found}
        with tempfile.TemporaryDirectory() as scratch:
            chosen = [block for block in pins.split("\n\n") if versions(block).keys() - compiled]
            requirements, target = Path(scratch, "requirements.txt"), Path(scratch, "site")
            requirements.write_text("\n".join(chosen), "utf-8")
            uv(
                *(
                    "install",
                    "--no-deps",
                    "--only-binary",
                    ":all:",
                    "--python-version",
                    entry["python"],
                ),
                *("--target", target, "--requirement", requirements),
            )
            names |= {
                path.name.partition(".")[0].lower()
                for path in target.iterdir()
                if (path.is_dir() and not path.name.endswith(("-info", ".libs")))
                or path.suffix == ".py"
            }
            if not languages:
                code = "from django.conf.global_settings import LANGUAGES; print(*dict(LANGUAGES))"
                environment = {**os.environ, "PYTHONPATH": str(target)}
                command = [sys.executable, "-c", code]
                # Django takes en-us besides.
                languages = [
                    *subprocess.check_output(command, env=environment, text=True).split(),
                    "en-us",
                ]
    valid = {name for name in names if re.fullmatch("[a-z][a-z0-9]*(_[a-z0-9]+)*", name)}
    return sorted(valid), sorted(languages)


def write_reserved(path: Path, names: list[str], languages: list[str]) -> None:
    """Write both lists into cookiecutter.json, and nothing else."""
    text = path.read_text("utf-8")
    catalogue = json.loads(text)
    for old, words in (
        (catalogue["_taken_names"][TAKEN], names),
        (catalogue["_languages"], languages),
    ):
        if (count := text.count(f'"{old}"')) != 1:
            sys.exit(f"{path.name}: has the list {old[:40]!r} {count} times, once was expected.")
        text = text.replace(f'"{old}"', f'"{" ".join(words)}"')
    path.write_text(text, "utf-8", newline="\n")


def changes(old: str, new: str) -> list[str]:
    """Return the changed versions, one line each."""
    before = {name: ", ".join(found) for name, found in versions(old).items()}
    after = {name: ", ".join(found) for name, found in versions(new).items()}
    return [
        f"{name} {before.get(name, '(new)')} -> {after.get(name, '(gone)')}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def renew(catalogue: dict[str, Any], upgrade: bool) -> list[str]:
    """Resolve everything, then replace all pins at once; return the changes."""
    changed = []
    # Next to the pins, so that replacing them is a rename within one file system.
    with tempfile.TemporaryDirectory(dir=PINS.parent, prefix=".pins-") as scratch:
        fresh = Path(scratch, "fresh")
        fresh.mkdir()
        for version, entry in catalogue["_django_versions"].items():
            old = read(PINS / f"{version}.txt")
            floor = next(s for s in SpecifierSet(entry["requires_python"]) if s.operator == ">=")
            preferred = "" if upgrade else old
            pins = resolve(wanted(catalogue, version), floor.version, preferred)
            (fresh / f"{version}.txt").write_text(pins, "utf-8", newline="\n")
            changed += [f"{version}: {change}" for change in changes(old, pins)]
        names, languages = reserved(catalogue, fresh)
        catalogue["_taken_names"][TAKEN] = " ".join(names)
        if wrong := problems(catalogue, fresh):
            sys.exit("\n".join([*wrong, "The pins are as they were."]))
        if PINS.exists():
            PINS.rename(Path(scratch, "old"))
        fresh.rename(PINS)
    write_reserved(ROOT / "cookiecutter.json", names, languages)
    return changed


def main() -> None:
    """Upgrade the pins, or check them."""
    parser = argparse.ArgumentParser(
        description="Renew or check the pinned versions in templates/pins/.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="only check; exit 1 if out of date")
    mode.add_argument("--upgrade", action="store_true", help="move to the newest versions allowed")
    options = parser.parse_args()
    catalogue = json.loads((ROOT / "cookiecutter.json").read_text("utf-8"))
    if not options.check:
        print("\n".join(renew(catalogue, options.upgrade) or ["No version changed."]))
    elif wrong := problems(catalogue, PINS):
        sys.exit("\n".join([*wrong, "Renew them: python tools/lock.py"]))
    else:
        print("The pins fit the catalogue.")


if __name__ == "__main__":
    main()

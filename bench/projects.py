"""Generate projects with a record from other people's templates, for the benchmarks of drydock."""

import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from generation import environment, install, run
from serving import ROOT, Failure

# What cookiecutter notes about the machine; cruft does not record it.
OF_THE_MACHINE = frozenset({"_output_dir", "_repo_dir", "_checkout"})


@dataclass(frozen=True, kw_only=True)
class Template:
    """Somebody else's cookiecutter template."""

    repository: str  # owner/name on GitHub
    habits: str
    checkout: str | None = None  # if not the default branch
    directory: str | None = None  # if not the repository's own folder
    packages: tuple[str, ...] = ()  # what it needs besides cookiecutter
    answers: Mapping[str, str] = field(default_factory=dict)  # other than the defaults

    @property
    def url(self) -> str:
        """Where it is."""
        return f"https://github.com/{self.repository}.git"

    @property
    def name(self) -> str:
        """Its address, as cookiecutter and drydock shorten it."""
        return f"gh:{self.repository}" + (f", {self.directory}" if self.directory else "")


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a command said, and its status."""

    status: int
    output: str
    errors: str


class Tools:
    """An environment of its own for cookiecutter, cruft, drydock and what templates need.

    No setting of the user's has any influence. `mirrors` is a pattern, such as `/srv/{owner}/{name}.git`, of the
    repositories to use in place of GitHub's.
    """

    def __init__(
        self,
        folder: Path,
        templates: Iterable[Template],
        mirrors: str | None = None,
        packages: Iterable[str] = (),
    ) -> None:
        templates = list(templates)
        settings = {"user.name": "Bench", "user.email": "bench@example.com"}
        settings["init.defaultBranch"] = "main"
        if mirrors:
            for template in templates:
                owner, name = template.repository.split("/")
                mirror = Path(mirrors.format(owner=owner, name=name)).resolve()
                settings[f"url.{mirror.as_uri()}.insteadOf"] = template.url
        self.env = environment(folder) | {
            "DRYDOCK_CACHE": str(folder / "cache"),
            "GIT_CONFIG_COUNT": str(len(settings)),
            "GIT_TERMINAL_PROMPT": "0",
        }
        for number, (key, value) in enumerate(settings.items()):
            self.env |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        needed = {package for template in templates for package in template.packages}
        self.folder: Path = install(
            folder / "venv", [str(ROOT), "cruft", *sorted(needed | {*packages})]
        )
        # Hooks call what is installed with cookiecutter.
        self.env["PATH"] += f"{os.pathsep}{self.folder}"

    def ask(self, project: Path, name: str, *arguments: str | Path) -> Result:
        """Run one of the commands in a project's folder, whatever its status."""
        result = subprocess.run(
            [str(self.folder / name), *map(str, arguments)],
            cwd=project, env=self.env, capture_output=True, text=True, errors="replace", check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return Result(status=result.returncode, output=result.stdout, errors=result.stderr)

    def git(self, folder: Path, *arguments: str | Path) -> str:
        """Run git in a folder; return what it printed. Failure with its words."""
        return run("git", "-C", folder, *arguments, env=self.env).strip()

    def commit(self, project: Path, message: str) -> None:
        """Commit everything in a project, which becomes a repository if it is none."""
        if not (project / ".git").exists():
            self.git(project, "init", "--quiet")
        self.git(project, "add", "--all")
        no_hooks = ("-c", f"core.hooksPath={os.devnull}")  # A template may have installed some.
        self.git(project, *no_hooks, "commit", "--quiet", "--allow-empty", "--message", message)

    def clone(self, template: Template, folder: Path, behind: int = 0) -> Path:
        """Clone a template, at the commit so many before the newest; Failure if that cannot be."""
        run("git", "clone", "--quiet", template.url, folder, env=self.env)
        if template.checkout:
            self.git(folder, "checkout", "--quiet", template.checkout)
        self.git(folder, "checkout", "--quiet", "--detach", f"HEAD~{behind}")
        return folder

    def generate(self, template: Template, clone: Path, output: Path) -> Path:
        """Generate a project with the default answers, a record like cruft's, and one commit."""
        home = Path(self.env["HOME"], ".cookiecutter_replay")
        for replay in home.glob("*.json"):
            replay.unlink()
        folder = clone / (template.directory or "")
        output.mkdir(parents=True)
        given = [f"{name}={value}" for name, value in template.answers.items()]
        made = self.ask(
            output, "cookiecutter", "--no-input", "--default-config", "--output-dir", output, folder, *given
        )  # fmt: skip
        projects = [path for path in output.iterdir() if path.is_dir()]
        if made.status or len(projects) != 1:
            raise Failure(last_line(made.errors or made.output) or "nothing was generated")
        context = json.loads(next(home.glob("*.json")).read_text(encoding="utf-8"))
        answers = {
            name: value
            for name, value in context["cookiecutter"].items()
            if name not in OF_THE_MACHINE
        }
        record = {
            "template": template.url,
            "commit": self.git(clone, "rev-parse", "HEAD"),
            "checkout": template.checkout,
            "context": {"cookiecutter": answers | {"_template": template.url}},
            "directory": template.directory,
        }
        (projects[0] / ".cruft.json").write_text(json.dumps(record, indent=2), encoding="utf-8")
        self.commit(projects[0], "As generated")
        return projects[0]


def last_line(text: str) -> str:
    """Return the last line that says something; of a traceback in a box, what stands below it."""
    below = text.rpartition("╯\n")[2]
    lines = [line.strip() for line in below.splitlines() if line.strip()]
    if below != text:
        return " ".join(lines)
    return lines[-1] if lines else ""

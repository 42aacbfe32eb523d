"""Render a template's tree with answers, in memory: what cookiecutter would write, without writing it.

The rules are those of cookiecutter.generate.generate_files (2.7). Templates run in Jinja's sandbox and
see only the template's own files. No hooks are run, and only Jinja's and cookiecutter's own extensions are
loaded. `run_with_hooks` is for templates that need more and are trusted.
"""

import fnmatch
import hashlib
import io
import json
import os
import posixpath
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jinja2
from binaryornot.helpers import has_binary_extension, is_binary_string
from cookiecutter.environment import ExtensionLoaderMixin
from cookiecutter.exceptions import CookiecutterException
from jinja2.sandbox import SandboxedEnvironment

from drydock.answers import Resolved, questions, resolve
from drydock.cache import private
from drydock.errors import DrydockError
from drydock.tree import File, Tree

# A template's mistakes (or attacks) that end its rendering. Anything else would be our mistake.
MISTAKES = (
    jinja2.TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


class Environment(ExtensionLoaderMixin, SandboxedEnvironment):  # type: ignore[misc]
    """cookiecutter's environment, in Jinja's sandbox."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401
        super().__init__(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, **options)


class Sources(jinja2.BaseLoader):
    """The files that a template may include and import: those of the project, then those of `templates/`."""

    def __init__(self, template: Tree, top: str) -> None:
        self.template, self.top = template, top

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool]]:
        """Return the text of a template file by its name."""
        if ".." not in template.split("/"):
            for folder in (self.top, "templates"):
                if file := self.template.get(f"{folder}/{template}"):
                    return file.data.decode(), template, lambda: True
        raise jinja2.TemplateNotFound(template)


def rendered(
    template: Tree,
    recorded: Mapping[str, Any],
    *,
    where: str,
    extra: Mapping[str, Any] | None = None,
    given: Mapping[str, str] | None = None,
    hooks: bool = False,
    cache: Path | None = None,
) -> tuple[Tree, Resolved]:
    """Return the project's tree (paths in the project) and the variables it was rendered with.

    `where` names the template for the user. `extra` are private variables that cookiecutter adds,
    such as _template. `given` answers take precedence over `recorded` ones. With `hooks`, the template's
    code is run. `cache` is the folder of compiled templates. DrydockError for a template that
    cannot be rendered, or writes outside its project.
    """
    raw = questions(template, where)
    if hooks:
        return run_with_hooks(template, raw, recorded, where, extra, given)
    environment = make_environment(raw, where, cache)
    resolved = resolve(environment, raw, recorded, where, given)
    context = {"cookiecutter": {**resolved.variables, **(extra or {})}}
    top = project_folder(template, environment, where)
    environment.loader = Sources(template, top)
    return dict(render_files(template, top, environment, context, where)), resolved


def make_environment(raw: Mapping[str, Any], where: str, cache: Path | None = None) -> Environment:
    """Return the environment that a cookiecutter.json asks for; DrydockError if it asks for too much."""
    options = raw.get("_jinja2_env_vars", {})
    extensions = raw.get("_extensions", [])
    for name in extensions if isinstance(extensions, list) else [extensions]:
        if not str(name).startswith(("jinja2.ext.", "cookiecutter.extensions.")):
            raise DrydockError(
                f"{where}: needs the extension {name}, which is code. If you trust the template, "
                "pass --hooks."
            )
    try:
        environment = Environment(context={"cookiecutter": raw}, **options)
    except (CookiecutterException, *MISTAKES) as error:
        raise DrydockError(f"{where}: its _jinja2_env_vars or _extensions: {error}") from None
    if cache:
        # Compiled code depends on the options as well, which Jinja's own key leaves out.
        key = json.dumps([jinja2.__version__, options, extensions, "sandbox"], sort_keys=True)
        folder = private(cache / "jinja" / hashlib.sha256(key.encode()).hexdigest()[:16])
        environment.bytecode_cache = jinja2.FileSystemBytecodeCache(str(folder))
    return environment


def project_folder(template: Tree, environment: jinja2.Environment, where: str) -> str:
    """Return the name of the template's folder that becomes the project."""
    marks = ("cookiecutter", environment.variable_start_string, environment.variable_end_string)
    for name in sorted({path.split("/")[0] for path in template if "/" in path}):
        if all(mark in name for mark in marks):
            return name
    raise DrydockError(
        f"{where}: has no folder named like {{{{cookiecutter.project_slug}}}}, so it is not a template. "
        "If the template is in a folder of the repository, set `directory` in the record to it."
    )


def render_files(
    template: Tree,
    top: str,
    environment: Environment,
    context: Mapping[str, Any],
    where: str,
) -> Iterator[tuple[str, File]]:
    """Yield each file of the project and its path; not every file of the template gives one."""
    private = context["cookiecutter"]
    patterns = private.get("_copy_without_render", [])
    new_lines = private.get("_new_lines")

    def copied(path: str) -> bool:
        return any(fnmatch.fnmatch(path, str(pattern)) for pattern in patterns)

    def name_of(path: str) -> str:
        return environment.from_string(path).render(context) if "{" in path else path

    prefix = f"{top}/"
    for full in sorted(path for path in template if path.startswith(prefix)):
        path, file = full.removeprefix(prefix), template[full]
        try:
            folders = [path[:index] for index, letter in enumerate(path) if letter == "/"]
            folder = next(filter(copied, folders), None)
            if folder is not None:
                yield safe(name_of(folder) + path.removeprefix(folder), where), file
                continue
            if file.behind_link:
                continue
            name = name_of(path)
            if name.endswith("/") or not name:
                continue
            name = safe(name, where)
            if copied(path) or has_binary_extension(path) or is_binary_string(file.data[:512]):
                yield name, file
            else:
                text = environment.get_template(path).render(context)
                newline = new_lines or first_newline(file.data)
                data = text.replace("\n", newline).encode()
                yield name, File(data=data, executable=file.executable)
        except jinja2.TemplateNotFound as error:
            raise DrydockError(
                f"{where}: {path}: needs {error.name}, which does not exist."
            ) from None
        except UnicodeDecodeError:
            raise DrydockError(
                f"{where}: {path}: is not UTF-8, or includes a file that is not."
            ) from None
        except MISTAKES as error:
            raise DrydockError(f"{where}: {path}: cannot be rendered: {error}") from None


def safe(path: str, where: str) -> str:
    """Return a path in normal form; DrydockError if it leaves the project."""
    plain = posixpath.normpath(path)
    if (
        path.startswith("/")
        or "\\" in path
        or "\0" in path
        or plain.split("/")[0] in ("..", ".git")
    ):
        raise DrydockError(f"{where}: would write {path!r}, which is outside the project.")
    return plain


def first_newline(data: bytes) -> str:
    """Return the line break of a file's first line, which is what cookiecutter uses."""
    lines = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", errors="replace")
    lines.readline()
    newlines = lines.newlines
    return (newlines[0] if isinstance(newlines, tuple) else newlines) or os.linesep


def run_with_hooks(
    template: Tree,
    raw: Mapping[str, Any],
    recorded: Mapping[str, Any],
    where: str,
    extra: Mapping[str, Any] | None,
    given: Mapping[str, str] | None,
) -> tuple[Tree, Resolved]:
    """Let cookiecutter itself generate into a temporary folder, hooks included, and read the result."""
    # Slow to import, and rarely needed.
    from cookiecutter.generate import generate_files
    from cookiecutter.utils import create_env_with_context

    with tempfile.TemporaryDirectory(prefix="drydock-") as name:
        source, output = Path(name, "template"), Path(name, "output")
        write(template, source)
        sys.path.append(str(source))  # where cookiecutter looks for the template's own extensions
        try:
            environment = create_env_with_context({"cookiecutter": raw})
            resolved = resolve(environment, raw, recorded, where, given)
            context = {"cookiecutter": {**resolved.variables, **(extra or {})}}
            project = generate_files(str(source), context, str(output), accept_hooks=True)
        except (CookiecutterException, OSError, *MISTAKES) as error:
            raise DrydockError(f"{where}: cookiecutter cannot generate from it: {error}") from None
        finally:
            sys.path.remove(str(source))
        return read(Path(project)), resolved


def write(tree: Tree, folder: Path) -> None:
    """Write a tree's files into a new folder."""
    for path, file in tree.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.data)
        target.chmod(0o755 if file.executable else 0o644)


def read(folder: Path) -> Tree:
    """Return the files below a folder."""
    return {
        path.relative_to(folder).as_posix(): File(
            data=path.read_bytes(), executable=bool(path.stat().st_mode & 0o100)
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }

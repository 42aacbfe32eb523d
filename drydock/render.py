"""Render a template's tree with answers, in memory: what cookiecutter would write, without writing it.

The rules are those of cookiecutter.generate.generate_files (2.7). Templates run in Jinja's sandbox and
see only the template's own files. No hooks are run, and only Jinja's and cookiecutter's own extensions are
loaded. `run_with_hooks` is for templates that need more and are trusted.
"""

import contextlib
import fnmatch
import hashlib
import io
import json
import logging
import os
import posixpath
import re
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jinja2
from binaryornot.helpers import has_binary_extension, is_binary_string
from jinja2.sandbox import SandboxedEnvironment

from drydock.answers import IN_FOLDER, Resolved, plain_text, questions, render_text, resolve
from drydock.cache import private
from drydock.errors import DrydockError
from drydock.extensions import CookiecutterExtensions
from drydock.limits import limited
from drydock.tree import File, Tree, known, read_tree, write_tree

# Names that are .git on some system: Windows has a short name for it, and ignores what follows; macOS ignores letters
# without a width. git refuses to check out the same names.
GITS = re.compile(r"(\.git|git~1)[. ]*(:.*)?", re.IGNORECASE | re.DOTALL)
IGNORABLE = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")


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
                    return known(file).data.decode(), template, lambda: True
        raise jinja2.TemplateNotFound(template)


def rendered(
    template: Tree,
    recorded: Mapping[str, Any],
    *,
    where: str,
    extra: Mapping[str, Any] | None = None,
    given: Mapping[str, str] | None = None,
    hooks: bool = False,
    history: Callable[[Path], None] | None = None,
    cache: Path | None = None,
    partial: bool = False,
) -> tuple[Tree, Resolved]:
    """Return the project's tree (paths in the project) and the variables it was rendered with.

    `where` names the template for the user. `extra` are private variables that cookiecutter adds,
    such as _template. `given` answers take precedence over `recorded` ones. With `hooks`, the template's code is run, in
    a folder to which `history` gives the template's commits. `cache` is the folder of compiled templates. DrydockError
    for a template that cannot be rendered, or writes outside its project; with `partial`, a single file that cannot be
    rendered is in the tree, as unknown.
    """
    raw = questions(template, where)
    if hooks:
        return run_with_hooks(template, raw, recorded, where, extra, given, history)
    with limited(len(template), where):
        environment = make_environment(raw, where, cache)
        resolved = resolve(environment, raw, recorded, where, given)
        context = {"cookiecutter": {**resolved.variables, **(extra or {})}}
        top = project_folder(template, environment, where)
        environment.loader = Sources(template, top)
        return dict(render_files(template, top, environment, context, where, partial)), resolved


def make_environment(
    raw: Mapping[str, Any], where: str, cache: Path | None = None
) -> jinja2.Environment:
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
        environment = SandboxedEnvironment(
            undefined=jinja2.StrictUndefined,
            keep_trailing_newline=True,
            extensions=[CookiecutterExtensions, *map(str, extensions)],
            **options,
        )
        environment.from_string("").render()  # Options of a wrong type show only in use.
    except Exception as error:
        raise DrydockError(f"{where}: its _jinja2_env_vars or _extensions: {told(error)}") from None
    if cache:
        # Compiled code depends on the options as well, which Jinja's own key leaves out.
        key = json.dumps([jinja2.__version__, options, extensions, "later"], sort_keys=True)
        with contextlib.suppress(OSError):  # A cache that cannot be written only costs time.
            folder = private(cache / "jinja" / hashlib.sha256(key.encode()).hexdigest()[:16])
            environment.bytecode_cache = jinja2.FileSystemBytecodeCache(str(folder))
    return environment


def told(error: Exception) -> str:
    """Return what an exception says; its type, if it says nothing."""
    return str(error) or type(error).__name__


def project_folder(template: Tree, environment: jinja2.Environment, where: str) -> str:
    """Return the name of the template's folder that becomes the project."""
    marks = ("cookiecutter", environment.variable_start_string, environment.variable_end_string)
    for name in sorted({path.split("/")[0] for path in template if "/" in path}):
        if all(mark in name for mark in marks):
            return name
    raise DrydockError(
        f"{where}: has no folder named like {{{{cookiecutter.project_slug}}}}, so it is not a template. {IN_FOLDER}"
    )


def render_files(
    template: Tree,
    top: str,
    environment: jinja2.Environment,
    context: Mapping[str, Any],
    where: str,
    partial: bool = False,
) -> Iterator[tuple[str, File]]:
    """Yield each file of the project and its path; not every file of the template gives one.

    With `partial`, a file whose contents cannot be rendered is unknown; else DrydockError.
    """
    private = context["cookiecutter"]
    patterns = private.get("_copy_without_render", [])
    new_lines = private.get("_new_lines")

    def copied(path: str) -> bool:
        return any(fnmatch.fnmatch(path, str(pattern)) for pattern in patterns)

    def target(path: str) -> tuple[str | None, bool]:
        """Return the path in the project, None if there is no such file, and whether it is only copied."""
        folders = [path[:index] for index, letter in enumerate(path) if letter == "/"]
        folder = next(filter(copied, folders), None)
        if folder is not None:
            name = render_text(environment, folder, context) + path.removeprefix(folder)
            return safe(name, where), True
        if template[f"{top}/{path}"].behind_link:
            return None, False
        name = render_text(environment, path, context)
        if name.endswith("/") or not name:
            return None, False
        return safe(name, where), copied(path)

    def contents(path: str, file: File) -> File:
        data = known(file).data
        if has_binary_extension(path) or is_binary_string(data[:512]):
            return file
        text = plain_text(environment, data.decode())
        if text is None:
            text = environment.get_template(path).render(context)
        text = text.replace("\n", new_lines or first_newline(data))
        return File(data=text.encode(), executable=file.executable)

    prefix = f"{top}/"
    for full in sorted(path for path in template if path.startswith(prefix)):
        path, file = full.removeprefix(prefix), template[full]
        try:
            name, verbatim = target(path)
        except Exception as error:
            raise explained(error, path, where) from None
        if name is None:
            continue
        try:
            made = known(file) if verbatim else contents(path, file)
        except Exception as error:
            reason = explained(error, path, where)
            if not partial:
                raise reason from None
            made = File(data=b"", unknown=str(reason))
        yield name, made


def explained(error: Exception, path: str, where: str) -> DrydockError:
    """Return what went wrong with a file of the template as an error that names it.

    MemoryError is raised: it is of the whole template.
    """
    match error:
        case MemoryError():
            raise error
        case DrydockError():
            return error
        case jinja2.TemplateNotFound():
            return DrydockError(f"{where}: {path}: needs {error.name}, which does not exist.")
        case UnicodeDecodeError():
            return DrydockError(f"{where}: {path}: is not UTF-8, or includes a file that is not.")
    return DrydockError(f"{where}: {path}: cannot be rendered: {told(error)}")


def safe(path: str, where: str) -> str:
    """Return a path in normal form; DrydockError if it leaves the project."""
    plain = posixpath.normpath(path)
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        raise DrydockError(f"{where}: would write {path!r}, which is no file name.") from None
    parts = plain.split("/")
    if path.startswith("/") or "\\" in path or "\0" in path or parts[0] == "..":
        raise DrydockError(f"{where}: would write {path!r}, which is outside the project.")
    check_not_gits(plain, where)
    return plain


def check_not_gits(path: str, where: str) -> None:
    """Raise DrydockError for a path in a folder that git, on any system, takes for a repository's own.

    Settings in it can name programs that git then runs, wherever in the project the folder is.
    """
    if any(GITS.fullmatch(IGNORABLE.sub("", part)) for part in path.split("/")):
        raise DrydockError(
            f"{where}: would write {path!r}, which git would take for a part of a repository. If the template is "
            "yours, rename the file; if not, do not trust it."
        )


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
    history: Callable[[Path], None] | None,
) -> tuple[Tree, Resolved]:
    """Let cookiecutter itself generate, hooks included, in a process of its own, and read the result.

    In this one, the template's extensions would stay loaded, in place of those of another commit.
    """
    # Slow to import, and rarely needed.
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    with (
        tempfile.TemporaryDirectory(prefix="drydock-", ignore_cleanup_errors=True) as name,
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
    ):
        write_tree(template, Path(name, "template"))
        if history:
            history(Path(name, "template"))
        try:
            return pool.submit(generate, name, raw, recorded, where, extra, given).result()
        except BrokenProcessPool:
            raise DrydockError(
                f"{where}: its hooks or extensions ended the process that generates from it."
            ) from None


def generate(
    folder: str,
    raw: Mapping[str, Any],
    recorded: Mapping[str, Any],
    where: str,
    extra: Mapping[str, Any] | None,
    given: Mapping[str, str] | None,
) -> tuple[Tree, Resolved]:
    """Generate from the template in a temporary folder: the work of the process that runs hooks."""
    from cookiecutter.generate import generate_files
    from cookiecutter.utils import create_env_with_context

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    logging.disable()  # cookiecutter logs the error that it raises.
    os.dup2(2, 1)  # What hooks print is not the report.
    source, output, scratch = (Path(folder, name) for name in ("template", "output", "tmp"))
    scratch.mkdir()
    # cookiecutter leaves the hooks that it ran behind.
    tempfile.tempdir = os.environ["TMPDIR"] = str(scratch)
    sys.path.append(str(source))  # where cookiecutter looks for the template's own extensions
    try:
        environment = create_env_with_context({"cookiecutter": raw})
        resolved = resolve(environment, raw, recorded, where, given)
        context = {"cookiecutter": {**resolved.variables, **(extra or {})}}
        project = generate_files(str(source), context, str(output), accept_hooks=True)
        tree = read_tree(Path(project))
        for path in tree:
            check_not_gits(path, where)
        return tree, resolved
    except DrydockError:
        raise
    except Exception as error:  # whatever the template's code raises
        raise DrydockError(
            f"{where}: cookiecutter cannot generate from it: {told(error)}"
        ) from None

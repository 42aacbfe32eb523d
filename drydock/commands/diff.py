"""`drydock diff`."""

import itertools
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from drydock.commands.options import (
    DRIFT,
    IN_STEP,
    files_in_project,
    page,
    place_options,
    progress,
    set_option,
    template_options,
)
from drydock.errors import DrydockError


@click.command()
@template_options
@place_options
@click.option(
    "--local", is_flag=True, help="Show changes from the recorded template to your files."
)
@click.option(
    "--upstream", is_flag=True, help="Show changes from the recorded template to the newest."
)
@click.option(
    "--to", metavar="REF", help="Commit, tag or branch to compare with instead of the newest."
)
@set_option(help="An answer for the newest template, in place of the recorded one.")
@click.option(
    "--patch", is_flag=True, help="For `git apply`: a patch from your files to the newest."
)
@click.option("--exit-code", is_flag=True, help="Exit with 1 if anything differs, like `git diff`.")
@click.option("-v", "--verbose", is_flag=True, help="Also show the files that are yours.")
@click.argument("files", nargs=-1, metavar="[FILE]...", callback=files_in_project)
def diff(
    folder: Path,
    offline: bool,
    hooks: bool,
    template: str | None,
    directory: str | None,
    local: bool,
    upstream: bool,
    to: str | None,
    given: dict[str, str],
    patch: bool,
    exit_code: bool,
    verbose: bool,
    files: tuple[str, ...],
) -> None:
    """Show the lines that you and the template changed.

    \b
    Examples:
      drydock diff                                 both sides, file by file
      drydock diff --local docker-compose.yml
      drydock diff --patch | git apply             take the newest version of everything
    """
    from drydock.inspect import Options, inspect  # Slow to import.
    from drydock.report.diff import diff as changed_lines
    from drydock.report.diff import visible
    from drydock.report.sentences import shown
    from drydock.tree import is_at

    options = Options(
        folder=folder,
        template=template,
        directory=directory,
        to=to,
        given=given,
        offline=offline,
        hooks=hooks,
        progress=progress(False),
        partial=True,
    )
    inspection = inspect(options)
    wanted = {*files}
    obscure = {drift.path: drift.reason for drift in inspection.comparison.drifts if drift.reason}
    old = inspection.pending
    every = {*inspection.base, *inspection.upstream, *obscure, *old.values()}
    unknown = [
        name for name in sorted(wanted) if not any(is_at(path, name) for path in every)
    ]  # fmt: skip
    if unknown:
        raise DrydockError(f"{', '.join(unknown)}: the template has no such file or folder.")
    paths = [
        drift.path
        for drift in shown(inspection, verbose or bool(wanted))
        if not wanted
        or any(
            is_at(path, name)
            for path in (drift.path, old.get(drift.path, drift.path))
            for name in wanted
        )
    ]
    sides = {
        (True, False): [(inspection.base, inspection.here, "edited here")],
        (False, True): [(inspection.base, inspection.upstream, "changed upstream")],
    }.get((local, upstream))
    problems = [obscure[path] for path in paths if path in obscure]
    if inspection.not_known and (upstream or not local):
        problems.insert(0, inspection.not_known)
    if patch and problems:
        raise DrydockError("\n".join(problems))
    if patch:
        from drydock.project import prefix_of
        from drydock.report.patch import patch as make_patch

        before, after = sides[0][:2] if sides else (inspection.here, inspection.upstream)
        before = inspection.named_here(before)
        after = inspection.named_here(after) if local and not upstream else after
        data, omitted = make_patch(
            before,
            after,
            [*paths, *(old[path] for path in paths if path in old)],
            prefix_of(folder),
        )
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        if omitted:
            raise DrydockError(
                f"{', '.join(omitted)}: left out of the patch, because of values that look secret."
            )
        click.get_current_context().exit(DRIFT if exit_code and data else IN_STEP)
    compared = sides or [
        (inspection.base, inspection.here, "edited here"),
        (inspection.base, inspection.upstream, "changed upstream"),
    ]
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def lines() -> Iterable[str]:
        for path in paths:
            for before, after, side in compared:
                if before.get(path) != after.get(path):
                    title = f"# {visible(path)}: {side}"
                    yield f"{click.style(title, bold=True) if colour else title}\n"
                    yield from changed_lines(before, after, [path], colour)

    rest = iter(lines())
    first = next(rest, None)
    if first is not None:
        page(itertools.chain([first], rest))
    if problems:
        raise DrydockError("\n".join(problems))
    click.get_current_context().exit(DRIFT if exit_code and first is not None else IN_STEP)

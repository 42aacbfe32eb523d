"""`drydock restore`."""

from pathlib import Path

import click

from drydock.commands.options import files_in_project, progress, template_options


@click.command()
@template_options
@click.argument("files", nargs=-1, required=True, metavar="FILE...", callback=files_in_project)
def restore(folder: Path, offline: bool, hooks: bool, files: tuple[str, ...]) -> None:
    """Bring back the recorded template's version of files or folders.

    Uncommitted changes are never overwritten, so git can always bring your version back.

    \b
    Examples:
      drydock restore uwsgi.ini
      drydock restore nginx/
    """
    from drydock.inspect import Options, inspect  # Slow to import.
    from drydock.update import chosen
    from drydock.worktree import Change, WorkTree

    tree = WorkTree(folder)
    tree.check_idle()
    options = Options(
        folder=folder, offline=offline, hooks=hooks, progress=progress(False), partial=True
    )
    inspection = inspect(options)
    inspection.check_known(files)
    base, here = map(inspection.named_here, (inspection.base, inspection.here))
    wanted = chosen(files, base)
    paths = sorted(base if wanted is None else wanted)
    changes = [
        Change(path=path, file=base[path], stages={})
        for path in paths
        if here.get(path) != base[path]
    ]
    with tree.alone():
        tree.check_committed(change.path for change in changes)
        if changes:
            tree.apply(changes)
    for change in changes:
        click.echo(f"restored  {change.path}")
    click.echo(f"{len(changes)} of {len(paths)} files differed from the template.")

"""`drydock accept`."""

import datetime
from pathlib import Path

import click

from drydock.commands.options import files_in_project, progress, template_options


@click.command()
@template_options
@click.option("--reason", required=True, help="Why; reports show it.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The last day, e.g. 2027-12-31.")
@click.argument(
    "things", nargs=-1, required=True, metavar="FILE[:KEY]...", callback=files_in_project
)
def accept(
    folder: Path,
    offline: bool,
    hooks: bool,
    reason: str,
    until: datetime.datetime | None,
    things: tuple[str, ...],
) -> None:
    """Accept a deviation: it is not drift until the file or the template changes there.

    The policy gets an entry with the reason and a hash: commit it.

    \b
    Examples:
      drydock accept nginx/nginx.conf --reason "our own TLS settings"
      drydock accept docker-compose.yml:services.backend.deploy --reason "a larger box" --until 2027-06-30
    """
    from drydock import accept as acceptances  # Slow to import.
    from drydock.inspect import Options, inspect

    options = Options(
        folder=folder, offline=offline, hooks=hooks, progress=progress(False), partial=True
    )
    inspection = inspect(options)
    day = until.date() if until else None
    base, here = map(inspection.named_here, (inspection.base, inspection.here))
    new = []
    for thing in things:
        path, colon, key = thing.partition(":")
        if thing in base or thing in here:  # a file with a colon in its name
            path, colon, key = thing, "", ""
        inspection.check_known([path])
        new.append(acceptances.made(path, key.strip() if colon else None, reason, day, base, here))
    click.echo(f"Wrote {acceptances.write(folder, new)}. Commit it.")

"""`drydock init`."""

from functools import partial
from pathlib import Path

import click

from drydock.commands.options import progress, set_option, template_options
from drydock.errors import DrydockError

# Less than any project keeps of its template: this much is chance.
LIKE = 0.1


@click.command()
@partial(template_options, is_new=True)
@click.argument("template")
@click.option("--directory", help="The template's folder within its repository.")
@click.option("--checkout", metavar="REF", help="The branch or tag that the project follows.")
@set_option(help="An answer that you already know; may be repeated.")
@click.option(
    "--commits", type=click.IntRange(1), help="Search only so many of the newest commits."
)
@click.option("--force", is_flag=True, help="Replace an existing record.")
@click.option("--dry-run", is_flag=True, help="Write nothing.")
def init(
    folder: Path,
    offline: bool,
    hooks: bool,
    template: str,
    directory: str | None,
    checkout: str | None,
    given: dict[str, str],
    commits: int | None,
    force: bool,
    dry_run: bool,
) -> None:
    """Write a record for a project that has none.

    It searches for the commit and the answers that come closest to the project. Not every commit is tried: those
    far apart first, then ever closer to the best one. What an existing record skips stays skipped.

    \b
    Examples:
      drydock init gh:ORG/django-drydock
      drydock init ../template --set database=mariadb --dry-run
    """
    from drydock import record  # Slow to import.
    from drydock.infer import infer
    from drydock.replacing import replacing
    from drydock.report.sentences import plain

    path = folder / record.NAME
    if path.exists() and not (force or dry_run):
        raise DrydockError(f"{path}: already exists. --force replaces it, --dry-run only shows.")
    if hooks:
        raise DrydockError("--hooks: init renders many times, and runs no hooks.")
    inferred = infer(
        folder,
        template,
        directory=directory,
        checkout=checkout,
        given=given,
        commits=commits,
        offline=offline,
        progress=progress(False),
    )
    if inferred.likeness < LIKE:
        raise DrydockError(
            f"{folder}: is nothing like {inferred.record.template}. {inferred.label} fits best, and {inferred.identical} of "
            f"{inferred.files} files are identical, {inferred.likeness:.0%} of the lines. If the project was made from "
            "it, say with which answers: --set ANSWER=VALUE."
        )
    click.echo(
        f"{inferred.label} fits best: {inferred.identical} of {inferred.files} files are identical, "
        f"{inferred.likeness:.0%} of the lines."
    )
    click.echo(
        f"Searched {inferred.commits} commits: {inferred.states} differ in what they render, {inferred.tried} of them were "
        "tried."
    )
    if not inferred.is_complete:
        click.echo(
            "Not sure of anything: the search took too long and was ended. --set ANSWER=VALUE and --commits make "
            "it shorter."
        )
    for reason in inferred.unreadable:
        click.echo(f"Not compared: {plain(reason)}")
    if inferred.alike:
        click.echo(f"Not sure of the commit: {', '.join(inferred.alike)} fit as well.")
    for name, answer in inferred.record.answers.items():
        sure = "" if name in inferred.sure else "  (not sure: nothing in the project tells)"
        click.echo(f"  {plain(f'{name} = {answer}')}{sure}")
    if dry_run:
        return
    with replacing(path) as partial:
        partial.write_text(inferred.record.dumps(), encoding="utf-8")
    click.echo(f"Wrote {path}. `drydock check` compares.")

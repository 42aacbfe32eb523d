"""`drydock new`."""

from pathlib import Path

import click

from drydock.commands.options import answers, is_terminal
from drydock.errors import DrydockError


@click.command()
@click.argument("template")
@click.argument("given", nargs=-1, callback=answers, metavar="[NAME=VALUE]...")
@click.option(
    "-o",
    "--output-dir",
    "output",
    default=".",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the project's folder goes.",
)
@click.option("-c", "--checkout", metavar="REF", help="The template's branch, tag or commit.")
@click.option("--directory", help="The template's folder within its repository.")
@click.option("--no-input", is_flag=True, help="Ask nothing: what is not given is the default.")
def new(
    template: str,
    given: dict[str, str],
    output: Path,
    checkout: str | None,
    directory: str | None,
    no_input: bool,
) -> None:
    """Make a project: ask the template's questions, show the answers, and generate.

    Each answer is checked when it is typed, and asked again if it cannot work. Nothing is written before you have
    seen all answers and agreed. cookiecutter itself generates, and runs the template's hooks: the result is the same.

    Answers on the command line are taken as they are: {{ is no template there.

    \b
    Examples:
      drydock new gh:ORG/django-drydock
      drydock new gh:ORG/django-drydock project_name="Han River" database=postgresql
      drydock new ../template --no-input --output-dir sites
    """
    from drydock import new as news  # Slow to import.
    from drydock import record
    from drydock.answers import asks_secret
    from drydock.report.sentences import plain

    if not (no_input or is_terminal()):
        raise DrydockError(
            "There is no terminal to ask on: --no-input takes the defaults for what is not given."
        )
    with news.opened(template, output, checkout=checkout, directory=directory) as questions:
        if no_input:
            variables = questions.resolved(given).variables
        else:
            try:
                variables = news.interview(
                    questions, given, lambda said: click.echo(plain(said), err=True)
                )
            except EOFError:
                raise click.Abort from None
            click.echo(f"\n{questions.say('These are the answers:')}")
            for name in questions.names:
                value = "***" if asks_secret(name, questions.raw[name]) else variables[name]
                click.echo(f"  {name}: {plain(str(value))}")
            project = plain(str(questions.project(variables)))
            if not click.confirm(questions.say("Generate {}?", project), default=True):
                click.echo(questions.say("Nothing was written."), err=True)
                raise click.Abort
        project_folder = news.generate(questions, variables)
    if not (project_folder / record.NAME).exists():
        click.echo(
            f"Wrote {project_folder}. `drydock init` in it writes the record that `drydock check` reads."
        )

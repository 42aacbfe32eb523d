"""Remove the folders of the template that nothing was written into: cookiecutter makes them all."""

import os

FOLDERS: list[str] = {{cookiecutter._optional_folders}}  # type: ignore  # noqa: F821

for folder in FOLDERS:
    try:  # noqa: SIM105 -- not contextlib: to import it takes longer than all else here.
        os.removedirs(folder.format(slug="{{ cookiecutter.project_slug }}"))
    except OSError:
        pass  # It has files: it was chosen, or is the user's own.

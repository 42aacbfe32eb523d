"""Files as values: what was rendered, what is in a template, what is in a project."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class File:
    """A file's contents, and whether it is executable; no other mode bit counts.

    `behind_link` says that a template has it through a link to a folder, where cookiecutter renders nothing.
    `unknown` says why the contents are not known, if so; `data` means nothing then.
    """

    data: bytes
    executable: bool = False
    behind_link: bool = field(default=False, compare=False)
    unknown: str | None = None

    @property
    def text(self) -> str | None:
        """The contents as text; None if they are not UTF-8, or contain a null character."""
        try:
            text = self.data.decode()
        except UnicodeDecodeError:
            return None
        return None if "\0" in text else text


# From a path, with forward slashes and relative to the top, to the file there.
Tree = dict[str, File]

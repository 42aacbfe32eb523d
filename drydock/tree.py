"""Files as values: what was rendered, what is in a template, what is in a project."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class File:
    """A file's contents, and whether it may be executed; no other bit of its mode counts."""

    data: bytes
    executable: bool = False

    @property
    def text(self) -> str | None:
        """The contents as text; None where they are not UTF-8, or hold a null character."""
        try:
            text = self.data.decode()
        except UnicodeDecodeError:
            return None
        return None if "\0" in text else text


# Path with forward slashes, relative to the top, to the file there.
Tree = dict[str, File]

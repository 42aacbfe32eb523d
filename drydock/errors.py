"""Errors shown to the user, which end the command with status 2."""


class DrydockError(Exception):
    """A sentence or two: what is wrong, with which file or answer, and the way out."""

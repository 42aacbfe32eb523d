"""What is said to the user, and ends the command with status 2."""


class DrydockError(Exception):
    """A sentence or two: what is wrong, with the file or the answer, and the way out."""

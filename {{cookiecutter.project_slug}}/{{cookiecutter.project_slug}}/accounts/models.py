"""The users of the site."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """A user: the project's own model, for swapping Django's for another is hard once it has rows."""

"""The users of the site."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """A user. The project has its own model because replacing Django's is hard once it has rows."""

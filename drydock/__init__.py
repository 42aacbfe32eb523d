"""Regenerate a project from its cookiecutter template, and compare: what changed here, and what upstream."""

"""cookiecutter's own extensions, imported when a template uses one: most use none, and the import is slow."""

import importlib
import sys
from collections.abc import Callable, MutableMapping
from functools import cached_property
from types import ModuleType
from typing import Any

from jinja2 import Environment, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

# What templates call -> the extension that has it.
FILTERS = {"jsonify": "JsonifyExtension", "slugify": "SlugifyExtension"}
FUNCTIONS = {"random_ascii_string": "RandomStringExtension", "uuid4": "UUIDExtension"}


class CookiecutterExtensions(Extension):
    """Stands for all five of them."""

    tags = {"now"}  # noqa: RUF012

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        for name, extension in FILTERS.items():
            environment.filters[name] = self.later(environment.filters, name, extension)
        for name, extension in FUNCTIONS.items():
            environment.globals[name] = self.later(environment.globals, name, extension)

    def later(
        self, table: MutableMapping[str, Any], name: str, extension: str
    ) -> Callable[..., Any]:
        """Return a function that gets the one of an extension, and calls that."""

        def call(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401
            # The extension replaces this function in the table.
            self.environment.add_extension(imported(extension))
            return table[name](*arguments, **options)

        return call

    @cached_property
    def time(self) -> Any:  # noqa: ANN401
        """The extension for dates."""
        extension = imported("TimeExtension")(self.environment)
        extension.identifier = self.identifier  # Templates call the methods of this one.
        return extension

    def parse(self, parser: Parser) -> nodes.Node | list[nodes.Node]:
        """Parse the tag `now`."""
        parsed: nodes.Output = self.time.parse(parser)
        return parsed

    def _now(self, *arguments: Any) -> Any:  # noqa: ANN401
        return self.time._now(*arguments)

    def _datetime(self, *arguments: Any) -> Any:  # noqa: ANN401
        return self.time._datetime(*arguments)


class Later(ModuleType):
    """Stands for a module until something of it is needed. importlib's LazyLoader does not outlive an `import`."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


def imported(extension: str) -> Any:  # noqa: ANN401
    """Return one of cookiecutter's extensions."""
    # Only dates need it, and it takes longer to import than all of Jinja.
    sys.modules.setdefault("arrow", Later("arrow"))
    return getattr(importlib.import_module("cookiecutter.extensions"), extension)

"""What an inspection found, for people and programs. Values that look secret appear in no report.

A report is a module with `report(inspection, view) -> str`, and its name here.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # Slow to import.
    from drydock.inspect import Inspection
    from drydock.report.sentences import View

REPORTS = ("text", "json", "markdown")


def report(name: str, inspection: "Inspection", view: "View") -> str:
    """Return a report of an inspection."""
    text: str = import_module(f"drydock.report.{name}").report(inspection, view)
    return text

"""What an inspection found, for people and programs. Values that look secret appear in no report.

A report is a module with `report`, and a line here.
"""

from collections.abc import Callable

from drydock.inspect import Inspection
from drydock.report import json, markdown, text
from drydock.report.sentences import View

REPORTS: dict[str, Callable[[Inspection, View], str]] = {
    "text": text.report,
    "json": json.report,
    "markdown": markdown.report,
}

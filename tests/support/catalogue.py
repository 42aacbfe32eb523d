"""This template's catalogue, and the answers that the tests generate from."""

import json
from pathlib import Path
from typing import Any

from tests.support.choices import choices, combinations

ROOT = Path(__file__).resolve().parent.parent.parent
CATALOGUE: dict[str, Any] = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
CHOICES = choices(CATALOGUE)
# Every pair of choices is in at least one of them, so a new choice joins by itself.
COMBINATIONS = combinations(CATALOGUE)

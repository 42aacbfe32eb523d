"""Projects that need a newer Python than this one: their tools and tests, in a container of their image."""

import platform
import re

import pytest
from packaging.specifiers import SpecifierSet

from tests.support.catalogue import CATALOGUE, ROOT
from tests.support.commands import run, tool

pytestmark = pytest.mark.stack

# $1 is the version of Django, $2 the oldest Python that its projects support: beside that of the
# image, which everything runs on. The tests ask git and make; the template is mounted to be read only.
SCRIPT = """
apt-get update -qq && apt-get install -qq --no-install-recommends git make python$2 >/dev/null
git config --global user.email tests@example.com && git config --global user.name Tests
mkdir /work && tar -C /template --exclude=.venv -c . | tar -C /work -x && cd /work
uv venv -q --python python3 .venv && uv pip install -q --require-hashes -r requirements-dev.txt
.venv/bin/pytest -n auto -p no:cacheprovider -m project -k "$1"
PROJECT_PYTHON=$2 .venv/bin/pytest -n auto -p no:cacheprovider -m project -k "$1 and own_tests and sqlite"
"""


NEWER = [
    name
    for name, entry in CATALOGUE["_django_versions"].items()
    if platform.python_version() not in SpecifierSet(entry["requires_python"])
]


@pytest.mark.parametrize("django_version", NEWER)
def test_projects_pass_their_tools_and_tests_on_the_pythons_that_they_support(
    django_version: str,
) -> None:
    entry = CATALOGUE["_django_versions"][django_version]
    image = CATALOGUE["_images"]["python"].format(python=entry["python"])
    oldest = entry["requires_python"].removeprefix(">=")
    mounts = [
        f"--mount=type=bind,source={source},target={target},readonly"
        for source, target in ((ROOT, "/template"), (tool("uv"), "/usr/local/bin/uv"))
    ]
    command = ["docker", "run", "--rm", "--network=host", *mounts, image]
    result = run(*command, "bash", "-exc", SCRIPT, "bash", django_version, oldest, cwd=ROOT)
    assert result.returncode == 0, result.stdout[-20_000:]
    summaries = re.findall(r"^=+ .* in [\d.]+s.* =+$", result.stdout, re.MULTILINE)
    assert len(summaries) == 2, result.stdout
    assert all(" passed" in words and " skipped" not in words for words in summaries), summaries

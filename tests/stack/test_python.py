"""Projects that need a newer Python than this one: their tools and tests, in a container of their image."""

import platform
import re

import pytest
from packaging.specifiers import SpecifierSet

from tests.support.catalogue import CATALOGUE, ROOT
from tests.support.commands import run, tool
from tests.support.stacks import LONG

pytestmark = pytest.mark.stack

# The tests ask git and make; the template is mounted to be read only.
SCRIPT = """
apt-get update -qq && apt-get install -qq --no-install-recommends git make python$1 >/dev/null
git config --global user.email tests@example.com && git config --global user.name Tests
mkdir /work && tar -C /template --exclude=.venv -c . | tar -C /work -x && cd /work
uv venv -q --python python3 .venv && uv pip install -q --require-hashes -r requirements-dev.txt
"""
TESTS = '{python} .venv/bin/pytest -n auto -p no:cacheprovider -m project -k "{which}"\n'


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
    # On the Python of the image; in the long form, everything, and some on the oldest one, too.
    which = django_version if LONG else f"{django_version} and (sqlite or not own_tests)"
    runs = [TESTS.format(python="", which=which)]
    if LONG:
        which = f"{django_version} and own_tests and sqlite"
        runs.append(TESTS.format(python=f"PROJECT_PYTHON={oldest}", which=which))
    mounts = [
        f"--mount=type=bind,source={source},target={target},readonly"
        for source, target in ((ROOT, "/template"), (tool("uv"), "/usr/local/bin/uv"))
    ]
    command = ["docker", "run", "--rm", "--network=host", *mounts, image]
    result = run(*command, "bash", "-exc", SCRIPT + "".join(runs), "bash", oldest, cwd=ROOT)
    assert result.returncode == 0, result.stdout[-20_000:]
    summaries = re.findall(r"^=+ .* in [\d.]+s.* =+$", result.stdout, re.MULTILINE)
    assert len(summaries) == len(runs), result.stdout
    assert all(" passed" in words and " skipped" not in words for words in summaries), summaries

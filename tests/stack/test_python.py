"""Projects whose Python is newer than this one: their tools and tests, in a container of their image's."""

import platform

import pytest
from packaging.specifiers import SpecifierSet

from tests.conftest import CATALOGUE, ROOT, run

pytestmark = pytest.mark.stack

# The tests ask git and make; the template is mounted to be read only.
SCRIPT = """
apt-get update -qq && apt-get install -qq --no-install-recommends git make >/dev/null
git config --global user.email tests@example.com && git config --global user.name Tests
cp -r /template /work && cd /work && rm -rf .venv
python -m venv .venv && .venv/bin/pip install -q --require-hashes -r requirements-dev.txt
.venv/bin/pytest -n auto -p no:cacheprovider -m project -k "$1"
"""


NEWER = [
    name
    for name, entry in CATALOGUE["_django_versions"].items()
    if platform.python_version() not in SpecifierSet(entry["requires_python"])
]


@pytest.mark.parametrize("django_version", NEWER)
def test_projects_pass_their_tools_and_tests_on_the_python_of_their_image(
    django_version: str,
) -> None:
    version = CATALOGUE["_django_versions"][django_version]["python"]
    image = CATALOGUE["_images"]["python"].format(python=version)
    mount = f"type=bind,source={ROOT},target=/template,readonly"
    command = ["docker", "run", "--rm", "--network=host", "--mount", mount, image]
    result = run(*command, "bash", "-exc", SCRIPT, "bash", django_version, cwd=ROOT)
    assert result.returncode == 0, result.stdout[-20_000:]
    summary = result.stdout.splitlines()[-1]
    assert " passed" in summary, result.stdout
    assert " skipped" not in summary, result.stdout

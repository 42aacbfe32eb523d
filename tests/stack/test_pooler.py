"""The pooler of docs/how-to/pooler.md, as it stands there."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.stack.conftest import Stack
from tests.support.catalogue import ROOT
from tests.support.guides import code, shell
from tests.support.stacks import only_in_the_long_form

pytestmark = [pytest.mark.stack, only_in_the_long_form]

GUIDE = ROOT / "docs/how-to/pooler.md"
FILE = "docker-compose.pooler.yml"


def test_many_connections_become_few(make_stack: Callable[..., Stack]) -> None:
    text = GUIDE.read_text("utf-8").replace("my_site", "pooled")
    pooler = code(text, "yaml", "pooler:")
    stack = make_stack("pooled", ("docker-compose.yml", FILE), database="postgresql")
    (stack.folder / FILE).write_text(
        pooler.replace("default_pool_size = 20", "default_pool_size = 2")
    )
    stack.up()
    (command,) = [line for line in shell(text) if "ALTER ROLE" in line]
    _, _, statements = command.rpartition(" -c ")
    for statement in statements.strip('"').split("; "):
        stack.execute("postgresql", "psql", "-U", "postgres", "-c", statement)
    # Connections that were there before know nothing of it.
    stack.compose("restart", "pooler", "backend")
    stack.compose("up", "--wait")
    with ThreadPoolExecutor(16) as visitors:
        assert {*visitors.map(stack.status, ["/districts/"] * 200)} == {200}
    count = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'pooled'"
    assert 1 <= int(stack.execute("postgresql", "psql", "-U", "postgres", "-tc", count)) <= 2
    ask = "from django.db import connection as c; k = c.cursor(); k.execute('SHOW statement_timeout');"
    assert stack.shell(f"{ask} print(k.fetchone()[0])") == "10s"

"""A real replica: a visitor who has written reads it, however far the replica is behind."""

from collections.abc import Callable

import pytest

from tests.stack.conftest import Stack, eventually
from tests.support.projects import env_values
from tests.support.stacks import only_in_the_long_form

pytestmark = [pytest.mark.stack, only_in_the_long_form]

# The server's own image, with a copy of its data that follows it.
REPLICA = """
services:
  replica:
    profiles: [replica]
    image: ${COMPOSE_PROJECT_NAME}-postgresql
    pull_policy: never
    user: postgres
    environment: {PGPASSWORD: "${DATABASE_ROOT_PASSWORD}"}
    entrypoint: [sh, -ec]
    command:
      - |
        pg_basebackup --host=postgresql --username=postgres --write-recovery-conf --pgdata=/tmp/data
        exec postgres -D /tmp/data -c 'listen_addresses=*'
    networks: [data]
"""


def sql(stack: Stack, service: str, statement: str) -> str:
    """Run a statement as the administrator of a server."""
    return stack.execute(service, "psql", "-U", "postgres", "-tc", statement, check=False)


def add(stack: Stack, code: str) -> None:
    """Add a district, on the primary."""
    stack.shell(
        f"from {stack.folder.name}.drainage.models import District;"
        f"District.objects.create(code='{code}', name='{code}')"
    )


def test_who_writes_reads_it_and_others_read_the_replica(make_stack: Callable[..., Stack]) -> None:
    files = ("docker-compose.yml", "replica.yml")
    stack = make_stack("copied", files, database="postgresql", cache="locmem")
    (stack.folder / "replica.yml").write_text(REPLICA)
    stack.up()
    allow = "echo host replication all all scram-sha-256 >>$PGDATA/pg_hba.conf"
    stack.execute("postgresql", "sh", "-c", allow)
    sql(stack, "postgresql", "SELECT pg_reload_conf()")
    stack.compose("--profile", "replica", "up", "--detach", "replica")
    standby = lambda: sql(stack, "replica", "SELECT pg_is_in_recovery()").strip()  # noqa: E731
    assert eventually(standby, lambda answer: answer == "t") == "t"

    password = env_values(stack.folder / ".env")["DATABASE_PASSWORD"]
    stack.env["DATABASE_REPLICA_URLS"] = f"postgresql://copied:{password}@replica:5432/copied"
    stack.compose("up", "--wait")
    add(stack, "97")
    page = "/districts/97/"
    assert eventually(lambda: stack.status(page), lambda status: status == 200) == 200

    sql(stack, "replica", "SELECT pg_wal_replay_pause()")
    add(stack, "98")
    page = "/districts/98/"
    assert stack.status(page) == 404
    assert stack.ready() == 200
    with stack.client() as writer:
        writer.post("/accounts/login/")
        assert writer.get(page).status_code == 200
        # For a while.
        late = eventually(lambda: writer.get(page).status_code, lambda status: status == 404, 15)
    assert late == 404

    stack.compose("--profile", "replica", "stop", "--timeout", "1", "replica")
    assert {stack.status(page) for _ in range(40)} == {200}

"""Real replicas: a visitor who has written reads it, however far the replica is behind."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.stack.conftest import Stack, eventually
from tests.support.catalogue import CATALOGUE
from tests.support.projects import env_values
from tests.support.stacks import only_in_the_long_form

pytestmark = [pytest.mark.stack, only_in_the_long_form]

SERVERS = {name: entry for name, entry in CATALOGUE["_databases"].items() if entry["image"]}


@dataclass(frozen=True, kw_only=True)
class Replication:
    """How a server of a kind is followed: scripts for a shell in the containers, and SQL."""

    # Runs a statement ($1) in a database ($2) as the administrator.
    sql: str
    # What starts the replica.
    start: str
    # Lets a replica connect, on the primary.
    allow: str
    # Copies the primary and follows it, on the replica; empty if `start` does.
    follow: str = ""
    # Stop and resume doing what the primary has done.
    pause: str
    resume: str
    # Changes the primary's file of settings.
    settings: Callable[[str], str] = str


def like_mysql(
    client: str, dump: str, follow: str, thread: str, start: str, settings: Callable[[str], str]
) -> Replication:
    """Return how MySQL and its kin are followed; `follow` says whom, and `thread` is the word for who does it."""
    password = f"export MYSQL_PWD=${client.upper()}_ROOT_PASSWORD"
    database = f"${client.upper()}_DATABASE"
    return Replication(
        sql=f'{password}; {client} -uroot -Ne "$1" "$2"',
        start=f"exec docker-entrypoint.sh {start} --server-id=2 --read-only",
        allow=f"""
            {password}
            {client} -uroot -e "
                CREATE USER replica IDENTIFIED BY 'password'; GRANT REPLICATION SLAVE ON *.* TO replica"
        """,
        # The dump says where the binary log goes on; a host that is named later would reset that.
        follow=f"""
            {password}
            {client} -uroot -e "{follow}"
            {dump} -uroot --socket=/primary/mysqld.sock --single-transaction {database} | {client} -uroot {database}
            {client} -uroot -e "START {thread}"
        """,
        pause=f"STOP {thread} SQL_THREAD",
        resume=f"START {thread} SQL_THREAD",
        settings=settings,
    )


REPLICATIONS = {
    "mysql": like_mysql(
        "mysql",
        dump="mysqldump --source-data",
        follow="CHANGE REPLICATION SOURCE TO SOURCE_HOST='mysql', SOURCE_USER='replica', "
        "SOURCE_PASSWORD='password', GET_SOURCE_PUBLIC_KEY=1",
        thread="REPLICA",
        start="mysqld --defaults-file=/etc/my.cnf",
        settings=lambda text: text.replace("skip-log-bin\n", ""),
    ),
    "mariadb": like_mysql(
        "mariadb",
        dump="mariadb-dump --master-data",
        follow="CHANGE MASTER TO MASTER_HOST='mariadb', MASTER_USER='replica', MASTER_PASSWORD='password'",
        thread="SLAVE",
        start="mariadbd",
        settings=lambda text: f"{text}log-bin = binlog\n",
    ),
    "postgresql": Replication(
        sql='psql -U postgres -tAc "$1" "$2"',
        start="""
            export PGPASSWORD=$POSTGRES_PASSWORD
            [ -e $PGDATA ] ||
                pg_basebackup --host=postgresql --username=postgres --write-recovery-conf --pgdata=$PGDATA
            exec postgres -c 'listen_addresses=*'
        """,
        allow="""
            echo host replication all all scram-sha-256 >>$PGDATA/pg_hba.conf
            psql -U postgres -c "SELECT pg_reload_conf()"
        """,
        pause="SELECT pg_wal_replay_pause()",
        resume="SELECT pg_wal_replay_resume()",
    ),
}

# The primary's own image, settings and passwords, with data of its own.
SERVICE = """
services:
  replica:
    profiles: [replica]
    extends: {{file: docker-compose.yml, service: {database}}}
    read_only: false
    volumes: !override ["run:/primary"]
    entrypoint: [sh, -euc]
    command:
      - |
        {script}
"""


@pytest.fixture(params=SERVERS)
def database(request: pytest.FixtureRequest) -> str:
    """Return each database that is a server."""
    name: str = request.param
    return name


def shell(stack: Stack, service: str, script: str, *words: str) -> str:
    """Run a script in a container; return what it printed."""
    return stack.execute(service, "sh", "-euc", script, "sh", *words).strip()


def add(stack: Stack, code: str) -> str:
    """Add a district, on the primary; return its page."""
    stack.shell(
        f"from {stack.folder.name}.drainage.models import District;"
        f"District.objects.create(code='{code}', name='{code}')"
    )
    return f"/districts/{code}/"


def test_who_writes_reads_it_and_others_read_the_replica(
    make_stack: Callable[..., Stack], database: str
) -> None:
    slug = f"copied_{database}"
    way, server = REPLICATIONS[database], SERVERS[database]
    files = ("docker-compose.yml", "replica.yml")
    stack = make_stack(slug, files, database=database, cache="locmem")
    script = way.start.strip().replace("$", "$$").replace("\n", "\n        ")
    (stack.folder / "replica.yml").write_text(SERVICE.format(database=database, script=script))
    settings = stack.folder / "docker/database" / server["setup"]["file"]
    settings.write_text(way.settings(settings.read_text()))

    def start() -> None:
        stack.compose("--profile", "replica", "up", "--wait", "replica")

    def on_replica(statement: str) -> str:
        return shell(stack, "replica", way.sql, statement, slug)

    def has(code: str) -> bool:
        """Tell whether a district arrives at the replica."""
        codes = "SELECT code FROM drainage_district"
        return code in eventually(lambda: on_replica(codes).split(), lambda found: code in found)

    stack.up()
    shell(stack, database, way.allow)
    start()
    if way.follow:
        shell(stack, "replica", way.follow)
    add(stack, "96")
    assert has("96")

    password = env_values(stack.folder / ".env")["DATABASE_PASSWORD"]
    own = server["url"].replace("{slug}", slug).replace("${DATABASE_PASSWORD}", password)
    stack.env["DATABASE_REPLICA_URLS"] = own.replace(f"@{database}:", "@replica:")
    stack.compose("up", "--wait")
    page = add(stack, "97")
    assert eventually(lambda: stack.status(page), lambda status: status == 200) == 200

    on_replica(way.pause)
    page = add(stack, "98")
    assert stack.status(page) == 404
    assert stack.ready() == 200
    with stack.client() as writer:
        writer.post("/accounts/login/")
        assert writer.get(page).status_code == 200
        # For a while.
        late = eventually(lambda: writer.get(page).status_code, lambda status: status == 404, 15)
    assert late == 404

    def answers() -> set[int]:
        """Return the statuses of the page, from every process."""
        return {stack.status(page) for _ in range(40)}

    stack.compose("--profile", "replica", "stop", "replica")
    assert answers() == {200}

    start()
    assert has("98")
    on_replica(way.pause)
    page = add(stack, "99")
    assert eventually(answers, lambda found: found == {404}) == {404}
    on_replica(way.resume)
    assert eventually(answers, lambda found: found == {200}) == {200}

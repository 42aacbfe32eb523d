"""Traces from nginx to the database and to tasks, with each database, server and task queue."""

from collections.abc import Callable
from itertools import cycle

import pytest

from tests.stack.conftest import Stack, collector, eventually, trace
from tests.support.catalogue import CATALOGUE, CHOICES
from tests.support.stacks import only_in_the_long_form

pytestmark = [pytest.mark.stack, only_in_the_long_form]

QUEUE = CHOICES["task_queue"][-1]
SEND = """if True:
    from config.wsgi import application
    from opentelemetry import trace
    from {slug}.core.tasks import clear_sessions
    with trace.get_tracer("test").start_as_current_span("test") as span:
        clear_sessions.delay()
    print(trace.format_trace_id(span.get_span_context().trace_id))
"""


@pytest.mark.parametrize(
    ("database", "app_server"), [*zip(CHOICES["database"], cycle(CHOICES["app_server"]))]
)
def test_a_trace_has_the_queries_and_the_tasks_of_a_request(
    database: str, app_server: str, make_stack: Callable[..., Stack]
) -> None:
    answers = {"database": database, "app_server": app_server, "cache": "locmem"}
    stack = make_stack(f"traced_{database}", task_queue=QUEUE, **answers)
    stack.up()
    (client,) = (
        name.rpartition("-")[2]
        for name in CATALOGUE["_databases"][database]["packages"]
        if name.startswith("opentelemetry-")
    )
    with collector(stack) as received:
        trace(stack, "/nowhere/", received)
        assert stack.get("/districts/").status_code == 200
        scope = f"opentelemetry.instrumentation.{client}".encode()
        assert eventually(lambda: any(scope in body for body in received), bool, 20)
        code = SEND.format(slug=stack.folder.name)
        sent = bytes.fromhex(stack.execute("backend", "python", "-c", code).split()[-1])
        assert eventually(
            lambda: any(sent in body and b"run/" in body for body in received), bool, 30
        )
    stack.down()

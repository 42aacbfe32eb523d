"""Traces, sent to a server that the tests start."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
# A server loads the application, and forks: only the new process answers requests.
SERVER = f"""
import os, sys
from wsgiref.util import setup_testing_defaults
from config.wsgi import application
if child := os.fork():
    sys.exit(os.waitpid(child, 0)[1])
for path in ("/nowhere/", "/health/ready"):
    environ = dict(HTTP_HOST="localhost", PATH_INFO=path)
    environ["HTTP_TRACEPARENT"] = "00-{TRACE}-{CALLER}-01"
    setup_testing_defaults(environ)
    application(environ, lambda status, headers, error=None: None).close()
"""


def python(code: str, **env: str) -> str:
    """Return what a new process printed, without a .env."""
    env = {"DJANGO_BUILD": "true", "DJANGO_SERVING": "", "DJANGO_DEBUG": "false", **env}
    command = [sys.executable, "-c", code]
    done = subprocess.run(  # noqa: S603
        command, env=os.environ | env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def received() -> list[ResourceSpans]:
    """Return what the server has received so far."""
    return []


@pytest.fixture
def server(received: list[ResourceSpans]) -> Iterator[str]:
    """Return the address of a server that takes traces."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.extend(ExportTraceServiceRequest.FromString(body).resource_spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_request_is_a_span_of_its_callers_trace_and_so_is_what_it_logs(
    server: str, received: list[ResourceSpans]
) -> None:
    printed = python(SERVER, OTEL_EXPORTER_OTLP_ENDPOINT=server)
    (resource,) = received
    spans = [span for scope in resource.scope_spans for span in scope.spans]
    # The health check is none, and neither is what the server requests before it forks.
    assert [(span.trace_id.hex(), span.parent_span_id.hex()) for span in spans] == [(TRACE, CALLER)]
    names = {entry.key: entry.value.string_value for entry in resource.resource.attributes}
    assert names["service.name"] == "{{ cookiecutter.project_slug }}"
    (line,) = [line for line in printed.splitlines() if '/nowhere/", ' in line]
    assert json.loads(line)["trace_id"] == TRACE


def test_without_the_variable_nothing_of_it_is_imported() -> None:
    code = "import config.wsgi, sys; print(*sys.modules)"
    modules = python(code, DJANGO_DEBUG="true", OTEL_EXPORTER_OTLP_ENDPOINT="").split()
    # Clients of some servers import other parts of OpenTelemetry by themselves.
    ours = ("config.tracing", "opentelemetry.exporter", "opentelemetry.instrumentation")
    assert "config.settings" in modules
    assert not [name for name in modules if name.startswith(ours)]

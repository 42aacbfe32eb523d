"""Traces for a server that speaks OTLP, such as Jaeger or Tempo: OTEL_EXPORTER_OTLP_ENDPOINT.

nginx gives each request a trace whose id is that of the request, unless the caller sent one. The packages called
opentelemetry-instrumentation-NAME say what is traced. Without the variable, nobody imports this module.
"""

import logging
import os
from contextlib import suppress
from importlib.metadata import entry_points

from django.conf import settings
from django.http import HttpRequest
from opentelemetry import trace
from opentelemetry.context import get_current
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.dependencies import DependencyConflictError
from opentelemetry.propagate import extract
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

os.environ.setdefault("OTEL_SERVICE_NAME", "{{ cookiecutter.project_slug }}")
# Nor do the queries of these make traces: see Spans.
os.environ.setdefault("OTEL_PYTHON_DJANGO_EXCLUDED_URLS", r"^\w+://[^/]+/(health/|metrics\b)")
# Secrets may be in files, which OpenTelemetry does not read.
os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = settings.OTEL_EXPORTER_OTLP_ENDPOINT
os.environ["OTEL_EXPORTER_OTLP_HEADERS"] = settings.OTEL_EXPORTER_OTLP_HEADERS


class Spans(BatchSpanProcessor):
    """Sends spans in batches, from a thread that each process starts anew after a fork."""

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span, but no query that belongs to nothing, such as the health check's."""
        if span.parent or span.kind is not trace.SpanKind.CLIENT:
            super().on_end(span)

    def shutdown(self) -> None:
        """Send what is left, unless it is the sending thread itself in which a server ends the process."""
        with suppress(RuntimeError):
            super().shutdown()


def instrument() -> None:
    """Let Django and other packages make spans; until `start`, nobody keeps them."""
    for entry in entry_points(group="opentelemetry_instrumentor"):
        with suppress(DependencyConflictError, ModuleNotFoundError):
            entry.load()().instrument(raise_exception_on_conflict=True)


def start() -> None:
    """Keep a share of the traces, the same one in all services, and send them."""
    provider = TracerProvider(TraceIdRatioBased(settings.OTEL_TRACES_SAMPLER_ARG))
    provider.add_span_processor(Spans(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


class TraceId(logging.Filter):
    """Adds the id of the trace to what is logged."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        # Django logs statuses when the span has ended.
        sent = request.headers if isinstance(request, HttpRequest) else {}
        span = trace.get_current_span(extract(sent, get_current())).get_span_context()
        if span.is_valid:
            record.trace_id = trace.format_trace_id(span.trace_id)
        return True

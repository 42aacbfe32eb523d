"""Gunicorn's configuration.

The number of workers is WEB_CONCURRENCY: docker/entrypoint.sh sets two per processor, and STOP_TIMEOUT.
"""

import os
from typing import Any

# nginx talks to the first; the second is for the container's own health check and Prometheus.
bind = ["0.0.0.0:8000", "0.0.0.0:8001"]
worker_class = "gthread"
# A request waiting for a database lock or another site takes up one thread: enough are left for the others.
threads = 8
# A worker accepts no more connections than it has threads: the next goes to one with a thread to spare.
worker_connections = threads
# config/wsgi.py loads everything once; the workers share that memory, and a new one serves at once.
preload_app = True

# Large cookies.
limit_request_field_size = 16384
# One request per connection: nginx never sends one down a connection that a stop is closing.
keepalive = 0
# For a worker that does not answer its master; nginx limits the time of each request.
timeout = 60
# SIGTERM: the requests in flight have this long to finish.
graceful_timeout = int(os.environ["STOP_TIMEOUT"])

# Against slow leaks; the jitter keeps all workers from restarting at once.
max_requests = 5000
max_requests_jitter = 1000

# The heartbeat file must not wait for a disk.
worker_tmp_dir = "/dev/shm"
# nginx logs the requests, and nobody controls this server through a socket.
accesslog = None
control_socket_disable = True


def post_request(worker: Any, req: Any, environ: dict[str, Any], resp: Any) -> None:
    """Read what Django has left of the body, up to UPLOAD_LIMIT.

    Closing a connection with unread bytes resets it, and nginx turns Django's answer into a 502.
    """
    rest = int(os.environ["UPLOAD_LIMIT"]) << 20
    while rest > 0 and (data := req.body.read(1 << 16)):
        rest -= len(data)

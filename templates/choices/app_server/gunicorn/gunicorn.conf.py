"""Gunicorn's configuration.

The number of workers is WEB_CONCURRENCY: docker/entrypoint.sh sets two a processor.
"""

from typing import Any

# nginx speaks to the first; the second is for the container's own health check.
bind = ["0.0.0.0:8000", "127.0.0.1:8001"]
worker_class = "gthread"
# A request that waits, for a lock in the database or another site, takes one: enough are left for the others.
threads = 8
# A worker accepts no more than it has threads: the next connection is for one that has a thread to spare.
worker_connections = threads
# config/wsgi.py loads everything once; the workers share that memory, and a new one serves at once.
preload_app = True

# Large cookies.
limit_request_field_size = 16384
# One request a connection: nginx never sends one down a connection that a stop is closing.
keepalive = 0
# A worker that does not answer its master; nginx bounds the single request.
timeout = 60
# SIGTERM: the requests in flight have this long to end.
graceful_timeout = 35

# Against slow leaks; the jitter keeps the workers from all restarting at once.
max_requests = 5000
max_requests_jitter = 1000

# The heartbeat file must not wait for a disk.
worker_tmp_dir = "/dev/shm"
# nginx logs the requests, and nobody steers this server through a socket.
accesslog = None
control_socket_disable = True


def post_request(worker: Any, req: Any, environ: dict[str, Any], resp: Any) -> None:
    """Read what Django left of the body, up to nginx's client_max_body_size.

    To close a connection with unread bytes resets it, and nginx makes a 502 of Django's answer.
    """
    rest = 10 << 20
    while rest > 0 and (data := req.body.read(1 << 16)):
        rest -= len(data)

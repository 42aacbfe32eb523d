"""Exit with 0 if this container's server answers; end a server that no longer does.

Docker restarts a container that ends, but not an unhealthy one: a server whose threads all hang would hang
for ever.
"""

import os
import signal
import sys
from http.client import HTTPConnection, HTTPException
from pathlib import Path

PORT = sys.argv[1]
# What ends the server at once.
SIGNAL = signal.Signals[sys.argv[2]]
# Longer than a server takes to finish its last requests.
FAILURES = 5
# How often it failed since it first answered.
COUNT = Path("/tmp/healthcheck")  # noqa: S108 -- the container's own


def answers() -> bool:
    """Ask without a proxy, whatever the environment says."""
    connection = HTTPConnection("127.0.0.1", int(PORT), timeout=4)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False


if answers():
    COUNT.write_text("0")
    sys.exit(0)
if COUNT.exists():
    failures = int(COUNT.read_text()) + 1
    COUNT.write_text(str(failures))
    if failures >= FAILURES:
        os.kill(1, SIGNAL)
sys.exit(1)

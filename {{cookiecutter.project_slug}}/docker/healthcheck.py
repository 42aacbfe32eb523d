"""Exit with 0 if this container's server is ready, and later if it answers; end one that no longer does.

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
# How often it failed since it was ready.
COUNT = Path("/tmp/healthcheck")  # noqa: S108 -- the container's own


def answers(path: str) -> bool:
    """Ask without a proxy, whatever the environment says; print what is wrong."""
    connection = HTTPConnection("127.0.0.1", int(PORT), timeout=4)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        if response.status == 200:
            return True
        print(response.read().decode())
    except (OSError, HTTPException) as error:
        print(error)
    return False


started = COUNT.exists()
# Later, a database that is down is no fault of this server.
if answers("/health/live" if started else "/health/ready"):
    COUNT.write_text("0")
    sys.exit(0)
if started:
    failures = int(COUNT.read_text()) + 1
    COUNT.write_text(str(failures))
    if failures >= FAILURES:
        os.kill(1, SIGNAL)
sys.exit(1)

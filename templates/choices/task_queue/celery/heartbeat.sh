#!/bin/sh
# Exits with 0 if this container's process has shown within a minute that it lives, and ends one that has not for five:
# Docker restarts a container that ends, but not an unhealthy one.
[ -z "$(find /tmp/heartbeat -mmin -1)" ] || exit 0
[ -z "$(find /tmp/heartbeat -mmin +5)" ] || kill -9 "$(cat /tmp/heartbeat)"
exit 1

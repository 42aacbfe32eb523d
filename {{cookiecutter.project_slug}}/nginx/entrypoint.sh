#!/bin/sh
# Starts nginx, which then follows new configurations and renewed certificates. A reload drops no request.
set -eu

configuration=/srv/nginx/current/nginx.conf

state() {
    readlink /srv/nginx/current
    stat -L -c '%i %Y' /etc/nginx/tls/*.pem 2>/dev/null || true
}

follow() {
    loaded=$(state)
    while sleep 1; do
        if [ "$(state)" != "$loaded" ]; then
            loaded=$(state)
            nginx -c $configuration -s reload
        fi
    done
}

follow &
exec nginx -c $configuration -g "daemon off;"

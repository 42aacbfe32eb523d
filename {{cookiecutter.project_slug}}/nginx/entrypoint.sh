#!/bin/sh
# Starts nginx, which then follows new configurations. A reload drops no request.
set -eu

configuration=/srv/nginx/current/nginx.conf

follow() {
    loaded=$(readlink /srv/nginx/current)
    while sleep 1; do
        if [ "$(readlink /srv/nginx/current)" != "$loaded" ]; then
            loaded=$(readlink /srv/nginx/current)
            nginx -c $configuration -s reload
        fi
    done
}

follow &
exec nginx -c $configuration -g "daemon off;"

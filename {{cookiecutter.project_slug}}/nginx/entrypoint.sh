#!/bin/sh
# Writes this machine's settings into /run/nginx, where nginx.conf reads them, and starts nginx.
# config/environment.py reads the same variables for Django, and says what is wrong with them.
set -eu

# Words separated by spaces or commas.
words() {
    echo "$1" | tr ',[:upper:]' ' [:lower:]'
}

boolean() {
    case $(words "$1") in true | yes | on | 1) echo true ;; *) echo false ;; esac
}

# As many processors as the container may use, rounded up: `worker_processes auto` counts the machine's.
{% include "cpus.sh" %}

# Host names, also from URLs, without ports.
SERVER_NAMES=$(words "$ALLOWED_HOSTS" | sed -E 's#https?://##g; s#(:[0-9]+)?(/[^ ]*)?( |$)# #g')
HTTPS=$(boolean "$HTTPS")
HSTS="max-age=$HSTS_SECONDS; includeSubDomains"
if [ "$(boolean "$HSTS_PRELOAD")" = true ]; then HSTS="$HSTS; preload"; fi
export SERVER_NAMES HTTPS HSTS

cd /run/nginx
rm -f ./*
touch proxies
echo "worker_processes $(cpus);" >workers
for network in $(words "$TRUSTED_PROXY"); do
    echo "set_real_ip_from $network;" >>proxies.conf
    echo "$network 1;" >>proxies
done
for name in site ${TLS:+tls}; do
    # shellcheck disable=SC2016 # the names of variables, for envsubst
    envsubst '{{ "$API_LIMIT " if cookiecutter.sample_app }}$HSTS $HTTPS $SERVER_NAMES' <"/etc/nginx/$name.conf.template" >"$name.conf"
done
# Without IPv6, nginx could not listen on its addresses.
if [ ! -e /proc/net/if_inet6 ]; then sed -i '/listen \[::\]/d' ./*.conf; fi

exec "$@"

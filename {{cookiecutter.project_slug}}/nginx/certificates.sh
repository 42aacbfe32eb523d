#!/bin/sh
# Gets a certificate for the names in ALLOWED_HOSTS, and asks twice a day whether it is time to renew it.
set -eu

own=/etc/nginx/tls/fullchain.pem

# The names that a certificate can be for: no localhost, no addresses, and no leading dot for all subdomains.
domains=$(echo "$ALLOWED_HOSTS" | tr ', ' '[\n*]' | tr '[:upper:]' '[:lower:]' |
    sed -E 's#^https?://##; s#[:/].*$##' | grep -E '^[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]+$' | xargs)

obtain() {
    # shellcheck disable=SC2046,SC2086 # words, on purpose
    certbot certonly --webroot --webroot-path /srv/challenges --cert-name site --server "$ACME_SERVER" \
        --config-dir /etc/nginx/tls --work-dir /tmp/work --logs-dir /tmp/logs \
        --agree-tos --register-unsafely-without-email --non-interactive --quiet --keep-until-expiring --expand \
        $(printf -- '--domain %s ' $domains) "$@"
}

# A first process ends on a signal only if it says so.
trap exit TERM
until python3 -c 'from urllib.request import urlopen; urlopen("http://nginx:8080/health/nginx", timeout=2)' 2>/dev/null; do
    sleep 1
done
while true; do
    if [ -e "$own" ]; then
        echo "The certificate is your own: nothing to do"
        pause=86400
    elif [ -z "$domains" ]; then
        echo "ALLOWED_HOSTS=$ALLOWED_HOSTS has no name that a certificate could be for" >&2
        pause=86400
    # Before the first one, a rehearsal: Let's Encrypt allows few failures an hour.
    elif { [ -e /etc/nginx/tls/live/site ] || obtain --dry-run; } && obtain; then
        echo "The certificate for $domains is up to date"
        pause=43200
    else
        echo "No certificate for $domains: does each lead to port 80 here? The next attempt is in an hour" >&2
        pause=3600
    fi
    sleep "${ACME_PAUSE:-$pause}" &
    wait $!
done

#!/bin/sh
# Writes nginx's configuration for this machine's settings, and publishes it if it passes nginx's own test.
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

# Host names, also from URLs, without ports. A name with www. only leads to the one without, if that is there, too.
SERVER_NAMES=
WWW_NAMES=
names=$(words "$ALLOWED_HOSTS" | sed -E 's#https?://##g; s#(:[0-9]+)?(/[^ ]*)?( |$)# #g')
for name in $names; do
    if [ "${name#www.}" != "$name" ] && echo "$names" | tr ' ' '\n' | grep -qxF "${name#www.}"; then
        WWW_NAMES="$WWW_NAMES $name"
    else
        SERVER_NAMES="$SERVER_NAMES $name"
    fi
done
WWW_NAMES=${WWW_NAMES:-www.invalid}
HTTPS=$(boolean "$HTTPS")
HSTS="max-age=$HSTS_SECONDS; includeSubDomains"
if [ "$(boolean "$HSTS_PRELOAD")" = true ]; then HSTS="$HSTS; preload"; fi
export SERVER_NAMES WWW_NAMES HTTPS HSTS

# A certificate of one's own, in the folder itself or as certbot leaves it; or the one that certificates.sh gets.
CERTIFICATES=/etc/nginx/tls/live/site
for folder in /etc/nginx/tls /etc/nginx/tls/live/*; do
    if [ -L "$folder/privkey.pem" ] && [ ! -e "$folder/privkey.pem" ]; then
        echo "TLS_DIRECTORY has links that lead out of it: set it to the folder above live/" >&2
        exit 1
    elif [ -e "$folder/privkey.pem" ] && [ ! -r "$folder/privkey.pem" ]; then
        echo "TLS_DIRECTORY has a key that nginx cannot read: give it to uid 101" >&2
        exit 1
    elif [ -e "$folder/fullchain.pem" ]; then
        CERTIFICATES=$folder
        break
    fi
done
export CERTIFICATES

new=/srv/nginx/new
rm -rf $new
cp -R /etc/nginx/site $new
cd $new
mkdir settings
# This machine's limits in place of the defaults.
sed -i "s/client_max_body_size 10m/client_max_body_size ${UPLOAD_LIMIT}m/" nginx.conf
sed -i -E "s/_(read|send)_timeout 30s/_\\1_timeout ${REQUEST_TIMEOUT}s/" backend.conf
echo "worker_processes $(cpus);" >settings/workers
# Only those of this deployment: others may still start, or finish their last requests.
echo "set \$backend ${BACKEND:-backend-${DEPLOYMENT:-0}}:8000;" >settings/backend
touch settings/proxies
for network in $(words "$TRUSTED_PROXY"); do
    echo "set_real_ip_from $network;" >>settings/proxies.conf
    echo "$network 1;" >>settings/proxies
done
for name in site ${TLS:+tls}; do
    # shellcheck disable=SC2016 # the names of variables, for envsubst
    envsubst '$API_LIMIT $CERTIFICATES $HSTS $HTTPS $SERVER_NAMES $WWW_NAMES' <"$name.conf.template" >"settings/$name.conf"
done
# Without IPv6, nginx could not listen on its addresses.
if [ ! -e /proc/net/if_inet6 ]; then sed -i '/listen \[::\]/d' settings/*.conf; fi

problem=$(nginx -t -q -c $new/nginx.conf 2>&1) || {
    echo "$problem" | grep emerg >&2
    exit 1
}
# Named after its contents: the same again is no news to nginx.
release=release.$(find . -type f | sort | xargs sha256sum | sha256sum | cut -c 1-16)
cd /srv/nginx
if [ -e "$release" ]; then rm -rf new; else mv new "$release"; fi
[ "$(readlink current)" = "$release" ] || echo "nginx follows $release"
# The link switches in one step.
ln -sfn "$release" link
mv -T link current
for old in release.*; do
    [ "$old" = "$release" ] || rm -rf "$old"
done

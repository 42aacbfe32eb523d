{% from "catalogue.jinja" import server with context %}
#!/bin/sh
# Every container of this image starts here. `release` prepares the database and the static files for
# this version of the code: it runs once, however many servers start after it. Other commands run as given.
set -eu

# As many processors as the container may use, rounded up: the kernel counts those of the whole machine.
{% include "cpus.sh" %}

# This release's files, beside those of earlier ones: pages that are open in browsers still ask for them.
copy_static() {
    release=$(mktemp -d "$1/release.XXXXXXXX")
    if [ -e "$1/current" ]; then
        # Hard links: no copies.
        cp -al "$1/current/." "$release"
        # The files of the release that ends now age from today.
        (cd "$release" && xargs -d '\n' touch -c <.files)
        find "$release" -type f -mtime +30 -delete
        rm -f "$release/.files"
    fi
    find staticfiles -type f -printf '%P\n' >"$release/.files"
    cp -R --remove-destination staticfiles/. "$release"
    chmod 755 "$release"
}

# nginx follows the symbolic link, which switches in one step from one complete release to the next.
publish_static() {
    ln -s "${release##*/}" "$release.link"
    mv -T "$release.link" "$1/current"
    for old in "$1"/release.*; do
        [ "$old" = "$release" ] || rm -rf "$old"
    done
}

case ${1:-} in
    # For building the image, which knows no settings: config/environment.py has what stands for them.
    collectstatic)
        DJANGO_BUILD=true exec python manage.py collectstatic --no-input --verbosity 0
        ;;
    release)
        copy_static /srv/static
        LOCK_TIMEOUT=1 python manage.py wait_for_database --migrate --timeout "${DATABASE_TIMEOUT:-60}"
        publish_static /srv/static
        ;;
    # For development.
    runserver)
        python manage.py wait_for_database --timeout "${DATABASE_TIMEOUT:-60}"
        exec python manage.py runserver 0.0.0.0:8000
        ;;
    {{ server.command[0] }})
        # A stop waits for the requests that are under way.
        export STOP_TIMEOUT=$((${REQUEST_TIMEOUT:-30} + 5))
{% include "choices/app_server/" ~ cookiecutter.app_server ~ "/entrypoint.sh" %}
        # Where its processes keep their metrics: config/metrics.py.
        PROMETHEUS_MULTIPROC_DIR=$(mktemp -d)
        export PROMETHEUS_MULTIPROC_DIR
        # Uploads wait on disk, in a volume: /tmp is memory. Those of servers that were killed go after a day.
        export TMPDIR=/srv/uploads
        find "$TMPDIR" -type f -mtime +1 -delete
        exec "$@"
        ;;
    *)
        exec "$@"
        ;;
esac

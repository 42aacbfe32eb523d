#!/bin/sh
# Every container of this image starts here. `release` prepares the database and the static files for
# this version of the code: it runs once, however many servers start after it. Other commands run as given.
set -eu

# As many processors as the container may use, rounded up: the kernel counts those of the whole machine.
cpus() {
    cgroup=/sys/fs/cgroup
    # One line of cgroup v2, or two of v1: the quota, and the period it is a part of.
    # shellcheck disable=SC2046 # words, on purpose
    set -- $(cat $cgroup/cpu.max $cgroup/cpu/cpu.cfs_quota_us $cgroup/cpu/cpu.cfs_period_us 2>/dev/null)
    if [ "${1:-max}" -gt 0 ] 2>/dev/null; then echo $((($1 + $2 - 1) / $2)); else nproc; fi
}

copy_static() {
    release=$(mktemp -d "$1/release.XXXXXXXX")
    cp -R staticfiles/. "$release"
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
    # For building the image. The values only let the settings load: nothing here signs, stores or serves.
    collectstatic)
        DJANGO_SECRET_KEY=build ALLOWED_HOSTS=build DATABASE_URL=sqlite:// CACHE_URL=locmemcache:// \
            exec python manage.py collectstatic --no-input --verbosity 0
        ;;
    release)
        copy_static /srv/static
        python manage.py wait_for_database --migrate --timeout "${DATABASE_TIMEOUT:-60}"
        publish_static /srv/static
        ;;
    # For development.
    runserver)
        python manage.py wait_for_database --timeout "${DATABASE_TIMEOUT:-60}"
        exec python manage.py runserver 0.0.0.0:8000
        ;;
    {{ cookiecutter.app_server }})
{% include "choices/app_server/" ~ cookiecutter.app_server ~ "/entrypoint.sh" %}
        # Where its processes keep their metrics: config/metrics.py.
        PROMETHEUS_MULTIPROC_DIR=$(mktemp -d)
        export PROMETHEUS_MULTIPROC_DIR
        exec "$@"
        ;;
    *)
        exec "$@"
        ;;
esac

{% from "catalogue.jinja" import db with context %}
#!/usr/bin/env bash
# Backs the database up, and restores it. It asks the server as its administrator, through the server's socket.
#
#   backup.sh nightly          rotate at BACKUP_AT, every day
#   backup.sh rotate           now, and removes those before the last BACKUP_KEEP
#   backup.sh now              prints the backup's name; the status is 33 if there is nothing to back up
#   backup.sh check NAME       its checksum
#   backup.sh restore NAME     in place of the whole database
#   backup.sh trial [NAME]     restores one, or the newest, into a database of its own, and compares
#   backup.sh list
set -euo pipefail
umask 077
export LC_ALL=C
cd /backups

DATABASE={{ cookiecutter.project_slug }}
BACKUP_AT=${BACKUP_AT:-03:00}
BACKUP_KEEP=${BACKUP_KEEP:-14}

{% include "choices/database/" ~ cookiecutter.database ~ "/backup.sh" %}
{% if db.image %}

# With DATABASE_URL_FILE, the server that the URL in it names, as the user in it.
if [ -n "${DATABASE_URL_FILE:-}" ]; then
    url='^[a-z]+://([^:@]+):([^@]*)@([^:/]+):?([0-9]*)/([^?]+)\??(.*)$'
    if ! [[ $(cat "$DATABASE_URL_FILE") =~ $url ]]; then
        echo "DATABASE_URL_FILE=$DATABASE_URL_FILE has no URL of the form {{ db.url.partition(":")[0] }}://user:password@host/name" >&2
        exit 1
    fi
    DATABASE=${BASH_REMATCH[5]}
    reach "${BASH_REMATCH[1]}" "$(printf '%b' "${BASH_REMATCH[2]//%/\\x}")" \
        "${BASH_REMATCH[3]}" "${BASH_REMATCH[4]:-{{ db.port }}}" "${BASH_REMATCH[6]}"
fi
{% endif %}

# Their names, the oldest first.
backups() {
    for file in *.sha256; do
        [ ! -e "$file" ] || echo "${file%.sha256}"
    done
}

now() {
    name=$(date -u +%Y%m%dT%H%M%SZ)
    trap 'rm -f "$name".*part' EXIT
    rows "$DATABASE" >"$name.before.part"
    if [ ! -s "$name.before.part" ]; then
        echo "The database has no tables" >&2
        # Programs for dumps end with 3 and others.
        exit 33
    fi
    dump | gzip >"$name.sql.gz.part"
    rows "$DATABASE" >"$name.after.part"
    # A table that changed meanwhile has no checksum, and as many rows as before, as after, or between.
    join -t "$TAB" "$name.before.part" "$name.after.part" | awk -F "$TAB" -v OFS="$TAB" \
        '{print $1, $2, $4, $3 == $5 ? $3 : "-"}' >"$name.rows.part"
    if [ ! -s "$name.rows.part" ] || ! gzip --decompress --stdout "$name.sql.gz.part" | complete; then
        echo "The backup is not complete" >&2
        exit 1
    fi
    for part in rows sql.gz; do mv "$name.$part.part" "$name.$part"; done
    sha256sum "$name.rows" "$name.sql.gz" >"$name.sha256.part"
    mv "$name.sha256.part" "$name.sha256"
    echo "$name"
}

# Before a backup as well: a disk that is full would never have room for one.
rotate() {
    check_settings
    prune
    now
    prune
}

prune() {
    for old in $(backups | head -n "-$BACKUP_KEEP"); do rm -f "$old".*; done
}

check_settings() {
    [[ $BACKUP_KEEP =~ ^[1-9][0-9]*$ ]] || { echo "BACKUP_KEEP=$BACKUP_KEEP is no number of backups, such as 14" >&2; exit 1; }
    [[ $BACKUP_AT =~ ^([01]?[0-9]|2[0-3]):[0-5][0-9]$ ]] || { echo "BACKUP_AT=$BACKUP_AT is no time in UTC, such as 03:00" >&2; exit 1; }
}

check() {
    [ -e "$1.sha256" ] || { echo "There is no backup $1, only: $(backups | tr '\n' ' ')" >&2; return 1; }
    sha256sum --quiet --check "$1.sha256"
}

# Makes a database of a backup.
unpack() {
    create "$2"
    gzip --decompress --stdout "$1.sql.gz" | load "$2"
    compare "$1" "$2"
}

restore() {
    check "$1"
    if declare -F replace >/dev/null; then
        # What is there goes when what comes is complete.
        trap 'remove "${DATABASE}_restored"' EXIT
        unpack "$1" "${DATABASE}_restored"
        trap - EXIT
        replace "${DATABASE}_restored"
    else
        unpack "$1" "$DATABASE"
    fi
}

trial() {
    local name=${1:-$(backups | tail -n 1)}
    check "$name"
    trap 'remove "${DATABASE}_backup_test"' EXIT
    unpack "$name" "${DATABASE}_backup_test"
    echo "$name can be restored: $(grep -vc "^(" "$name.rows") tables with the rows and checksums of the backup"
}

# Tells whether a database has the rows of a backup, table by table.
compare() {
    rows "$2" | join -t "$TAB" -a 1 "$1.rows" - | awk -F "$TAB" '
        NF < 6 {print $1 " is missing"; wrong = 1; next}
        $5 < $2 && $5 < $3 || $5 > $2 && $5 > $3 {print $1 " has " $5 " rows, not " $2; wrong = 1}
        $4 != "-" && $4 != $6 {print $1 " has other contents"; wrong = 1}
        END {exit wrong}' >&2
}

TAB=$(printf '\t')
case $1 in
    nightly)
        # A first process ends on a signal only if it says so.
        trap exit TERM
        check_settings
        while true; do
            sleep $((1 + ($(date -u -d "$BACKUP_AT" +%s) - $(date +%s) + 86400) % 86400)) &
            wait $!
            # Not `(rotate) ||`: that would go on after an error.
            (rotate) &
            wait $! || echo "The backup failed; the next attempt is tomorrow" >&2
        done
        ;;
    rotate | now | check | restore | trial) "$@" ;;
    list) [ -z "$(backups)" ] || ls -lh -- *.gz ;;
    *) exit 2 ;;
esac

{# For MySQL and MariaDB; `client` and `dumper` are their programs, `options` what only one of them knows,
   `position` the option for the comment, `tls` the options of a URL that the programs know. #}
administrator=root

# A server elsewhere: user, password, host, port, options.
reach() {
    administrator=$1
    export HOME=/tmp
    {
        printf '[client]\npassword="%s"\nhost=%s\nport=%s\n' "${2//[\\\"]/\\&}" "$3" "$4"
        tr '&' '\n' <<<"$5" | grep -E '^{{ tls }}=' || true
    } >~/.my.cnf
}

sql() {
    {{ client }} --user="$administrator" --batch --skip-column-names --execute="$1"
}

# If there are binary logs, the dump says in a comment where they go on; only the administrator may know.
position() {
    if [ "$administrator" = root ] && [ "$(sql "SELECT @@log_bin")" = 1 ]; then echo {{ position }}; fi
}

dump() {
    # shellcheck disable=SC2046 # no word, or one
    {{ dumper }} --user="$administrator" --single-transaction --routines --triggers --events --hex-blob --no-tablespaces \
        {{ options }}$(position) "$DATABASE"
}

complete() {
    tail -n 1 | grep -q "^-- Dump completed"
}

create() {
    sql "DROP DATABASE IF EXISTS \`$1\`; CREATE DATABASE \`$1\`"
}

load() {
    {{ client }} --user="$administrator" "$1"
}

remove() {
    sql "DROP DATABASE IF EXISTS \`$1\`"
}

# How many there are of each kind, then each table, its number of rows, and their checksum.
rows() {
    local kind count table tables
    for kind in events:event routines:routine triggers:trigger views:table; do
        count=$(sql "SELECT COUNT(*) FROM information_schema.${kind%:*} WHERE ${kind#*:}_schema = '$1'")
        if [ "$count" -gt 0 ]; then printf '(%s)\t%s\t%s\n' "${kind%:*}" "$count" "$count"; fi
    done
    tables=$(sql "SELECT table_name FROM information_schema.tables
        WHERE table_schema = '$1' AND table_type = 'BASE TABLE'" | sort)
    for table in $tables; do
        printf '%s\t%s\t%s\n' "$table" "$(sql "SELECT COUNT(*) FROM \`$1\`.\`$table\`")" \
            "$(sql "CHECKSUM TABLE \`$1\`.\`$table\` EXTENDED" | cut -f 2)"
    done
}

{# For MySQL and MariaDB; `client` and `dumper` are their programs, `options` what only one of them knows. #}
sql() {
    {{ client }} --user=root --batch --skip-column-names --execute="$1"
}

dump() {
    {{ dumper }} --user=root --single-transaction --routines --events --hex-blob --no-tablespaces \
        {{ options }}"$DATABASE"
}

complete() {
    tail -n 1 | grep -q "^-- Dump completed"
}

create() {
    sql "DROP DATABASE IF EXISTS \`$1\`; CREATE DATABASE \`$1\`"
}

load() {
    {{ client }} --user=root "$1"
}

remove() {
    sql "DROP DATABASE IF EXISTS \`$1\`"
}

# Each table, its number of rows, and their checksum.
rows() {
    local table
    for table in $(sql "SELECT table_name FROM information_schema.tables
        WHERE table_schema = '$1' AND table_type = 'BASE TABLE'" | sort); do
        printf '%s\t%s\t%s\n' "$table" "$(sql "SELECT COUNT(*) FROM \`$1\`.\`$table\`")" \
            "$(sql "CHECKSUM TABLE \`$1\`.\`$table\` EXTENDED" | cut -f 2)"
    done
}

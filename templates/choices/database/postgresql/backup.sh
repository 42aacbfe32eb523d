administrator=postgres
owner=$DATABASE

# A server elsewhere: user, password, host, port, options.
reach() {
    administrator=$1
    owner=$1
    export PGPASSWORD=$2 PGHOST=$3 PGPORT=$4
    if [[ $5 =~ sslmode=([a-z-]+) ]]; then export PGSSLMODE=${BASH_REMATCH[1]}; fi
    if [[ $5 =~ sslrootcert=([^&]+) ]]; then export PGSSLROOTCERT=${BASH_REMATCH[1]}; fi
}

sql() {
    psql --username="$administrator" --quiet --no-psqlrc --tuples-only --no-align --field-separator="$TAB" \
        --set=ON_ERROR_STOP=1 --dbname="$1" --command="$2"
}

dump() {
    pg_dump --username="$administrator" "$DATABASE"
}

complete() {
    tail -n 5 | grep -q "PostgreSQL database dump complete"
}

create() {
    remove "$1"
    sql postgres "CREATE DATABASE \"$1\" OWNER \"$owner\""
}

load() {
    psql --username="$administrator" --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --single-transaction --dbname="$1" \
        --output=/dev/null
}

remove() {
    sql postgres "DROP DATABASE IF EXISTS \"$1\" WITH (FORCE)"
}

replace() {
    remove "$DATABASE"
    sql postgres "ALTER DATABASE \"$1\" RENAME TO \"$DATABASE\""
}

# Each table, its number of rows, and their checksum.
rows() {
    local exists table tables
    exists=$(sql postgres "SELECT 1 FROM pg_database WHERE datname = '$1'")
    [ -n "$exists" ] || return 0
    tables=$(sql "$1" "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
        WHERE schemaname NOT IN ('pg_catalog', 'information_schema')" | sort)
    for table in $tables; do
        sql "$1" "SELECT '$table', count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM $table t"
    done
}

# The site's file, or one beside it.
file() {
    if [ "$1" = "$DATABASE" ]; then echo /data/db.sqlite3; else echo "/data/$1.sqlite3"; fi
}

dump() {
    python -c '
import sqlite3, sys
source, copy = map(sqlite3.connect, sys.argv[1:])
source.backup(copy)' "$(file "$DATABASE")" "$name.copy.part"
    cat "$name.copy.part"
}

complete() {
    head --bytes 15 | grep -q "SQLite format 3" && cat >/dev/null
}

create() {
    remove "$1"
}

load() {
    cat >"$(file "$1")"
}

remove() {
    rm -f "$(file "$1")"*
}

replace() {
    remove "$DATABASE"
    mv "$(file "$1")" "$(file "$DATABASE")"
}

# Each table, its number of rows, and their checksum.
rows() {
    python -c '
import sqlite3, sys, zlib
database = sqlite3.connect(sys.argv[1])
for (table,) in sorted(database.execute("SELECT name FROM sqlite_schema WHERE type = \"table\"")):
    sums = [zlib.crc32(repr(row).encode()) for row in database.execute(f"SELECT * FROM \"{table}\"")]
    print(table, len(sums), sum(sums), sep="\t")' "$(file "$1")"
}

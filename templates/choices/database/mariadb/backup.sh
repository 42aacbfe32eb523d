{% set client, dumper, options = "mariadb", "mariadb-dump", "" %}
{% include "mysql-backup.sh" %}

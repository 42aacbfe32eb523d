{% set client, dumper, options, position = "mariadb", "mariadb-dump", "", "--master-data=2" %}
{% include "mysql-backup.sh" %}

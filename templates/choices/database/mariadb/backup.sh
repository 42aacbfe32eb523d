{% set client, dumper, options, position, tls = "mariadb", "mariadb-dump", "", "--master-data=2", "ssl-ca" %}
{% include "mysql-backup.sh" %}

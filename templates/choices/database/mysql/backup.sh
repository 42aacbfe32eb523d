{% set client, dumper, options, position, tls = "mysql", "mysqldump", "--set-gtid-purged=OFF ", "--source-data=2", "ssl-(ca|mode)" %}
{% include "mysql-backup.sh" %}

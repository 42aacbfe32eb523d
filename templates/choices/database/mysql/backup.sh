{% set client, dumper, options, position = "mysql", "mysqldump", "--set-gtid-purged=OFF ", "--source-data=2" %}
{% include "mysql-backup.sh" %}

{% set client, dumper, options = "mysql", "mysqldump", "--set-gtid-purged=OFF " %}
{% include "mysql-backup.sh" %}

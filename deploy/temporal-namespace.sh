#!/bin/sh
# Sluice's namespace at Temporal: safe to run again. Needs TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE.
set -eu
temporal="${TEMPORAL_CLI:-temporal}"
tries=0
until "$temporal" operator cluster health >/dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -ge 60 ]; then
    echo "Temporal does not answer at $TEMPORAL_ADDRESS" >&2
    exit 1
  fi
  sleep 2
done
if "$temporal" operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
  echo "The namespace $TEMPORAL_NAMESPACE is there"
else
  "$temporal" operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 30d
fi

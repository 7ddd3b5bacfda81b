# One image for every process of Sluice: `--target api`, `worker` or `build-worker`; `sandbox` needs no account.
ARG NODE_IMAGE=node:22.21.1-bookworm-slim

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /sluice
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --no-audit --no-fund && npm cache clean --force

# What the processes would build at their first start: the workflows' bundle, and the dashboard.
FROM dependencies AS built
COPY . .
RUN node scripts/build.mjs

FROM ${NODE_IMAGE} AS base
ARG SLUICE_RELEASE
ENV NODE_ENV=production \
    NODE_OPTIONS=--enable-source-maps \
    HOST=0.0.0.0 \
    SLUICE_CONFIG=/etc/sluice/sluice.yaml \
    SLUICE_CACHE=/var/cache/sluice \
    SLUICE_RELEASE=${SLUICE_RELEASE}
# The directory is a volume's, which takes its owner over.
RUN install -d -o node -g node /var/cache/sluice
WORKDIR /sluice
COPY --from=built /sluice ./
USER 1000
STOPSIGNAL SIGTERM

FROM base AS api
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["node", "deploy/healthy.mjs", "http://127.0.0.1:3000/healthz"]
CMD ["node", "--import", "tsx", "api/main.ts"]

# Merges are found in a mirror of the repository.
FROM base AS worker
USER 0
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git \
    && rm -rf /var/lib/apt/lists/*
USER 1000
ENV WORKER_METRICS_ADDRESS=0.0.0.0:9464
EXPOSE 9464
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD ["node", "deploy/healthy.mjs", "http://127.0.0.1:9464/metrics"]
CMD ["node", "--import", "tsx", "worker/main.ts"]

FROM docker:28.5.2-cli AS docker

# Docker's daemon is another machine's, or the host's by its socket: only the client is here.
FROM worker AS build-worker
COPY --from=docker /usr/local/bin/docker /usr/local/bin/docker
COPY --from=docker /usr/local/libexec/docker/cli-plugins/docker-buildx /usr/local/libexec/docker/cli-plugins/
CMD ["node", "--import", "tsx", "worker/main.ts", "--builds"]

FROM temporalio/temporal:1.5.1 AS temporal

# Everything on one machine, with stand-ins for AWS, GitHub and Slack.
FROM base AS sandbox
USER 0
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git \
    && rm -rf /var/lib/apt/lists/*
COPY --from=temporal /usr/local/bin/temporal /usr/local/bin/temporal
USER 1000
CMD ["node", "--import", "tsx", "sandbox/main.ts"]

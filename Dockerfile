# One Hearth in a container: docker build -t hearth . && docker run -p 8000:8000 -v hearth:/data hearth
# deploy/compose.yml has it behind Caddy, deploy/compose.cluster.yml several of them.
ARG NODE_IMAGE=node:20-bookworm-slim

FROM ${NODE_IMAGE} AS build
# Native modules are compiled where there is no prebuilt one.
RUN apt-get update \
 && apt-get install -y --no-install-recommends build-essential python3 \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/hearth
# "--omit=optional" leaves out voice and thumbnails.
ARG NPM_FLAGS=""
# Engines that are left out otherwise: "faces amazon sherpa", or some of them.
ARG ADD=""
COPY . .
# The compiled sources come of it, too: the file system of the container is read-only.
RUN npm ci --omit=dev --no-audit --no-fund ${NPM_FLAGS} \
 && { [ -z "${ADD}" ] || npm run --silent add -- ${ADD}; } \
 && npm cache clean --force

FROM ${NODE_IMAGE}
# Backups and snapshots of PostgreSQL.
RUN apt-get update \
 && apt-get install -y --no-install-recommends postgresql-client \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --system --gid 10001 hearth \
 && useradd --system --uid 10001 --gid hearth --home-dir /data --shell /usr/sbin/nologin hearth \
 && install --directory --owner hearth --group hearth --mode 0700 /data /files /backups
WORKDIR /opt/hearth
COPY --from=build /opt/hearth /opt/hearth
# npm writes its log there; the folder of data has to be empty for a restore.
ENV NODE_ENV=production HOME=/tmp
USER 10001:10001
VOLUME ["/data"]
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8000/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--max-semi-space-size=32", "start.js", "--host", "0.0.0.0", "--port", "8000", "--data", "/data"]

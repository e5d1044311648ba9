# The image of one process: `docker build --build-arg APP=api .`, or APP=worker. Everything is compiled in the first
# stage; the last one contains only what runs. It writes no files: run it with --read-only.
# Another base (a mirror, a hardened one): `--build-arg NODE_IMAGE=…`; Debian with Node 24.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6

# Both first stages run on the machine that builds, whatever the image is for: all that they make is JavaScript. So an image for arm64
# needs no emulation.
FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS build
WORKDIR /repo
COPY . .
RUN npm run install:without-scripts && npm run build
# The pages of the console, for the image of the API alone.
RUN mkdir -p served/api/dist served/worker/dist && if [ -d apps/console/dist ]; then cp -R apps/console/dist served/api/; fi

FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS production-modules
ARG APP
WORKDIR /repo
COPY package.json package-lock.json ./
COPY packages/domain/package.json packages/domain/
COPY packages/platform/package.json packages/platform/
COPY packages/store/package.json packages/store/
COPY packages/sync/package.json packages/sync/
COPY apps/${APP}/package.json apps/${APP}/
RUN npm ci --omit=dev --omit=peer --omit=optional --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE}
ARG APP
# The system's resolver blocks a thread for each name: webhooks to hosts whose names do not resolve must not hold up others.
ENV NODE_ENV=production APP=${APP} UV_THREADPOOL_SIZE=64
WORKDIR /repo
COPY --from=production-modules /repo/ ./
COPY --from=build /repo/packages/domain/dist packages/domain/dist
COPY --from=build /repo/packages/platform/dist packages/platform/dist
COPY --from=build /repo/packages/store/dist packages/store/dist
COPY --from=build /repo/packages/sync/dist packages/sync/dist
COPY --from=build /repo/apps/${APP}/dist apps/${APP}/dist
COPY --from=build /repo/served/${APP}/dist apps/console/dist
COPY prisma prisma
# `node`, by number: Kubernetes' runAsNonRoot can't resolve names.
USER 1000:1000
# The API's port and the worker's; each process listens on its own.
EXPOSE 8000 8001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "const { APP, PORT, WORKER_PORT } = process.env; const port = APP === 'api' ? PORT || 8000 : WORKER_PORT || 8001; fetch(`http://127.0.0.1:${port}/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# `exec`: node itself must receive the signal.
CMD ["sh", "-c", "case $APP in worker) exec node --max-old-space-size=512 --max-semi-space-size=24 apps/worker/dist/main.js;; *) exec node --max-old-space-size=512 --max-semi-space-size=16 \"apps/$APP/dist/main.js\";; esac"]

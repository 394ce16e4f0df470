# syntax=docker/dockerfile:1

# The toolchain and gcc are in this image; that is all AWS-LC is built with.
FROM rust:1.95-bookworm AS build
WORKDIR /build

COPY Cargo.toml Cargo.lock build.rs ./
COPY proto proto
COPY crates crates
COPY migrations migrations
COPY src src
COPY .cargo .cargo
# Members of the workspace, which cargo wants to know of; nothing of them is built.
COPY loadtest loadtest
COPY tests/architecture/Cargo.toml tests/architecture/
# The account pages, as they were built; the binary holds them.
COPY web/account/dist web/account/dist

# Downloads and compiled libraries outlive this step in caches, which are no part of any image: so the binary is taken
# out within the same step.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/usr/local/cargo/git,sharing=locked \
    --mount=type=cache,target=/build/target,sharing=locked \
    cargo build --release --locked --package countersign --bin countersign \
    && install -D -m 0755 target/release/countersign /out/countersign \
    && install -d -m 0700 /out/data

# No shell, no package manager, no root: glibc, root certificates, and an account with nothing else to its name.
FROM gcr.io/distroless/cc-debian12:nonroot

COPY --from=build /out/countersign /usr/local/bin/countersign
# A new volume starts as a copy of this folder, and so belongs to the account that writes into it.
COPY --from=build --chown=65532:65532 /out/data /var/lib/countersign
VOLUME /var/lib/countersign

# Production, because others can reach a deployed image: it does not start without its secrets, its mail server and the
# proxy that terminates TLS in front of it. To try it out, set COUNTERSIGN_PROFILE=dev and publish its port on 127.0.0.1
# alone.
#
# Loopback is private to a container, so the main listener listens on all addresses. The operators' listener does not:
# commands and health checks run inside. docs/operations/running.md says how to open it to monitoring.
ENV COUNTERSIGN_PROFILE=production \
    COUNTERSIGN_LISTEN=0.0.0.0:50051 \
    COUNTERSIGN_ADMIN_LISTEN=127.0.0.1:50052 \
    COUNTERSIGN_DATA_DIR=/var/lib/countersign

# By number, so that an orchestrator can see that it is not root.
USER 65532:65532
WORKDIR /var/lib/countersign
EXPOSE 50051
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["/usr/local/bin/countersign", "health"]
ENTRYPOINT ["/usr/local/bin/countersign"]

# A static binary in an empty image: docker build -t mcp-forward-auth .
FROM rust:1.95-alpine AS build
# aws-lc-sys compiles C and assembler: gcc, make and the C library's headers come with build-base.
# It brings its bindings along for this target, so neither cmake nor perl, Go or clang is needed.
RUN apk add --no-cache build-base ca-certificates
WORKDIR /build
COPY . .
# With --target the flags hold for the binary only: build scripts and macros run in this stage and stay dynamic.
ENV RUSTFLAGS="-C target-feature=+crt-static"
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    target="$(uname -m)-unknown-linux-musl" \
    && cargo build --release --locked --bin mcp-forward-auth --target "$target" \
    && cp "target/$target/release/mcp-forward-auth" /mcp-forward-auth \
    && mkdir /data

FROM scratch
# For issuers and key sets over https.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /mcp-forward-auth /mcp-forward-auth
# Where the authorization server keeps its state: mount a volume here. A named one takes over this owner.
COPY --from=build --chown=65532:65532 /data /data
# A number: there is no /etc/passwd here, and Kubernetes can check `runAsNonRoot`.
USER 65532:65532
# The public listener. The admin listener (127.0.0.1:9090) stays inside.
EXPOSE 11000
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["/mcp-forward-auth", "healthcheck"]
ENTRYPOINT ["/mcp-forward-auth"]

# SPDX-License-Identifier: Apache-2.0
# The command in a container, from Debian 12 alone. See docs/packages.md.
#   docker build -t dcmveil .
#   docker run --rm -u "$(id -u):$(id -g)" -v /srv/work:/work dcmveil run -r rules.yaml -i archive -o export
FROM debian:12 AS build
WORKDIR /src
COPY . .
RUN scripts/package

FROM debian:12
COPY --from=build /src/build/packages/dcmveil_*.deb /tmp/
RUN apt-get update \
    && apt-get install -y --no-install-recommends /tmp/dcmveil_*.deb ca-certificates \
    && rm -rf /tmp/dcmveil_*.deb /var/lib/apt/lists/*
RUN useradd --create-home --uid 1000 dcmveil
USER dcmveil
WORKDIR /work
ENTRYPOINT ["dcmveil"]

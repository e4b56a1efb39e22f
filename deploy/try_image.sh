#!/usr/bin/env bash
# Builds the image and runs it, where there is no Docker engine: with buildah (Debian: apt-get install buildah debootstrap),
# without a registry, as root or in a user namespace (`buildah unshare`). Ends with 0 once the service in the image was ready,
# sound, ended in order, and played the demo; everything it made is removed, but for the cache.
#   deploy/try_image.sh [CACHE]      CACHE (.image-cache): images and the base, some 1.5 GB
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=$(mkdir -p "${1:-$root/.image-cache}" && cd "${1:-$root/.image-cache}" && pwd)
suite=${SUITE:-trixie} # its Python is the Dockerfile's, 3.13
export BUILDAH_ISOLATION=chroot
buildah() { command buildah --root "$cache/store" --runroot "$cache/run" "$@"; }

base() { # stands for python:3.13-slim where no registry is reached
    buildah inspect localhost/python:base >/dev/null 2>&1 && return
    debootstrap --variant=minbase --include=python3,python3-venv,python-is-python3,ca-certificates,tzdata "$suite" "$cache/base" >&2
    # packages are fetched from where this machine fetches them: its certificates hold in there, too
    cp /etc/ssl/certs/ca-certificates.crt "$cache/base/etc/ssl/certs/ca-certificates.crt"
    tar -C "$cache/base" -cf "$cache/base.tar" .
    rm -rf "$cache/base"
    printf 'FROM scratch\nADD base.tar /\nENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt\n' > "$cache/Base"
    buildah build-using-dockerfile --quiet --tag localhost/python:base --file "$cache/Base" "$cache" >&2
    rm -f "$cache/base.tar"
}

base
buildah build-using-dockerfile --format docker --layers --network host --build-arg PYTHON=localhost/python:base \
    --tag localhost/dispatcher:tried "$root"
container=$(buildah from localhost/dispatcher:tried)
trap 'buildah rm "$container" >/dev/null' EXIT
buildah run --user dispatcher "$container" -- sh -euc '
    dispatcher --version
    dispatcher serve &
    for _ in $(seq 300); do
        python -c "import urllib.request as r; r.urlopen(\"http://127.0.0.1:8080/readyz\", timeout=2)" 2>/dev/null && ready=1 && break
        sleep 0.2
    done
    test "$ready" = 1
    dispatcher audit
    kill -TERM $!
    wait $!
    dispatcher demo --episodes 5
'

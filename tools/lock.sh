#!/usr/bin/env bash
# Writes the lock files anew from pyproject.toml (needs uv). They hold versions and hashes, and no index address.
#   tools/lock.sh              keeps pins that still fit
#   tools/lock.sh --upgrade    takes the newest of everything
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

lock() { # lock FILE ARGUMENT...
    uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-header --no-annotate --output-file "$@"
}

lock requirements.txt "$@"
lock requirements-bench.txt --constraints requirements.txt --extra bench "$@"
lock requirements-dev.txt --constraints requirements-bench.txt --extra bench --group dev "$@"
uv pip compile --quiet --group build --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-header --no-annotate --output-file requirements-build.txt "$@"

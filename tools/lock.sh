#!/usr/bin/env bash
# Writes the lock files anew from pyproject.toml (needs uv). They hold versions and hashes, and no index address.
#   tools/lock.sh              keeps pins that still fit
#   tools/lock.sh --upgrade    takes the newest of everything
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

upgrade=("$@")

lock() { # lock FILE ARGUMENT...: one version of each package for every Python, so that all see the same types
    uv pip compile --quiet --universal --python-version "${python:-3.11}" --fork-strategy fewest --generate-hashes \
        --no-emit-index-url --no-header --no-annotate --output-file "$@" ${upgrade[@]+"${upgrade[@]}"}
}

lock requirements.txt pyproject.toml
lock requirements-bench.txt pyproject.toml --constraints requirements.txt --extra bench
lock requirements-dev.txt pyproject.toml --constraints requirements-bench.txt --extra bench --extra otel --extra s3 --group dev
# what the image holds beside the service: object store and traces
lock requirements-image.txt pyproject.toml --constraints requirements-dev.txt --extra otel --extra s3
lock requirements-build.txt --group build
# its wheels are for Python 3.12 and later; unpacked for their programs, they serve any
python=3.12 lock requirements-roads.txt --group roads --no-deps

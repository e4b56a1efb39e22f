# Two stages: the first installs the locked packages and builds the wheel, the second holds only what runs.
ARG PYTHON=python:3.13-slim-bookworm

FROM ${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /source
# what changes seldom comes first: these layers are made again only when a lock changes
COPY requirements-image.txt requirements-build.txt ./
RUN python -m venv /opt/build && /opt/build/bin/pip install --require-hashes -r requirements-build.txt
RUN python -m venv /opt/dispatcher && /opt/dispatcher/bin/pip install --require-hashes -r requirements-image.txt
# the slim image has no C compiler: the build hook finds the ziglang wheel in /opt/build
COPY . .
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/dispatcher/bin/pip install --no-deps --no-index /wheels/*.whl \
    && /opt/dispatcher/bin/pip uninstall --yes pip

FROM ${PYTHON}
RUN groupadd --system --gid 10001 dispatcher && useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/dispatcher --create-home --shell /usr/sbin/nologin dispatcher
COPY --from=build /opt/dispatcher /opt/dispatcher
ENV PATH=/opt/dispatcher/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DISPATCHER_HOST=0.0.0.0 \
    DISPATCHER_PORT=8080 \
    DISPATCHER_DATA_DIR=/var/lib/dispatcher
USER dispatcher
WORKDIR /var/lib/dispatcher
VOLUME /var/lib/dispatcher
EXPOSE 8080
# alive is not ready: /readyz also asks whether Redis is durable, and is for the load balancer
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open(f\"http://127.0.0.1:{os.environ['DISPATCHER_PORT']}/livez\", timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["dispatcher"]
CMD ["serve"]

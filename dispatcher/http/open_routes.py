"""The routes that are open to anyone: none of them shows a request, a vendor or a patient."""

from __future__ import annotations

from typing import Any

from contracts.health import Health
from contracts.operations import ANYONE, Answer, Operation

METRICS, HTML = "application/openmetrics-text", "text/html"
TEXT, PLAIN_JSON = "text/plain", "application/json"


def _open(name: str, path: str, summary: str, **answer: object) -> Operation:
    made = Answer(summary, **answer)  # type: ignore[arg-type]
    return Operation(
        id=name, method="GET", path=path, roles=ANYONE, tag="service", summary=summary, answers={200: made}
    )


SERVICE: tuple[Operation, ...] = (
    _open("live", "/livez", "The process answers", media=TEXT),
    Operation(
        id="ready",
        method="GET",
        path="/readyz",
        roles=ANYONE,
        tag="service",
        summary="The service takes work: Redis answers and is durable",
        answers={200: Answer("ready", Health), 503: Answer("not ready, and why", Health)},
    ),
    _open("metrics", "/metrics", "Metrics for Prometheus", media=METRICS),
    _open("openapi", "/openapi.json", "OpenAPI 3.1 of this interface", body=dict[str, Any], media=PLAIN_JSON),
    _open(
        "asyncapi",
        "/asyncapi.json",
        "AsyncAPI 3.0 of the Redis streams",
        body=dict[str, Any],
        media=PLAIN_JSON,
    ),
    _open("docs", "/docs", "Documentation, to read and try in a browser", media=HTML),
    _open("problem", "/problems/{slug}", "What a problem type means and what may fix it", media=HTML),
)

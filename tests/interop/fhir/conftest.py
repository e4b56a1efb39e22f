"""FHIR over real HTTP and a real store; every resource that comes back is judged by HL7's own model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from contracts.codes import Role
from dispatcher.http.routing import Routes
from dispatcher.interop.fhir.canonical import MEDIA
from dispatcher.interop.fhir.routes import ROUTES
from tests.http.conftest import *  # noqa: F403  (its fixtures)
from tests.http.conftest import Api

Json = dict[str, Any]


def judged(resource: Json) -> Json:
    """The resource, which FHIR R4B's model takes, and its codes: `fhir-resources`, not ours."""
    _refuse_other_codes(get_fhir_model_class(resource["resourceType"]).model_validate(resource))
    return resource


def _refuse_other_codes(model: Any) -> None:
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        values = value if isinstance(value, list) else [value] if value is not None else []
        known = (field.json_schema_extra or {}).get("enum_values")
        if known and "+" not in known:  # `+`: it has no room for all
            assert set(values) <= set(known), f"{type(model).__name__}.{name}: {values}"
        for child in values:
            if hasattr(type(child), "model_fields"):
                _refuse_other_codes(child)


class Fhir:
    """A client that speaks FHIR and nothing else."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.headers: Mapping[str, str] = {}

    async def call(
        self, method: str, path: str, body: Any = None, *, role: Role = Role.PLATFORM, **headers: str
    ) -> tuple[int, Json]:
        """Status and resource; the headers of the answer are kept."""
        token = {"Authorization": f"Bearer {self.api.token(role)}", "Content-Type": MEDIA, "Accept": MEDIA}
        sent = token | {name.replace("_", "-"): value for name, value in headers.items()}
        address = f"{self.api.base}/fhir{path}"
        async with self.api.client.request(method, address, json=body, headers=sent) as response:
            self.headers = response.headers
            text = await response.read()
            return response.status, judged(await response.json(content_type=None)) if text else {}


@pytest.fixture
def more_routes() -> tuple[Routes, ...]:
    return (ROUTES,)


@pytest.fixture
def fhir(api: Api) -> Fhir:
    return Fhir(api)

"""A route is one declaration beside its handler: whatever the service makes of its routes follows from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import msgspec
import pytest
from msgspec import inspect
from openapi_spec_validator import OpenAPIV31SpecValidator

from contracts.base import Day, Id, Wire
from contracts.codec import JSON
from contracts.codes import Role
from contracts.operations import ANYONE, Answer, Body, Operation
from contracts.register import import_modules
from dispatcher.domain.commands import table
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.http.call import Call, Reply
from dispatcher.http.events import SSE
from dispatcher.http.parts import Parts
from dispatcher.http.routing import MARKET, Routes, check, subjects
from dispatcher.runtime.errors import UserError
from tests.http.conftest import GUARDED, OPERATIONS, Api

PATH = "/ambulances/a-1/days/2026-03-03"


class Wash(Wire):
    """A wash of a vehicle."""

    litres: int


class Washes(Wire):
    """Several washes."""

    washes: tuple[Wash, ...]


class Washed(Wire):
    """What became of it."""

    vehicle: Id
    day: Day
    litres: int
    markets: int


WASHING = Routes("washing", vehicle=Id, day=Day)


@WASHING.post(
    f"{MARKET}/ambulances/{{vehicle}}/days/{{day}}",
    id="wash",
    roles={Role.VENDOR},
    body=Body(Wash, batch=Washes, batch_member="washes", media_types={"application/wash+json": JSON}),
    answers={200: Answer("washed", Washed)},
    problems=("wrong-state",),
)
async def wash(call: Call, parts: Parts) -> Reply:
    """Wash a vehicle, once or several times."""
    washes = call.body.washes if isinstance(call.body, Washes) else (call.body,)
    litres, known = sum(each.litres for each in washes), len(parts.service.markets.zones)
    return Reply(Washed(vehicle=call.path["vehicle"], day=call.path["day"], litres=litres, markets=known))


with_washing = pytest.mark.parametrize("more_routes", [(WASHING,)])


async def _wash(
    api: Api, path: str = PATH, body: bytes = b'{"litres": 7}', role: Role = Role.VENDOR, **headers: str
) -> tuple[int, Any]:
    sent = api.headers(role, "v1" if role is Role.VENDOR else "") | {"Content-Type": "application/wash+json"}
    async with api.client.post(api.base + path, data=body, headers=sent | headers) as answer:
        return answer.status, await answer.json(content_type=None)


@with_washing
async def test_a_route_from_elsewhere_is_served(api: Api) -> None:
    washed = {"vehicle": "a-1", "day": "2026-03-03", "litres": 7, "markets": 1}
    assert await _wash(api) == (200, washed)
    several = b'{"washes": [{"litres": 3}, {"litres": 2}]}'
    assert await _wash(api, body=several) == (200, washed | {"litres": 5})


@with_washing
async def test_a_route_from_elsewhere_obeys_its_roles_and_its_market(api: Api) -> None:
    for role in (Role.PLATFORM, Role.OPS):
        assert (await _wash(api, role=role))[0] == 403
    async with api.client.post(api.base + PATH, data=b"{}") as answer:
        assert answer.status == 401
    token = api.token(Role.VENDOR, vendor="v1", markets=["elsewhere"])
    assert (await _wash(api, Authorization=f"Bearer {token}"))[0] == 404


@with_washing
async def test_a_route_from_elsewhere_has_parameters_and_a_body_of_its_own(api: Api) -> None:
    status, problem = await _wash(api, "/ambulances/a-1/days/yesterday")
    assert (status, problem["type"]) == (400, "/problems/invalid-parameter")
    status, problem = await _wash(api, body=b'{"washes": [{"litres": "x"}]}')
    assert (status, problem["errors"][0]["pointer"]) == (422, "/washes/0/litres")
    status, problem = await _wash(api, **{"Content-Type": "application/json"})
    assert (status, problem["type"]) == (415, "/problems/unsupported-media-type")
    assert "Maybe send application/wash+json." in problem["detail"]


@with_washing
async def test_a_route_from_elsewhere_is_in_openapi(api: Api) -> None:
    async with api.client.get("/openapi.json") as answer:
        document = await answer.json()
    path = f"{MARKET}/ambulances/{{vehicle}}/days/{{day}}"
    OpenAPIV31SpecValidator(document | {"paths": {path: document["paths"][path]}}).validate()
    told = document["paths"][path]["post"]
    assert told["operationId"] == "wash"
    assert told["summary"] == "Wash a vehicle, once or several times"
    assert (told["tags"], told["security"]) == (["washing"], [{"bearer": ["vendor"]}])
    assert list(told["requestBody"]["content"]) == ["application/wash+json"]
    assert "409" in told["responses"]
    assert [each["name"] for each in told["parameters"] if each["in"] == "path"] == [
        "market",
        "vehicle",
        "day",
    ]
    schema = told["requestBody"]["content"]["application/wash+json"]["schema"]
    whole = schema | {"components": document["components"]}
    for body in ({"litres": 7}, {"washes": [{"litres": 3}]}):
        jsonschema.validate(body, whole, jsonschema.Draft202012Validator)


async def test_no_route_is_left_behind_by_a_test(api: Api) -> None:
    assert (await _wash(api))[0] == 404


def test_every_module_with_routes_is_served_in_the_order_of_the_documents() -> None:
    found = import_modules("dispatcher.http").values()
    declared = {module.ROUTES for module in found if hasattr(module, "ROUTES")}
    assert set(subjects()) == declared
    assert list(dict.fromkeys(each.tag for each in subjects()))[:2] == ["requests", "vendors"]
    assert subjects()[-1].tag == "service"


def test_a_route_that_gives_a_command_is_for_the_roles_of_its_decision() -> None:
    given = {route.command: route.operation for each in subjects() for route in each if route.command}
    assert CancelRequest in given
    for command, operation in given.items():
        assert operation.roles == table.row(command).roles


def test_the_roles_of_a_command_are_said_once() -> None:
    with pytest.raises(ValueError, match="CancelRequest has its roles where it is decided"):
        Routes("washing").post("/w", id="w", roles={Role.OPS}, command=CancelRequest, answers={})(wash)


def _changed(**changes: Any) -> Operation:
    return msgspec.structs.replace(GUARDED[0], **changes)


def test_a_route_without_a_declared_role_stops_the_start() -> None:
    forgetful = Routes("washing")
    forgetful.get("/washes", id="washes", answers={200: Answer()})(wash)
    with pytest.raises(UserError, match="GET /washes declares no role"):
        check(each.operation for each in forgetful)
    check([_changed(roles=ANYONE)])


def test_a_parameter_without_a_type_stops_the_start() -> None:
    with pytest.raises(UserError, match="elsewhere has no type"):
        check([_changed(path="/v1/{elsewhere}")])


def test_an_id_or_a_place_that_is_taken_stops_the_start() -> None:
    for twin in (_changed(path="/v1/elsewhere"), _changed(id="another")):
        with pytest.raises(UserError, match="declared twice"):
            check([GUARDED[0], twin])
    check([GUARDED[0], _changed(id="another", path="/v1/elsewhere")])


def unbounded(found: inspect.Type, where: str, seen: set[type]) -> Iterator[str]:
    """Whole numbers within a message that may be as large as anybody likes."""
    if isinstance(found, inspect.IntType):
        yield from [where] if found.le is None and found.lt is None else []
    elif isinstance(found, inspect.StructType) and found.cls not in seen:
        seen.add(found.cls)
        for field in found.fields:
            yield from unbounded(field.type, f"{found.cls.__name__}.{field.name}", seen)
    for name in ("types", "item_types"):
        for each in getattr(found, name, ()):
            yield from unbounded(each, where, seen)
    for name in ("item_type", "key_type", "value_type", "type"):
        if (inner := getattr(found, name, None)) is not None:
            yield from unbounded(inner, where, seen)


def test_every_whole_number_that_a_call_may_carry_is_bounded() -> None:
    """MessagePack holds 64 bits: a larger one would be a defect where it is kept. Values of tuning have each
    the bounds of its parameter.
    """
    seen, forms = set[type](), list[Any]()
    for each in OPERATIONS:
        forms += [each.query, *([each.body.form, each.body.batch] if each.body else [])]
    known = [inspect.type_info(each) for each in forms if each is not None]
    odd = {name for each in known for name in unbounded(each, "", seen)}
    assert {each for each in odd if not each.endswith((".values", ".steps"))} == set()


def test_what_follows_events_takes_the_place_of_no_call() -> None:
    """A stream that held a call's place would shut everybody out, once enough people follow something."""
    streams = {each.id for each in OPERATIONS for answer in each.answers.values() if answer.media == SSE}
    assert streams >= {"followEvents", "followBoard", "followWhatIf"}
    assert {each.id for each in OPERATIONS if each.stream} == streams
    assert [each.id for each in OPERATIONS if each.resumable] == ["followEvents"], (
        "none else goes on from a place"
    )

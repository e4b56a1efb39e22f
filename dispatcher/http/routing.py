"""Routes: an operation stands beside its handler; the server and OpenAPI are made from both.

A handler takes the call apart, asks the service and answers; no rule of the business lives there. The first
line of its docstring is the operation's summary.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Required, TypedDict, Unpack

import msgspec
from aiohttp import web

from contracts.base import Id
from contracts.codes import Role
from contracts.operations import Answer, Body, Operation
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.runtime.errors import UserError

MARKET = "/v1/markets/{market}"
ETAG = {"ETag": "the version, for If-Match"}

Handler = Callable[[Call, Parts], Awaitable[Reply | web.StreamResponse]]
Declare = Callable[[Handler], Handler]


class Promises(TypedDict, total=False):
    """What a route says of itself, by the names of `contracts.operations.Operation`."""

    id: Required[str]
    roles: Required[Iterable[Role]]
    answers: Required[Mapping[int, Answer]]
    body: Body
    query: type[msgspec.Struct]
    keyed: bool
    versioned: bool
    resumable: bool
    problems: tuple[str, ...]


class Route(NamedTuple):
    """An operation and who does it."""

    operation: Operation
    handler: Handler


class Routes:
    """The routes of one subject, in the order of the documents; `tag` is the documents' heading for them.

    `parameters`: the type of each parameter in their paths, but for the market, which is the same for all.
    """

    def __init__(self, tag: str, **parameters: Any) -> None:
        self.tag = tag
        self.parameters: Mapping[str, Any] = {"market": Id} | parameters
        self._routes: list[Route] = []

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def get(self, path: str, **promises: Unpack[Promises]) -> Declare:
        """Declare what a GET of `path` promises; the function below it keeps it."""
        return self._declare("GET", path, promises)

    def post(self, path: str, **promises: Unpack[Promises]) -> Declare:
        """As `get`, for POST."""
        return self._declare("POST", path, promises)

    def put(self, path: str, **promises: Unpack[Promises]) -> Declare:
        """As `get`, for PUT."""
        return self._declare("PUT", path, promises)

    def _declare(self, method: str, path: str, promises: Promises) -> Declare:
        def declare(handler: Handler) -> Handler:
            said: dict[str, Any] = {**promises}
            if "roles" in said:
                said["roles"] = frozenset(said["roles"])
            operation = Operation(
                method=method,
                path=path,
                tag=self.tag,
                summary=(handler.__doc__ or "").partition("\n")[0].removesuffix("."),
                parameters=self.parameters,
                **said,
            )
            self._routes.append(Route(operation, handler))
            return handler

        return declare


def check(operations: Iterable[Operation]) -> None:
    """Refuse to start with a route that has no roles, an untyped parameter, or another's id or place."""
    ids: set[str] = set()
    places: set[tuple[str, str]] = set()
    for operation in operations:
        where = f"{operation.method} {operation.path}"
        if operation.roles is None:
            raise UserError(f"route {where} declares no role.", "Give it roles, or ANYONE if it is open.")
        if untyped := [name for name in operation.names if name not in operation.parameters]:
            raise UserError(
                f"route {where}: {untyped[0]} has no type.", "Give its type to the Routes that it is in."
            )
        if operation.id in ids or (operation.method, operation.path) in places:
            raise UserError(f"route {where} ({operation.id}) is declared twice.", "Remove one of the two.")
        ids.add(operation.id)
        places.add((operation.method, operation.path))

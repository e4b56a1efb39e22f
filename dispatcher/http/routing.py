"""Routes: an operation stands beside its handler; the server and OpenAPI are made from both.

A handler takes the call apart, asks the service and answers; no rule of the business lives there. The first
line of its docstring is the operation's summary. Every module of this package that has `ROUTES` is found.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple, Required, TypedDict, Unpack

import msgspec
from aiohttp import web

from contracts.base import Id
from contracts.codes import Role
from contracts.operations import Answer, Body, Operation
from contracts.register import import_modules
from dispatcher.domain.commands import table
from dispatcher.http import problem_responses
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.runtime.errors import UserError

MARKET = "/v1/markets/{market}"
ETAG = {"ETag": "the version, for If-Match"}

Handler = Callable[[Call, Parts], Awaitable[Reply | web.StreamResponse]]
Tell = Callable[[Exception, str, str], web.Response]  # of what was raised, the call's id, the form of answers
Declare = Callable[[Handler], Handler]


class Promises(TypedDict, total=False):
    """What a route says of itself, by the names of `contracts.operations.Operation`.

    One that gives a `command` leaves `roles` out: the table of commands has them.
    """

    id: Required[str]
    answers: Required[Mapping[int, Answer]]
    roles: Iterable[Role]
    command: type[table.Command]
    body: Body
    query: type[msgspec.Struct]
    keyed: bool
    versioned: bool
    conditional: bool
    stream: bool
    resumable: bool
    problems: tuple[str, ...]


class Route(NamedTuple):
    """An operation, who does it, and the type of the command that it gives, if it gives one.

    `tell`: how problems are told.
    """

    operation: Operation
    handler: Handler
    command: type[table.Command] | None = None
    tell: Tell = problem_responses.answer


class Routes:
    """The routes of one subject, in the order of the documents; `tag` is the documents' heading for them.

    `place`: where the subject stands in the documents. `parameters`: the type of each parameter in its paths,
    but for the market, which is the same for all. `tell`: how problems are told
    where that is not RFC 9457, on all paths that begin with `base`, whether there is a route or not.
    """

    def __init__(
        self,
        tag: str,
        place: int = 500,
        tell: Tell = problem_responses.answer,
        base: str = "",
        /,
        **parameters: Any,
    ) -> None:
        self.tag, self.place, self.tell, self.base = tag, place, tell, base
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

    def patch(self, path: str, **promises: Unpack[Promises]) -> Declare:
        """As `get`, for PATCH."""
        return self._declare("PATCH", path, promises)

    def delete(self, path: str, **promises: Unpack[Promises]) -> Declare:
        """As `get`, for DELETE."""
        return self._declare("DELETE", path, promises)

    def _declare(self, method: str, path: str, promises: Promises) -> Declare:
        def declare(handler: Handler) -> Handler:
            said: dict[str, Any] = {**promises}
            command = said.pop("command", None)
            if "roles" in said or command:
                said["roles"] = _roles(command, said.get("roles"))
            operation = Operation(
                method=method,
                path=path,
                tag=self.tag,
                summary=(handler.__doc__ or "").partition("\n")[0].removesuffix("."),
                parameters=self.parameters,
                **said,
            )
            self._routes.append(Route(operation, handler, command, self.tell))
            return handler

        return declare


def _roles(command: type[table.Command] | None, said: Iterable[Role] | None) -> frozenset[Role]:
    """Who may call: those who may give the command. Said twice, the two would differ some day."""
    if command is None:
        return frozenset(said or ())
    if said is not None:
        raise ValueError(
            f"{command.__name__} has its roles where it is decided\nMaybe leave the route's out."
        )
    return table.row(command).roles


@cache
def subjects() -> tuple[Routes, ...]:
    """The `ROUTES` of every module of this package, in the order of the documents."""
    modules = import_modules(__package__)
    found = {name: module.ROUTES for name, module in modules.items() if hasattr(module, "ROUTES")}
    return tuple(sorted(found.values(), key=lambda routes: (routes.place, routes.tag)))


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

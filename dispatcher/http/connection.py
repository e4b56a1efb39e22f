"""One connection: its calls wait at the door, silence has its time, bytes that are no call are told so.

aiohttp waits for header lines, and for the first byte, as long as for the next call of an idle connection.
"""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn

from aiohttp import web
from aiohttp.web_protocol import RequestPayloadError, _ErrInfo
from aiohttp.web_request import BaseRequest

from contracts.problems import Overloaded, TooMany, TooSlow
from dispatcher.http import answers, problem_responses, refused, turns
from dispatcher.http.arrivals import END, MOST_HELD, Arrival, SentAway
from dispatcher.http.connections import Connections
from dispatcher.http.door import Place, Turn
from dispatcher.http.entry import new_id
from dispatcher.http.lanes import Known, Lanes
from dispatcher.http.readers import Reader

MOST_UNREAD = 65_536  # bytes of answers that a caller has not read


class Connection(Reader):
    """aiohttp's, with a time for header lines; refusals are problems that repeat nothing of what was sent."""

    __slots__ = (
        "_address",
        "_arrival",
        "_away",
        "_behind",
        "_free",
        "_header_s",
        "_header_timer",
        "_known",
        "_partial",
        "_unread",
        "lanes",
    )

    def __init__(
        self, manager: web.Server, connections: Connections, lanes: Lanes, header_s: float, **more: Any
    ) -> None:
        super().__init__(manager, connections, **more)
        self.lanes, self._header_s, self._address = lanes, header_s, ""
        self._arrival: Arrival | None = None  # the call that is not yet read
        self._away: SentAway | None = None
        self._known: Known | None = None
        self._behind = b""  # what came behind the call under way, unread: its turn is yet to come
        self._unread = False  # what comes is left to the network
        self._free = True  # no call is under way, and none of an answered one's body is still to come
        self._header_timer: asyncio.TimerHandle | None = None
        self._partial = False  # some of a call is here, and not its last header line

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Refuse it if there are too many; else wait for its first call, for a while."""
        super().connection_made(transport)
        self._address = str((transport.get_extra_info("peername") or ("",))[0])
        if self._connections.opened(self):
            self._wait_for_headers()
        else:
            self._refuse(self._connections.overloaded())

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget it."""
        self._connections.closed(self)
        self._stop_waiting()
        if self._arrival is not None:
            self._arrival.gone()
            self._arrival = None
        if self.turn is not None:
            if self.turn.place is Place.WAITS:
                self.turn.told(ConnectionResetError("the caller hung up"))
            elif not self._request_in_progress:
                self.turn.leave()  # it was never begun
        super().connection_lost(exc)
        self._request_factory = _nobody_is_there

    def data_received(self, data: bytes) -> None:
        """A call that comes while none is under way has its place at the door before it is read."""
        if self._force_close or self._close:
            return
        if self._arrival is not None:
            self._arrival.more(data)
        elif self._behind or (data and self._call_is_whole()):
            self._comes_behind(data)
        elif data and self._free and not self._partial and not self._upgraded and END in data:
            self._arrives(data)
        else:
            self._read(data)

    def _call_is_whole(self) -> bool:
        """Whether the call under way has all of its bytes, so that what comes now is another."""
        if self._free or self._upgraded or len(self._messages) > 1:
            return False
        if self._messages:
            return self._messages[0][1].is_eof()
        return self._current_request is not None and self._current_request.content.is_eof()

    def _comes_behind(self, data: bytes) -> None:
        self._behind += data
        if len(self._behind) > MOST_HELD:
            self.stop_reading()

    def _take_behind(self) -> None:
        """What came behind the call that is answered now."""
        data, self._behind = self._behind, b""
        self._read_on()
        self.data_received(data)

    def _arrives(self, data: bytes) -> None:
        self._stop_waiting()
        head = data[: data.index(END)]
        self._known = self.lanes.caller(head, self._address, self._known)
        turn = Turn(self.lanes.lane(head), self._known.caller)
        self._arrival, away = Arrival(self, self._loop, turn, data), self._away
        if away is not None and self._loop.time() < away.until_s and away.caller == turn.caller:
            self._arrival.too_early(away)
        else:
            self._arrival.knock()

    def admit(self, turn: Turn, data: bytes) -> None:
        """Read the call: its turn has come."""
        self._arrival, self.turn = None, turn
        try:
            self._read_on()
            data, self._behind = refused.one_call(data, data.index(END) + len(END))
            self._read(data)
        except Exception as error:  # it is nobody else's trouble: we are called from where another ended
            problem_responses.report(error, new_id())
            self.give_way()
        if not self._messages:  # it was none, or it is gone
            self.turn = None
            turn.leave()
            if self._behind:
                self._loop.call_soon(self._take_behind)

    def waits(self) -> None:
        """Its call waits: read on, so that a hang-up is noticed."""
        self._connections.busy(self)
        self._read_on()

    def refuse(self, answer: bytes, away: SentAway) -> None:
        """Write the answer, and read on: its body may still come. Hang up on who never reads them."""
        self._away = away
        self._read_on()
        if self.transport is not None:
            self.transport.write(answer)
            if self.transport.get_write_buffer_size() > MOST_UNREAD:
                self.give_way()

    def go_on(self, rest: bytes) -> None:
        """The refused call is passed over; `rest` came behind it."""
        self._arrival = None
        if self.transport is None:
            return
        self._connections.busy(self)
        self._connections.idle(self)
        if rest:  # not from within: there may be thousands, each refused
            self._behind = rest
            self._loop.call_soon(self._take_behind)

    def stop_reading(self) -> None:
        """Leave to the network what comes."""
        if not self._unread and self.transport is not None:
            self._unread = True
            self.transport.pause_reading()

    def _read_on(self) -> None:
        if self._unread and self.transport is not None:
            self._unread = False
            self.transport.resume_reading()

    def end(self) -> None:
        """Hang up."""
        self.force_close()

    def _process_keepalive(self) -> None:
        if self._arrival is None:
            super()._process_keepalive()
        else:  # it is not idle, though aiohttp has not seen its call
            self._keepalive_handle = self._loop.call_later(self._keepalive_timeout, self._process_keepalive)

    def _read(self, data: bytes) -> None:
        """As aiohttp has it; the header lines of a call have from their first byte on the same time."""
        super().data_received(data)
        if not self._messages:
            if data and self._free:  # else it belongs to the call under way
                self._partial = True
                self._wait_for_headers()
            return
        self._free = False
        self._stop_waiting()
        if isinstance(self._messages[-1][0], _ErrInfo):
            self._spoil()

    def close(self) -> None:
        """Read no more calls; one that waits is told so."""
        if self._arrival is not None:
            self._arrival.gone()
            self._arrival = None
            self._refuse(self._connections.ending())
        super().close()

    def _wait_for_headers(self) -> None:
        if self._header_timer is None:
            self._header_timer = self._loop.call_later(self._header_s, self._headers_overdue)

    def _stop_waiting(self) -> None:
        self._partial = False
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _headers_overdue(self) -> None:
        self._header_timer = None
        if self._waiter is None or self._waiter.done():
            return  # it is busy with a call
        if self._partial:
            self._refuse(
                TooSlow(f"the header lines did not arrive within {self._header_s:g} s\nMaybe again.")
            )
        self.force_close()

    def _refuse(self, error: Exception) -> None:
        """Say why, outside of any call, and hang up."""
        if self.transport is not None:
            self.transport.write(answers.plain(problem_responses.answer(error, new_id())))
        self.force_close()

    def _spoil(self) -> None:
        """The call under way gets no more of its body, and nothing behind it can be read."""
        call = self._current_request
        if call is not None and not call.content.is_eof():
            self._messages.pop()
            call._cancel(RequestPayloadError())
            self.close()

    async def _handle_request(self, request: BaseRequest, started: float | None, handler: Any) -> Any:
        self._stop_waiting()
        self._connections.busy(self)
        try:
            if self.turn is None:  # sent behind another, or in pieces: it was read before its turn
                handler = await self._in_turn(request, handler)
            return await super()._handle_request(request, started, handler)
        finally:
            known = self.known
            if self.turn is not None:
                self.turn.leave()
                self.turn = None
            self._free = not self._messages and request.content.is_eof()
            if self.transport is not None:
                self._connections.idle(self, known=known)
                if self._behind:
                    self._loop.call_soon(self._take_behind)

    async def _in_turn(self, request: BaseRequest, handler: Any) -> Any:
        """The handler, once it is its turn; else who says no."""
        lane = self.lanes.lane(f"{request.method} {request.raw_path} ".encode("latin-1", "replace"))
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        caller = self.lanes.bearer(token if scheme.lower() == "bearer" else "", self._address)
        if self._away is not None and (left_s := self._away.until_s - self._loop.time()) > 0:
            await asyncio.sleep(left_s)
        self.turn = Turn(lane, caller)
        try:
            await turns.entered(self.turn, self.lanes.wait_s)
        except (TooMany, Overloaded) as error:
            self.lanes.refused(lane.name, error.status)
            self._away = SentAway(caller, self._loop.time() + lane.retry_after_s, 0)
            return refused.handler(error)
        return handler

    def handle_error(
        self, request: BaseRequest, status: int = 500, exc: BaseException | None = None, message: Any = None
    ) -> web.StreamResponse:
        """Answer what could not be read (400), or a failure outside of our handlers (500), and hang up."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer had begun: it is cut off")
        answer = answers.marked(problem_responses.answer(refused.no_call(status, exc), new_id()))
        answer.force_close()
        return answer

    def log_exception(self, *args: Any, **more: Any) -> None:
        """Nothing: `problem_responses` has logged what is a defect of ours."""


def _nobody_is_there(*_: object) -> NoReturn:
    """For aiohttp, which was about to begin a call when its caller hung up: it would call None, a defect."""
    raise asyncio.CancelledError

"""Chromium without a window and without a GPU, over its DevTools protocol: what a bench asks of a page."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp

from dispatcher.runtime.errors import UserError

NAMES = ("chromium", "chromium-browser", "google-chrome")
START_S, ANSWER_S = 30.0, 60.0
MOST_BYTES = 256 * 2**20
WORDS = (
    "--headless=new",
    "--disable-gpu",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--mute-audio",
    "--remote-debugging-port=0",
    "--window-size=1600,1000",
)


class PageError(RuntimeError):
    """The page, or the browser, gave no answer that can be used."""


class Browser:
    """One browser process, and the socket on which it is spoken to."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._numbers = socket, itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self.errors: list[str] = []  #: what pages threw or logged as an error
        self._reading = asyncio.create_task(self._read())

    async def ask(self, method: str, session: str = "", **words: Any) -> Any:
        """What a DevTools method answers. Raises PageError."""
        number = next(self._numbers)
        asked = {"id": number, "method": method, "params": words} | (
            {"sessionId": session} if session else {}
        )
        self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_str(json.dumps(asked))
        return await asyncio.wait_for(self._waiting[number], ANSWER_S)

    async def page(self, cookie: Mapping[str, str]) -> Page:
        """A new page, with a session's cookie."""
        target = (await self.ask("Target.createTarget", url="about:blank"))["targetId"]
        session = (await self.ask("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        page = Page(self, session)
        for each in ("Page", "Runtime", "Network", "Performance"):
            await page.ask(f"{each}.enable")
        if cookie:
            await page.ask("Network.setCookie", **cookie, httpOnly=True, sameSite="Strict")
        return page

    async def cpu_s(self) -> float:
        """What all of its processes have used."""
        found = await self.ask("SystemInfo.getProcessInfo")
        return float(sum(each["cpuTime"] for each in found["processInfo"]))

    async def renderers(self) -> list[int]:
        """Process ids of those that draw pages."""
        found = await self.ask("SystemInfo.getProcessInfo")
        return [each["id"] for each in found["processInfo"] if each["type"] == "renderer"]

    async def aclose(self) -> None:
        """Stop listening."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        async for message in self._socket:
            told = json.loads(message.data)
            waits = self._waiting.pop(told.get("id", 0), None)
            if waits is None or waits.done():
                self._note(told)
            elif "error" in told:
                waits.set_exception(PageError(told["error"]["message"]))
            else:
                waits.set_result(told["result"])

    def _note(self, told: Mapping[str, Any]) -> None:
        words = told.get("params", {})
        if told.get("method") == "Runtime.exceptionThrown":
            self.errors.append(words["exceptionDetails"].get("text", "") + " " + _first(words))
        elif told.get("method") == "Runtime.consoleAPICalled" and words["type"] == "error":
            self.errors.append(" ".join(str(each.get("value", "")) for each in words["args"]))


def _first(words: Mapping[str, Any]) -> str:
    return str(words["exceptionDetails"].get("exception", {}).get("description", "")).partition("\n")[0]


class Page:
    """One page of it."""

    def __init__(self, browser: Browser, session: str) -> None:
        self.browser, self._session = browser, session

    async def ask(self, method: str, **words: Any) -> Any:
        """What a DevTools method answers for this page."""
        return await self.browser.ask(method, self._session, **words)

    async def run(self, script: str) -> Any:
        """The value of an expression, awaited. Raises PageError: what it threw."""
        words = {"expression": script, "awaitPromise": True, "returnByValue": True}
        found = await self.ask("Runtime.evaluate", **words)
        if "exceptionDetails" in found:
            raise PageError(_first(found) or found["exceptionDetails"]["text"])
        return found["result"].get("value")

    async def before_each(self, script: str) -> None:
        """Run it in every document before the page's own scripts."""
        await self.ask("Page.addScriptToEvaluateOnNewDocument", source=script)

    async def open(self, url: str) -> None:
        """Go there; what the page is then, is the asker's to wait for."""
        await self.ask("Page.navigate", url=url)

    async def until(self, condition: str, timeout_s: float = ANSWER_S) -> None:
        """Wait until an expression is true. Raises PageError, with what the page shows."""
        end = asyncio.get_running_loop().time() + timeout_s
        while not await self._holds(condition):
            if asyncio.get_running_loop().time() > end:
                shown = await self.run("document.body ? document.body.innerText.slice(0, 300) : ''")
                raise PageError(f"not within {timeout_s:g} s: {condition}\nThe page shows: {shown}")
            await asyncio.sleep(0.02)

    async def _holds(self, condition: str) -> bool:
        try:
            return bool(await self.run(f"Boolean({condition})"))
        except PageError:  # between two documents
            return False

    async def key(self, key: str) -> None:
        """Press and let go: a letter, or a key by its name."""
        words = {"key": key} | ({"text": key} if len(key) == 1 else {})
        await self.ask("Input.dispatchKeyEvent", type="keyDown", **words)
        await self.ask("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def mouse(self, what: str, x: float, y: float) -> None:
        """mousePressed, mouseMoved or mouseReleased, with the left button."""
        words = {"x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1}
        await self.ask("Input.dispatchMouseEvent", type=what, **words)

    async def figures(self) -> dict[str, float]:
        """What the page holds after a collection: JSHeapUsedSize, Nodes, JSEventListeners …"""
        await self.ask("HeapProfiler.collectGarbage")
        found = await self.ask("Performance.getMetrics")
        return {each["name"]: each["value"] for each in found["metrics"]}


@contextlib.asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """A browser of its own, in a folder of its own. Raises UserError where there is none."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        raise UserError(
            f"no browser is on the path (looked for: {', '.join(NAMES)}).",
            "Maybe install one (Debian, as root: apt-get install chromium).",
        )
    with tempfile.TemporaryDirectory(prefix="console-browser-", ignore_cleanup_errors=True) as folder:
        words = [
            program,
            *WORDS,
            f"--user-data-dir={folder}",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
        ]
        nowhere = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(*words, stdout=nowhere, stderr=nowhere)
        try:
            address = await _address(Path(folder) / "DevToolsActivePort", process)
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(address, max_msg_size=MOST_BYTES) as socket,
            ):
                made = Browser(socket)
                try:
                    yield made
                finally:
                    await made.aclose()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


def _told(file: Path) -> str:
    """Where the browser says that it listens; "" while it does not."""
    with contextlib.suppress(OSError, ValueError):
        port, path = file.read_text(encoding="ascii").split("\n")[:2]
        return f"ws://127.0.0.1:{int(port)}{path}"
    return ""


async def _address(file: Path, process: asyncio.subprocess.Process) -> str:
    end = asyncio.get_running_loop().time() + START_S
    while process.returncode is None and asyncio.get_running_loop().time() < end:
        if found := await asyncio.to_thread(_told, file):
            return found
        await asyncio.sleep(0.05)
    raise UserError(
        f"the browser did not start within {START_S:g} s.", "Maybe run it by hand: chromium --headless"
    )


def private_mb(pid: int) -> float:
    """Memory that is a process's alone (Linux); one that has ended meanwhile has none."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(each.split()[1]) for each in lines if each.startswith("Private_")) / 1024

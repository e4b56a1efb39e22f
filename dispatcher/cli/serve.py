"""Run the service: an embedded durable Valkey (unless REDIS_URL is set); web, matcher and jobs.

Ends in order on SIGTERM, SIGHUP, SIGQUIT and Ctrl-C. Environment variables set everything; the options below
win over them.
"""

from __future__ import annotations

import argparse
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from dispatcher.cli import RUN
from dispatcher.runtime.errors import UsageError
from dispatcher.runtime.own_command import as_typed, typed

if TYPE_CHECKING:
    from dispatcher.settings import Settings

NAME = "serve"
HELP = "run the service until it is told to stop"
GROUP = RUN
EXAMPLE = "dispatcher serve --port 8080"
_ALONE = ("web", "matcher", "replies", "jobs")
APART = ("web", "matcher")  # roles that do another one's work, too, unless they are told not to


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The settings most often changed, and a list of all."""
    from dispatcher.settings import described

    rows = [
        f"  {name}\n      {about}{f' ({default})' if default else ''}" for name, default, about in described()
    ]
    parser.epilog = "\n".join(
        ["settings (environment variable, meaning, default):", *rows, "", f"example:\n  {as_typed(EXAMPLE)}"]
    )
    parser.add_argument("--host", help="address to listen on")
    parser.add_argument("--port", help="port to listen on; 0 for any free one")
    parser.add_argument("--data-dir", type=Path, help="folder of the embedded server and of development keys")
    parser.add_argument("--redis-url", help="use this Redis or Valkey instead of an embedded one")
    parser.add_argument(
        "--role",
        choices=("all", *_ALONE),
        default="all",
        help="one process alone, for machines of its own: web (with replies), matcher (with jobs), replies, "
        "jobs; needs REDIS_URL",
    )
    parser.add_argument(
        "--apart",
        action="store_true",
        help="web without replies, matcher without jobs: processes of these roles run beside them",
    )
    # from the supervisor: numbers of what is inherited, and a name that outlives a crash
    parser.add_argument("--listener", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--notice", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--pressing", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--name", help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Serve in the role asked for."""
    from dispatcher.runtime.logs import configure
    from dispatcher.settings import Settings

    folder = args.data_dir and str(args.data_dir)
    options = {"host": ("--host", args.host), "port": ("--port", args.port)}
    options |= {"redis_url": ("--redis-url", args.redis_url), "data_dir": ("--data-dir", folder)}
    settings = Settings.read(os.environ, options)
    if args.role != "all" and not settings.redis_url:
        raise UsageError(
            f"--role {args.role} needs a Redis that is there, and DISPATCHER_REDIS_URL is not set.",
            "Maybe leave --role out: then an embedded one is started.",
        )
    if args.apart and args.role not in APART:
        raise UsageError(
            f"--apart goes with --role {' or '.join(APART)}.", "The other roles do one thing anyhow."
        )
    configure(settings.log_level, as_json=settings.log_json)
    return _ROLES[args.role](settings, args)


def _serve_all(settings: Settings, args: argparse.Namespace) -> int:
    import asyncio

    from dispatcher.serve.supervisor import serve

    asyncio.run(serve(settings, lambda url: print(announcement(settings, url), flush=True)))
    return 0


def _serve_web(settings: Settings, args: argparse.Namespace) -> int:
    from dispatcher.app.web import run_web

    _refuse_no_socket(args.listener)
    return run_web(settings, args.listener, args.name, args.notice, apart=args.apart)


def _refuse_no_socket(number: int | None) -> None:
    try:
        if number is None or stat.S_ISSOCK(os.fstat(number).st_mode):
            return
    except (OSError, OverflowError):  # no such file: refused below, too
        pass
    raise UsageError(f"--listener {number} is no open socket.", "It is the supervisor's: leave it out.")


def _serve_matcher(settings: Settings, args: argparse.Namespace) -> int:
    from dispatcher.app.matcher import run_matcher

    return run_matcher(settings, args.name, args.pressing, apart=args.apart)


def _serve_replies(settings: Settings, args: argparse.Namespace) -> int:
    from dispatcher.app.replies import run_replies

    return run_replies(settings, args.name)


def _serve_jobs(settings: Settings, args: argparse.Namespace) -> int:
    from dispatcher.app.jobs import run_jobs

    return run_jobs(settings, args.name, args.pressing)


_ROLES = {
    "all": _serve_all,
    "web": _serve_web,
    "matcher": _serve_matcher,
    "replies": _serve_replies,
    "jobs": _serve_jobs,
}


def announcement(settings: Settings, url: str) -> str:
    """Where the service is, where its documentation is, and how to get a token."""
    from dispatcher.settings import Settings

    market, folder = next(iter(settings.markets)), settings.data_dir
    told = "" if folder == Settings().data_dir else f"DISPATCHER_DATA_DIR={folder} "
    return (
        f"dispatcher answers on {url}   documentation: {url}/docs\n"
        f"a token for development: {told}{typed('token')} --role platform --market {market}\n"
        f"{_console(settings, url, told)}"
    )


def _console(settings: Settings, url: str, told: str) -> str:
    """A way into the console; with keys of one's own nothing is given away to whoever reads the log."""
    from dispatcher.serve.entrance import entrance

    if settings.token_keys is not None:
        return f"the console: {url}/console"
    again = f"{told}{typed('console')}"
    return f"the console, once, within 15 minutes (another link: {again}):\n  {entrance(settings, url=url)}"

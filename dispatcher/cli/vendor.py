"""What a vendor does, from a terminal: answer offers, see its work, report, prove, post capacity.

Where, as whom and in which market is read from VENDOR_URL, VENDOR_TOKEN and VENDOR_MARKET, or from --url,
--token-file and --market. Times are shown by the clock of this machine. `--json` gives the service's answers.
"""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from dispatcher.cli import RUN
from dispatcher.runtime.errors import UsageError, UserError

if TYPE_CHECKING:
    from dispatcher.cli._vendor import Do, Told

NAME = "vendor"
HELP = "work as a vendor: offers, accept, decline, counter, list, report, proof, …"
GROUP = RUN
EXAMPLE = "dispatcher vendor offers"
URL, TOKEN, MARKET = "VENDOR_URL", "VENDOR_TOKEN", "VENDOR_MARKET"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Every word, and what all of them take."""
    from dispatcher.cli._vendor import Subjects, offers, own, proof, score, statement, why, work

    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--url", default=os.environ.get(URL), help=f"where the service is ({URL})")
    common.add_argument(
        "--token-file", type=Path, metavar="FILE", help=f"the file with your token (its text: {TOKEN})"
    )
    common.add_argument("--market", default=os.environ.get(MARKET), metavar="ID", help=f"which ({MARKET})")
    common.add_argument("--json", action="store_true", help="the answer as JSON")
    subjects = Subjects(parser, common)
    for subject in (offers, work, proof, own, score, statement, why):
        subject.add(subjects)


def run(args: argparse.Namespace) -> int:
    """Do it, and tell what came of it. Raises UserError for what the service refused."""
    import asyncio

    import msgspec

    told = asyncio.run(_done(args))
    if args.json:
        print(msgspec.json.format(msgspec.json.encode(told.answer), indent=2).decode())
    else:
        print("\n".join(told.lines))
    return 0


async def _done(args: argparse.Namespace) -> "Told":
    from client.errors import ClientError, Problem
    from client.vendor import VendorClient

    url, market = _given(args.url, "--url", URL), _given(args.market, "--market", MARKET)
    do: Do = args.do
    try:
        async with VendorClient(url, _token(args), market) as vendor:
            return await do(vendor, args)
    except Problem as problem:
        first, _, more = (problem.detail or problem.title).partition("\n")
        raise UserError(first, more) from problem
    except ClientError as error:
        first, _, more = str(error).partition("\n")
        raise UserError(first, more or f"Maybe {URL} or --url is another service.") from error
    except ValueError as error:  # a message that could not be made
        first, _, more = str(error).partition("\n")
        raise UsageError(f"{first}.", more) from error


def _token(args: argparse.Namespace) -> str:
    if args.token_file is not None:
        from dispatcher.runtime.arguments import read_text

        return read_text(args.token_file).strip()
    return _given(os.environ.get(TOKEN), "--token-file", TOKEN)


def _given(value: str | None, option: str, variable: str) -> str:
    if not value:
        raise UsageError(f"neither {option} nor {variable} is given.", f"Maybe export {variable}=…")
    return value

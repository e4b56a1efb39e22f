"""The vendor itself: capacity of a day, its papers, what it hears."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from client.errors import Problem
from client.posting import Stored
from contracts.capacity import Capacity
from contracts.codes import CredentialKind
from contracts.pools import Pools
from contracts.vendors import Credential, StoredVendor
from dispatcher.cli._vendor import Subjects, Told
from dispatcher.cli._vendor.reading import bytes_of, document, names, said_of, write
from dispatcher.cli._vendor.shown import clean, table, when
from dispatcher.runtime.arguments import a_date
from dispatcher.runtime.errors import UsageError, UserError

if TYPE_CHECKING:
    from client.vendor import VendorClient

DAY = "YYYY-MM-DD"


def add(subjects: Subjects) -> None:
    """capacity, papers, watch."""
    parser = subjects.word("capacity", "what you have on a day: see it, post it", _capacity, offer=False)
    parser.add_argument("day", type=a_date, metavar=DAY, help="a day of your market")
    parser.add_argument("--file", metavar="FILE", help="post this JSON document; - is standard input")
    parser.add_argument("--like", type=a_date, metavar=DAY, help="post what you had on that day")
    parser = subjects.word(
        "papers", "your credentials, until when they hold, and who verified them", _papers, offer=False
    )
    kinds, said = names(CredentialKind), f"claim a paper: {said_of(CredentialKind)}"
    parser.add_argument("--add", choices=kinds, metavar="KIND", help=said)
    parser.add_argument("--until", type=a_date, metavar=DAY, help="its last valid day")
    parser.add_argument("--document", default="", metavar="TEXT", help="its number and issuer, for ops")
    parser.add_argument(
        "--send", choices=kinds, metavar="KIND", help="send --file for the paper of this kind"
    )
    parser.add_argument("--file", type=Path, metavar="FILE", help="a PNG, JPEG or PDF of it, up to 2 MB")
    parser.add_argument("--get", choices=kinds, metavar="KIND", help="write what you sent to --file")
    parser = subjects.word("watch", "what happens, as it happens, until Ctrl-C", _watch, offer=False)
    parser.add_argument(
        "--after", default="", metavar="POSITION", help="go on from there; 0-0: from the beginning"
    )


async def _capacity(vendor: VendorClient, args: Namespace) -> Told:
    if args.file and args.like:
        raise UsageError("--file and --like are two answers to one question.", "Maybe leave one out.")
    vendor_id = (await myself(vendor)).vendor.id
    now = await _posted(vendor, vendor_id, args)
    if now is None:
        return Told(None, [f"nothing is posted for {args.day}"])
    rows = [(pool.id, ", ".join(pool.serves), _by_hour(pool.units)) for pool in now.pools]
    return Told(now, table(("pool", "serves", f"units on {args.day}"), rows, empty="no pool is posted"))


async def _posted(vendor: VendorClient, vendor_id: str, args: Namespace) -> Capacity | None:
    """What is there, once what is to be posted is."""
    there = await _of(vendor, vendor_id, args.day)
    wanted = document(args.file, Pools) if args.file else None
    if args.like:
        then = await _of(vendor, vendor_id, args.like)
        if then is None:
            raise UserError(f"nothing was posted for {args.like}.", "Maybe another day, or --file.")
        wanted = then.value
    if wanted is None:
        return there.value if there else None
    await vendor.put_capacity(vendor_id, args.day, wanted, version=there.version if there else None)
    return wanted


async def _of(vendor: VendorClient, vendor_id: str, day: Any) -> Stored[Capacity] | None:
    try:
        return await vendor.capacity(vendor_id, day)
    except Problem as problem:
        if problem.status != 404:
            raise
        return None


def _by_hour(units: tuple[int, ...]) -> str:
    """`4 until 06:00, 12 until 20:00, 4`."""
    minutes, said = 1440 // len(units), []
    for place, each in enumerate(units):
        last = place + 1 == len(units)
        if last or units[place + 1] != each:
            end = (place + 1) * minutes
            said.append(f"{each}" if last else f"{each} until {end // 60:02d}:{end % 60:02d}")
    return ", ".join(said)


async def _papers(vendor: VendorClient, args: Namespace) -> Told:
    _refuse_odd_words(args)
    content = bytes_of(args.file) if args.file and not args.get else None
    stored = await myself(vendor)
    if args.add:
        paper = Credential(kind=CredentialKind(args.add), expires_on=args.until, document=args.document)
        more = (*stored.vendor.credentials, paper)
        changed = msgspec.structs.replace(stored.vendor, credentials=more)
        await vendor.put_vendor(changed, version=f'"{stored.version}"')
    if content is not None:
        kind = CredentialKind(args.add or args.send)
        await vendor.put_document(stored.vendor.id, kind, content, expires_on=args.until)
    if args.get:
        kind = CredentialKind(args.get)
        write(args.file, await vendor.document(stored.vendor.id, kind, expires_on=args.until))
    stored = await myself(vendor)
    papers = sorted(stored.vendor.credentials, key=lambda each: (each.expires_on, each.kind))
    rows = [
        (
            each.kind,
            each.expires_on,
            each.document,
            f"{each.file.bytes:,} bytes, {when(each.file.at)}" if each.file else "none",
            when(each.verified.at) if each.verified else "not yet",
        )
        for each in papers
    ]
    heads = ("paper", "last valid day", "document", "file", "verified")
    return Told(papers, table(heads, rows, empty="you have named no papers"))


def _refuse_odd_words(args: Namespace) -> None:
    if sum(1 for each in (args.add, args.send, args.get) if each) > 1:
        raise UsageError("--add, --send and --get are three things.", "Maybe one after the other.")
    if (args.add and not args.until) or (args.until and not (args.add or args.send or args.get)):
        raise UsageError("--add and --until go together.", "Maybe: --add auto_insurance --until 2027-03-31")
    if ((args.send or args.get) and not args.file) or (args.file and not (args.add or args.send or args.get)):
        raise UsageError(
            "--file goes with --add, --send or --get.", "Maybe: --send auto_insurance --file a.pdf"
        )


async def _watch(vendor: VendorClient, args: Namespace) -> Told:
    async for position, event in vendor.events(args.after):
        if args.json:
            line = msgspec.json.encode({"position": position, "event": event}).decode()
        else:
            said = (when(event.time), event.type.removeprefix("dispatch."), event.subject, position)
            line = clean("  ".join(filter(None, said)))
        print(line, file=sys.stdout, flush=True)
    raise AssertionError("a feed has no end")


async def myself(vendor: VendorClient) -> StoredVendor:
    """Whose token it is: a vendor finds itself alone. Raises UserError before it is registered."""
    async for stored in vendor.vendors():
        return stored
    raise UserError("you are not registered in this market.", "Ops has to register a vendor first.")

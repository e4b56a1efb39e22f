"""Proof of what was done: said, with pictures, and read."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.proofs import NotSigned, Picture, ProofPart, ProofReport, ProofView, Relationship, Signature
from dispatcher.cli._vendor import Subjects, Told
from dispatcher.cli._vendor.reading import a_position, an_instant, an_item, bytes_of, document, names, said_of
from dispatcher.cli._vendor.shown import facts, table, when
from dispatcher.runtime.arguments import number
from dispatcher.runtime.errors import UsageError

if TYPE_CHECKING:
    from client.vendor import VendorClient

MOST_MILES = 2_000_000


def add(subjects: Subjects) -> None:
    """proof."""
    parser = subjects.word(
        "proof", "say that a part was done, with signature and picture; or see what lacks", _proof
    )
    parser.add_argument("part", nargs="?", choices=names(ProofPart), metavar="PART", help=said_of(ProofPart))
    parser.add_argument("--at", type=an_instant, metavar="INSTANT", help="when; left out: now")
    parser.add_argument("--position", type=a_position, metavar="LAT,LON", help="39.95,-75.16")
    parser.add_argument("--odometer", type=number(0, MOST_MILES), metavar="MILES", help="as it shows them")
    parser.add_argument("--signed-by", metavar="NAME", help="who signed; with --relationship")
    parser.add_argument(
        "--relationship", choices=names(Relationship), metavar="R", help=said_of(Relationship)
    )
    parser.add_argument("--refused", choices=names(NotSigned), metavar="WHY", help=said_of(NotSigned))
    parser.add_argument(
        "--item",
        type=an_item,
        action="append",
        default=[],
        metavar="ITEM",
        help="what was left: 'E1390=Oxygen concentrator#SN-1'; repeat it",
    )
    parser.add_argument("--instructed", action="store_true", help="its use was shown, and understood")
    parser.add_argument("--file", metavar="FILE", help="the report as JSON instead; - is standard input")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="a PNG or JPEG beside it, up to 512 KB")
    parser.add_argument("--of", choices=names(Picture), default=Picture.SIGNATURE.value, help="of what it is")


async def _proof(vendor: VendorClient, args: Namespace) -> Told:
    report = _report(args)
    content = bytes_of(args.picture) if args.picture else None
    if report is None:
        return _told(await vendor.proof(args.offer))
    if content is None:
        return _told(await vendor.give_proof(args.offer, report))
    await vendor.give_proof(args.offer, report)
    await vendor.put_picture(args.offer, report.part, content, Picture(args.of))
    return _told(await vendor.proof(args.offer))


def _report(args: Namespace) -> ProofReport | None:
    """What is said; None where it is only asked. Raises UserError."""
    if args.file:
        return document(args.file, ProofReport)
    if args.part is None:
        if args.picture:
            raise UsageError("--picture goes with a part.", f"Maybe one of {said_of(ProofPart)}.")
        return None
    signature = (
        Signature(
            by=args.signed_by,
            relationship=Relationship(args.relationship) if args.relationship else None,
            refused=NotSigned(args.refused) if args.refused else None,
        )
        if args.signed_by or args.relationship or args.refused
        else None
    )
    return ProofReport(
        part=ProofPart(args.part),
        at=args.at,
        position=args.position,
        odometer_miles=args.odometer,
        signature=signature,
        items=tuple(args.item),
        instruction_given=args.instructed,
    )


def _told(proof: ProofView) -> Told:
    rows = [
        (
            each.report.part,
            when(each.at),
            _signed(each.report.signature),
            "" if each.counts else "corrected since",
        )
        for each in proof.parts
    ]
    said = table(("part", "at", "signature", ""), rows, empty="nothing is proved yet")
    said += [f"a picture of the {each.part}: {each.of}, {each.bytes:,} bytes" for each in proof.pictures]
    lacks = ", ".join(proof.lacking) or ("nothing" if proof.required else "")
    return Told(proof, [*said, *facts([("lacks", lacks)])])


def _signed(signature: Signature | None) -> str:
    if signature is None:
        return "–"
    return (
        f"refused: {signature.refused}" if signature.refused else f"{signature.by} ({signature.relationship})"
    )

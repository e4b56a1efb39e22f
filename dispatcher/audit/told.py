"""What the audit found in a market, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

AWAY = "away"  # of a report: why the market was not looked at
SHOWN = 50  # findings printed for people; --json has all

#: What is told of a market where there is any of it.
BESIDE = {
    "decisions": "decisions in a chain",
    "sealed": "sealed entries in chains",
    "sealed_late": "entries were sealed more than an hour after they were written: the service stood, or "
    "was of a version without seals; or somebody took its seals away, and they were made anew",
    "proofs": "proofs of work done",
    "pictures": "pictures of these",
    "pictures_unnamed": "pictures of proofs are named by no proof: whoever put them died then, or a backup "
    "was restored that is older",
    "documents": "documents of credentials",
    "documents_unnamed": "documents are of no credential: who put or removed one died then, or a backup was "
    "restored; they go after a month",
    "decisions_unlinked": "records of decisions are in no chain: whoever wrote them died then, a fail-over "
    "lost their places, or somebody put them there",
}


def told(report: Mapping[str, Any]) -> str:
    """The report of one market for people; its first findings, and how many more there are."""
    if AWAY in report:
        count = len(report["not_found"])
        maybe = f"\n  {count} acknowledged ids are in no other market, and may be here" if count else ""
        return f"{report['market']}: not looked at: {report[AWAY]}{maybe}"
    states = ", ".join(f"{count} {state}" for state, count in report["states"].items()) or "none"
    lines = [f"{report['market']}: {report['requests']} requests ({states}), {report['ledgers']} ledgers"]
    if report["unsettled"]:
        lines.append(
            f"  {report['unsettled']} ledgers were at work and not compared: look again in a quieter minute"
        )
    lines += [f"  set aside, its ids were used up: {name}" for name in report["streams_set_aside"]]
    lines += [f"  {report[name]:,} {words}" for name, words in BESIDE.items() if report.get(name)]
    findings = report["findings"]
    lines += [f"  {each['rule']}: {each['subject']} {each['detail']}" for each in findings[:SHOWN]]
    if len(findings) > SHOWN:
        lines.append(f"  and {len(findings) - SHOWN} more: --json shows all")
    return "\n".join([*lines, f"  {len(findings)} wrong" if findings else "  sound"])

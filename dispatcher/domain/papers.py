"""Documents of credentials: which are kept of a vendor, and until when.

The vendor's own document says which file a credential has; the record here says where that lies, and what
was replaced. A file matters until its credential's last valid day, or until it is its credential's no longer;
it is kept for so many days more. One that was replaced before anybody had verified it never mattered.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from contracts.codes import CredentialKind
from contracts.instants import DAY_MS, to_instant
from contracts.papers import KeptDocument, PaperFile
from contracts.tuning import Number, Parameter
from contracts.vendors import Credential, Vendor
from dispatcher.domain.compact import Compact, Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.kinds import Entry, Kind, register
from dispatcher.domain.refusals import Invalid, NotFound

DAYS = Parameter(
    name="document_days",
    default=1_095,
    minimum=1,
    maximum=7_300,
    unit="days",
    summary="How long a credential's document is kept after its last valid day or after another came.",
    scope="domain.papers",
)
PARAMETERS = (DAYS,)
FILED: Final = "papers"  # the list of vendors that have any
MOST_FILES: Final = 128  # of one vendor, with those that were replaced: four for each credential
AWAKE_MS: Final = 30 * DAY_MS  # nothing is due of it: the job looks by the hour
EPOCH: Final = date(1970, 1, 1).toordinal()


class KeptFile(Compact, frozen=True):
    """One file: the blob's name, and what is known of its plain bytes and (`sealed`) of those that lie there.

    `gone_ms`: since when it is no credential's; `seen`: it had been verified then.
    """

    kind: str
    last_day: int
    name: str
    media: str
    size: int
    sha256: str
    sealed: str
    key: str
    at_ms: int
    by: str
    subject: str = ""
    gone_ms: int = 0
    seen: bool = False

    @property
    def paper(self) -> PaperKey:
        """Whose it is."""
        return PaperKey(self.kind, self.last_day)

    def until_ms(self, values: Mapping[str, Number]) -> int:
        """Until when it is kept."""
        days_ms = DAYS.whole(values) * DAY_MS
        over_ms = (self.last_day + 1 - EPOCH) * DAY_MS
        if not self.gone_ms:
            return over_ms + days_ms
        return min(over_ms, self.gone_ms) + days_ms if self.seen else self.gone_ms


class PaperKey(NamedTuple):
    """By what a credential is known here: its kind and last valid day (an ordinal)."""

    kind: str
    last_day: int


class PaperRecord(Record, frozen=True, tag=1):
    """The files of one vendor's credentials; its id is the vendor's."""

    files: tuple[KeptFile, ...]
    timer_ms: int

    def of(self, paper: PaperKey, sha256: str) -> KeptFile | None:
        """A credential's file of that content; the last one that came."""
        found = [each for each in self.files if (each.paper, each.sha256) == (paper, sha256)]
        return found[-1] if found else None


def key_of(paper: Credential) -> PaperKey:
    """By what a credential is known."""
    return PaperKey(paper.kind.value, paper.expires_on.toordinal())


def claimed(vendor: Vendor, kind: CredentialKind, expires_on: date | None) -> Credential:
    """The vendor's credential of a kind, the one that holds longest if no day is named. Raises NotFound."""
    found = [
        each for each in vendor.credentials if each.kind is kind and expires_on in (None, each.expires_on)
    ]
    if not found:
        until = f" valid until {expires_on}" if expires_on else ""
        raise NotFound(
            f"vendor {vendor.id} claims no {kind.value}{until}\n"
            "Maybe add it to the vendor's `credentials` first."
        )
    return max(found, key=lambda each: each.expires_on)


def with_file(vendor: Vendor, file: KeptFile) -> Vendor:
    """With this file, and so to be verified anew, unless it is the same as before."""
    return _with(vendor, {file.paper: shown_of(file)})


def without_files(vendor: Vendor, kept: PaperRecord) -> Vendor:
    """Without files that are kept no longer; what was verified stays so."""
    gone = [
        key_of(each)
        for each in vendor.credentials
        if each.file is not None and kept.of(key_of(each), each.file.sha256) is None
    ]
    return _with(vendor, dict.fromkeys(gone))


def _with(vendor: Vendor, files: Mapping[PaperKey, PaperFile | None]) -> Vendor:
    papers = tuple(
        replace(
            each, file=(file := files[key_of(each)]), verified=each.verified if _is_seen(each, file) else None
        )
        if key_of(each) in files
        else each
        for each in vendor.credentials
    )
    return replace(vendor, credentials=papers)


def _is_seen(paper: Credential, file: PaperFile | None) -> bool:
    """Whether who verified the paper had this before eyes; None: what was seen goes."""
    return file is None or (paper.file is not None and paper.file.sha256 == file.sha256)


def put(record: PaperRecord | None, vendor: Vendor, file: KeptFile) -> PaperRecord:
    """With a file more; what it replaces is over. Raises Invalid: there are too many."""
    before = record or PaperRecord(id=vendor.id, version=0, files=(), timer_ms=0)
    if len(before.files) >= MOST_FILES:
        raise Invalid(
            f"of vendor {vendor.id} {MOST_FILES} documents are kept, the limit\n"
            "Maybe try again in an hour: those that were replaced before anybody verified them go by then."
        )
    was_seen = any(each.verified for each in vendor.credentials if key_of(each) == file.paper)
    kept = tuple(
        replace(each, gone_ms=file.at_ms, seen=was_seen and each.sha256 != file.sha256)
        if each.paper == file.paper and not each.gone_ms
        else each
        for each in before.files
    )
    return _later(before, (*kept, file), file.at_ms)


def tidied(
    record: PaperRecord, vendor: Vendor | None, values: Mapping[str, Number], now_ms: int
) -> tuple[PaperRecord, tuple[KeptFile, ...]]:
    """The record as it should stand now, and the files that are over. `vendor`: None where there is none."""
    named = {
        (key_of(each), each.file.sha256)
        for each in (vendor.credentials if vendor is not None else ())
        if each.file is not None
    }
    noted = [
        each
        if each.gone_ms or (each.paper, each.sha256) in named
        else replace(each, gone_ms=now_ms, seen=True)
        for each in record.files
    ]
    over = tuple(each for each in noted if each.until_ms(values) <= now_ms)
    files = tuple(each for each in noted if each not in over)
    return (_later(record, files, now_ms) if files != record.files else record), over


def sealed_anew(record: PaperRecord, anew: Mapping[str, KeptFile], now_ms: int) -> PaperRecord:
    """With files that lie elsewhere now, under another key; by the name that they had."""
    return _later(record, tuple(anew.get(each.name, each) for each in record.files), now_ms)


def _later(record: PaperRecord, files: tuple[KeptFile, ...], now_ms: int) -> PaperRecord:
    return replace(record, version=record.version + 1, files=files, timer_ms=now_ms + AWAKE_MS)


def shown_of(file: KeptFile) -> PaperFile:
    """As it is told."""
    return PaperFile(
        media=file.media,
        bytes=file.size,
        sha256=file.sha256,
        at=to_instant(file.at_ms),
        by=file.by,
        subject=file.subject,
    )


def listed(file: KeptFile, values: Mapping[str, Number]) -> KeptDocument:
    """As it is told among all."""
    return KeptDocument(
        kind=CredentialKind(file.kind),
        expires_on=date.fromordinal(file.last_day),
        file=shown_of(file),
        over_at=to_instant(file.gone_ms) if file.gone_ms else None,
        kept_until=to_instant(file.until_ms(values)),
    )


def _awake(record: PaperRecord, context: Context) -> Decision | None:
    if record.timer_ms > context.now_ms:
        return None
    after = replace(record, version=record.version + 1, timer_ms=context.now_ms + AWAKE_MS)
    return Decision(changes=(Change(record, after),), at_ms=context.now_ms)


def _may_become(before: PaperRecord | None, after: PaperRecord | None) -> bool:
    """It stays; what it names goes by time alone."""
    return after is not None


PAPER_KIND: Kind[Any] = register(
    Kind(
        name="paper",
        form=PaperRecord,
        key="paper",
        timers="timers:paper",
        timer_ms=lambda record: record.timer_ms,
        lists=lambda record: {Entry(FILED, record.id): 0} if record.files else {},
        may_become=_may_become,
        on_timer=_awake,
        ids_of_others=True,
    )
)

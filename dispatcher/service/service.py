"""The service, whole: one part for each subject, and `execute` for every command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from dispatcher.blobs.folder import Memory
from dispatcher.blobs.port import Blobs
from dispatcher.decisions.store import DecisionStore
from dispatcher.domain.commands.table import Command
from dispatcher.domain.kinds import Kind
from dispatcher.runtime.addresses import Networks
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service.acts import Acts
from dispatcher.service.authorizations import Authorizations
from dispatcher.service.barriers import Barriers
from dispatcher.service.capacity import Postings
from dispatcher.service.caps import VendorCaps
from dispatcher.service.coverage import Coverages
from dispatcher.service.days import Days
from dispatcher.service.dead_letters import DeadLetters
from dispatcher.service.decisions import Decisions
from dispatcher.service.episodes import Episodes
from dispatcher.service.execute import Executor, Prepare
from dispatcher.service.fairness import Fairnesses
from dispatcher.service.loading import Look
from dispatcher.service.market_health import MarketHealths
from dispatcher.service.markets import Markets
from dispatcher.service.measures import Measures
from dispatcher.service.occurrences import Occurrences
from dispatcher.service.offers import Offers
from dispatcher.service.papers import Papers
from dispatcher.service.patient_reads import PatientReads
from dispatcher.service.prices import Prices
from dispatcher.service.proof_export import ProofExport
from dispatcher.service.proofs import Proofs
from dispatcher.service.rehearsal import Rehearsal
from dispatcher.service.requests import Requests
from dispatcher.service.scorecards import Scorecards
from dispatcher.service.standing_orders import StandingOrders
from dispatcher.service.statement_disputes import StatementDisputes
from dispatcher.service.statements import Statements
from dispatcher.service.tasks import Tasks
from dispatcher.service.threads import Threads
from dispatcher.service.tuning import Tunings
from dispatcher.service.tuning_canary import TuningCanary
from dispatcher.service.tuning_profiles import TuningProfiles
from dispatcher.service.tuning_sets import TuningSets
from dispatcher.service.tuning_shadow import TuningShadow
from dispatcher.service.vendor_days import VendorDays
from dispatcher.service.vendor_outcomes import VendorOutcomes
from dispatcher.service.vendor_sign_ins import VendorSignIns
from dispatcher.service.vendors import Vendors
from dispatcher.service.webhooks import Webhooks
from dispatcher.service.what_ifs import WhatIfs
from dispatcher.service.why_vendor import WhyVendor
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.records import R, Records
from dispatcher.store.store import Store
from dispatcher.tuning.registry import Registry
from solvers.travel import DetourTravel, TravelOf

NO_NETWORKS = Networks()


class Service:
    """One process's way to what is stored. `zones` maps each market to its time zone.

    HTTP, the replies consumer, the matcher and the timers all go through one of these; none of them touches a
    record otherwise.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        zones: Mapping[str, ZoneInfo],
        registry: Registry,
        travel_of: TravelOf = DetourTravel.of,
        *,
        decisions: DecisionStore | None = None,
        proofs: Blobs | None = None,
        webhook_networks: Networks = NO_NETWORKS,
    ) -> None:
        self.store, self.clock, self.registry = store, clock, registry
        self.markets = Markets(store, zones, clock)
        self.measures = Measures()
        self.acts = Acts(self.markets, clock)
        self.executor = Executor(self.markets, clock, self.measures)
        self.requests = Requests(store, self.markets, clock, travel_of)
        kept = decisions or DecisionStore(Memory(), store.vault)
        self.decisions = Decisions(self.markets, self.requests, clock, kept)
        self.patient_reads = PatientReads(self.markets, clock)
        self.offers = Offers(self.markets, self.patient_reads)
        self.proofs = Proofs(self.markets, self.executor, self.patient_reads, clock, proofs or Memory())
        self.rehearsal = Rehearsal(self.markets, clock)
        self.proof_export = ProofExport(self.proofs)
        self.standing_orders = StandingOrders(self.markets, clock, self.requests)
        self.occurrences = Occurrences(self.markets, clock, self.requests)
        self.tasks = Tasks(self.markets, self.executor)
        self.barriers = Barriers(self.markets, self.executor, clock)
        self.prices = Prices(self.markets, self.executor)
        self.threads = Threads(self.markets, self.executor)
        self.authorizations = Authorizations(store, self.markets, self.executor)
        self.episodes = Episodes(self.markets, self.requests, self.tasks, self.barriers)
        self._open_vendors(clock)
        self.days = Days(self.markets, clock)
        self.coverage = Coverages(self.markets)
        self.dead_letters = DeadLetters(self.markets, self.acts)
        self.webhooks = Webhooks(self.markets, self.executor, self.acts, webhook_networks)
        self._open_tuning(clock, registry)
        self.market_health = MarketHealths(store, self.markets, clock)

    def _open_vendors(self, clock: Clock) -> None:
        """Who they are, what they post, and what became of their work."""
        self.vendors = Vendors(self.markets, clock, self.acts)
        self.vendor_sign_ins = VendorSignIns(
            self.markets, clock, self.vendors, self.acts, self.store.sign_ins
        )
        self.capacity = Postings(self.markets, clock, self.vendors, self.acts)
        self.papers = Papers(self.markets, self.vendors, self.acts, clock, self.proofs)
        self.caps = VendorCaps(self.markets, self.executor, self.vendors)
        self.statements = Statements(self.markets, self.vendors, clock)
        self.statement_disputes = StatementDisputes(self.statements, self.tasks, self.executor, clock)
        self.vendor_days = VendorDays(self.markets, self.patient_reads, clock)
        self.why_vendor = WhyVendor(self.markets, clock, self.vendors)
        self.vendor_outcomes = VendorOutcomes(self.markets, clock)
        self.scorecards = Scorecards(self.markets, self.executor, clock)
        self.fairness = Fairnesses(self.markets, clock)

    def _open_tuning(self, clock: Clock, registry: Registry) -> None:
        """What ops set, and try before they set it."""
        self.tuning = Tunings(self.markets, clock, registry)
        self.tuning_sets = TuningSets(self.markets, clock, registry, self.acts)
        self.tuning_profiles = TuningProfiles(self.markets, clock, registry, self.acts)
        self.tuning_canary = TuningCanary(self.markets, clock, registry, self.acts)
        self.tuning_shadow = TuningShadow(self.markets, clock, registry, self.acts)
        self.what_ifs = WhatIfs(self.markets, clock, registry)

    async def execute(
        self,
        who: Principal,
        market: str,
        command: Command,
        idempotency: IdempotencyRecord | None = None,
        *,
        prepare: Prepare | None = None,
        look: Look | None = None,
    ) -> Any:
        """See `Executor.execute`."""
        return await self.executor.execute(who, market, command, idempotency, prepare=prepare, look=look)

    def records(self, who: Principal, market: str, kind: Kind[R]) -> Records[R]:
        """The records of a kind, to be read and listed: for kinds that need no part of their own.

        Raises NotFound for another's market. Which records of it they may see, is the asker's to say.
        """
        self.markets.authorize(who, market)
        return self.markets.store(market).records(kind)

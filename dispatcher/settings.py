"""What the service can be told from outside: one frozen type, read once from `DISPATCHER_*`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from contracts.base import Id
from contracts.patterns import whole
from dispatcher.runtime.addresses import Networks
from dispatcher.runtime.errors import UserError
from dispatcher.runtime.password_files import with_password
from dispatcher.runtime.setting_words import in_words, without_password
from dispatcher.runtime.urls import BrokerUrl, MailUrl, OidcRoles, TilesUrl, TracesUrl, WebhookUrl
from dispatcher.travel.url import SCHEMES, TravelUrl

PARSED = (TravelUrl, TilesUrl, WebhookUrl, MailUrl, OidcRoles, TracesUrl, BrokerUrl, Networks)
PREFIX = "DISPATCHER_"
LAST_MS = 4_102_444_800_000  # the year 2100; a clock may run on from there
NOT_OURS = frozenset({"DISPATCHER_PYTHON"})  # read by ./run


Options = Mapping[str, tuple[str, str | None]]  # field → the option as it is typed, and what was given


class SettingsError(UserError):
    """A setting cannot be used; the message names the variable or option, its value and the limit."""


class Markets(dict[str, ZoneInfo]):
    """Markets and their time zones, in the order given."""

    @classmethod
    def parse(cls, text: str) -> Markets:
        """From `metro=America/New_York,seoul=Asia/Seoul`; raises ValueError naming the part that is wrong."""
        markets = cls()
        for part in filter(None, (each.strip() for each in text.split(","))):
            name, _, zone = part.partition("=")
            if name in markets:
                raise ValueError(f"the market '{name}' is named twice")
            try:
                markets[msgspec.convert(name, Id)] = ZoneInfo(zone)
            except (msgspec.ValidationError, ZoneInfoNotFoundError, ValueError, OSError) as error:
                raise ValueError(f"'{part}' is no market with a time zone") from error
        if not markets:
            raise ValueError("no market is named")
        return markets

    def __str__(self) -> str:
        return ",".join(f"{name}={zone.key}" for name, zone in self.items())


def _two_markets() -> Markets:
    return Markets.parse("metro=America/New_York,seoul=Asia/Seoul")


RedisUrl = Annotated[
    str,
    Meta(
        pattern=whole("((rediss?([+]cluster)?|unix)://.+)?"),
        description="Redis or Valkey to use (redis://, rediss://, unix://, for a cluster redis+cluster://, "
        "rediss+cluster://); empty: an embedded one",
    ),
]
Port = Annotated[int, Meta(ge=0, le=65535, description="listen here; 0: a free port, see DATA_DIR/address")]
Hours = Annotated[
    float,
    Meta(
        gt=0,
        le=8_760,
        description="hours after which the embedded server's file is rewritten without what was forgotten",
    ),
]
Speed = Annotated[float, Meta(ge=0, le=10_000, description="clock seconds a second; 0: the system's clock")]
Level = Literal["debug", "info", "warning", "error"]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings. The field `data_dir` is the variable `DISPATCHER_DATA_DIR`."""

    redis_url: RedisUrl = ""
    redis_password_file: Annotated[
        Path | None, Meta(description="password of the user in REDIS_URL, where it names none")
    ] = None
    data_dir: Annotated[Path, Meta(description="embedded data, development keys, address")] = Path(
        ".dispatcher"
    )
    host: Annotated[str, Meta(description="address to listen on")] = "127.0.0.1"
    port: Port = 8080
    markets: Annotated[Markets, Meta(description="markets and their time zones")] = msgspec.field(
        default_factory=_two_markets
    )
    token_keys: Annotated[Path | None, Meta(description="JWKS that bearer tokens are checked against")] = None
    patient_keys: Annotated[Path | None, Meta(description="key ring of the patient data")] = None
    store_identity: Annotated[
        str, Meta(description="the store that it must be, its key dispatch:identity; empty: the first found")
    ] = ""
    aof_rewrite_hours: Hours = 24.0
    wait_replicas: Annotated[
        int, Meta(ge=0, le=5, description="replicas that must have a commit before it is answered; 0: none")
    ] = 0
    clock_start_ms: Annotated[
        int, Meta(ge=0, le=LAST_MS, description="what a scaled clock shows at CLOCK_ANCHOR_S")
    ] = 0
    clock_anchor_s: Annotated[
        float, Meta(ge=0, le=LAST_MS / 1000, description="Unix time when a scaled clock started")
    ] = 0.0
    clock_speed: Speed = 0.0
    clock_file: Annotated[
        Path | None, Meta(description="holds CLOCK_ANCHOR_S once a scaled clock starts; until then it stands")
    ] = None
    travel_url: Annotated[
        TravelUrl | None,
        Meta(description=f"routing server: {' or '.join(f'{each}://…' for each in SCHEMES)}"),
    ] = None
    travel_tile: Annotated[
        int,
        Meta(
            ge=0, le=1_000, description="most coordinates (OSRM), points a side (Valhalla) a call; 0: 100, 50"
        ),
    ] = 0
    travel_by_get: Annotated[
        bool, Meta(description="1: OSRM before v26, asked by GET: doors stand in its URLs and log")
    ] = False
    notify_webhook_url: Annotated[
        WebhookUrl | None, Meta(description="where notifications are posted, signed; https://…")
    ] = None
    notify_webhook_secret_file: Annotated[
        Path | None, Meta(description="what webhooks are signed with: whsec_ and base64, 24 to 64 bytes")
    ] = None
    notify_coordinator_email: Annotated[
        str, Meta(description="where coordinators are told by mail; empty: they are not")
    ] = ""
    webhook_networks: Annotated[
        Networks,
        Meta(
            description="networks of yours that webhooks may reach, too: 10.1.0.0/16, by comma; empty: none"
        ),
    ] = Networks()
    smtp_url: Annotated[
        MailUrl | None,
        Meta(description="mail server, where there is no webhook: smtp+starttls://user@host:587, smtps://…"),
    ] = None
    smtp_password_file: Annotated[Path | None, Meta(description="password of the user in SMTP_URL")] = None
    smtp_from: Annotated[str, Meta(description="who mail is from: an address of yours")] = ""
    public_url: Annotated[
        WebhookUrl | None, Meta(description="where people reach this service, if behind a proxy: https://…")
    ] = None
    oidc_issuer: Annotated[
        WebhookUrl | None, Meta(description="OpenID provider whose people may sign in to the console")
    ] = None
    oidc_client_id: Annotated[str, Meta(description="what this service is called there")] = ""
    oidc_client_secret_file: Annotated[
        Path | None, Meta(description="its secret there; not set: PKCE alone")
    ] = None
    oidc_roles: Annotated[
        OidcRoles, Meta(description="who has which role: group=role or group=role@market, by comma")
    ] = OidcRoles()
    oidc_claim: Annotated[str, Meta(description="claim of the ID token that holds the groups")] = "groups"
    traces_url: Annotated[
        TracesUrl | None,
        Meta(
            description="where traces are sent: a collector's OTLP over HTTP, http://host:4318 (extra otel)"
        ),
    ] = None
    map_tiles: Annotated[
        TilesUrl | None,
        Meta(description="pictures below the console's map: https://host/{z}/{x}/{y}.png; empty: none"),
    ] = None
    map_credit: Annotated[str, Meta(description="whose they are, as their terms want it shown")] = ""
    places: Annotated[
        Path | None,
        Meta(
            description="named places, by which vendors read where an offer is: "
            "CSV, market,name,longitude,latitude"
        ),
    ] = None
    decisions: Annotated[
        str, Meta(description="where decisions are saved: a folder or s3://…; empty: DATA_DIR/decisions")
    ] = ""
    proofs: Annotated[
        str, Meta(description="where pictures of proofs are kept: a folder or s3://…; empty: DATA_DIR/proofs")
    ] = ""
    broker_url: Annotated[
        BrokerUrl | None,
        Meta(
            description="a Valkey of its own over which workers are given solves: redis://…, rediss://…, "
            "unix://…, redis+sentinel://host,host/name (extra cluster); empty: no workers"
        ),
    ] = None
    broker_password_file: Annotated[
        Path | None, Meta(description="password of the user in BROKER_URL, where it names none")
    ] = None
    parcels: Annotated[
        str,
        Meta(
            description="where matchers and workers leave each other what is too large for the broker: "
            "a folder that all share or s3://…; empty: DATA_DIR/parcels"
        ),
    ] = ""
    rules: Annotated[str, Meta(description="modules with rules of your own, by comma; each has a RULE")] = ""
    log_level: Annotated[Level, Meta(description="the least grave line to log")] = "info"
    log_json: Annotated[bool, Meta(description="1: log lines are JSON; 0: for people")] = True

    @property
    def clock(self) -> tuple[int, float, float, Path | None]:
        """What `make_clock` takes."""
        return self.clock_start_ms, self.clock_anchor_s, self.clock_speed, self.clock_file

    @property
    def token_keys_file(self) -> Path:
        """The JWKS file; in the data folder unless set."""
        return self.token_keys or self.data_dir / "token-keys.json"

    @property
    def patient_keys_file(self) -> Path:
        """The patient key ring; in the data folder unless set."""
        return self.patient_keys or self.data_dir / "patient-keys.json"

    @property
    def address_file(self) -> Path:
        """Where a running service leaves the URL it answers on."""
        return self.data_dir / "address"

    @property
    def clock_settings_file(self) -> Path:
        """Where a running service leaves by which clock it goes."""
        return self.data_dir / "clock-settings.json"

    def environment(self) -> dict[str, str]:
        """The variables that give a child process these very settings."""
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        return {variable(name): _show(value) for name, value in values.items() if value is not None}

    @classmethod
    def read(
        cls, environment: Mapping[str, str], options: Options | None = None, **overrides: Any
    ) -> Settings:
        """Settings from the environment; `options` of a command line and `overrides` win where not None.

        Raises SettingsError for a value out of bounds, which names the variable or the option that it came
        by, and for a `DISPATCHER_*` variable that is no setting.
        """
        known = {variable(name): name for name in cls.__struct_fields__}
        for name in environment:
            if name.startswith(PREFIX) and name not in known and name not in NOT_OURS:
                raise SettingsError(f"{name} is no setting.", f"Known: {', '.join(known)}")
        told = {field: (name, environment.get(name) or None) for name, field in known.items()}
        told |= {field: typed for field, typed in (options or {}).items() if typed[1] is not None}
        values = {
            field: _parse(field, text, name) for field, (name, text) in told.items() if text is not None
        }
        values |= {key: value for key, value in overrides.items() if value is not None}
        for kind in ("redis", "broker"):
            file, url = values.get(f"{kind}_password_file"), values.get(f"{kind}_url")
            if file and url:
                values[f"{kind}_url"] = type(url)(with_password(url, file, variable(f"{kind}_password_file")))
        return cls(**values)


def variable(field: str) -> str:
    """The environment variable of a field."""
    return PREFIX + field.upper()


def described() -> list[tuple[str, str, str]]:
    """(variable, default, what it is) of every setting: for `--help` and the docs."""
    defaults, hints = Settings(), get_type_hints(Settings, include_extras=True)
    shown = [(name, getattr(defaults, name), hints[name]) for name in Settings.__struct_fields__]
    return [
        (variable(name), "" if value is None else _show(value), hint.__metadata__[-1].description)
        for name, value, hint in shown
    ]


def _parse(field: str, text: str, name: str) -> Any:
    hint = get_type_hints(Settings, include_extras=True)[field]
    try:
        return msgspec.convert(text, hint, strict=False, dec_hook=_decode)
    except (msgspec.ValidationError, ValueError) as error:
        about = hint.__metadata__[-1].description
        shown = without_password(text) if field.endswith("_url") else text
        raise SettingsError(f"{name} is '{shown}': {in_words(error, hint)}.", f"It is: {about}.") from error


def _decode(kind: Any, text: Any) -> Any:
    return kind.parse(text) if kind in (Markets, *PARSED) else kind(text)


def _show(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)

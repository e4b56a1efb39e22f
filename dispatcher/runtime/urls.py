"""Where things go to or come from, as settings say it: a webhook, a mail server, a collector, a map."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import SplitResult, unquote, urlsplit

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
ROLES = ("platform", "ops", "coordinator", "case_manager")  # of people; a vendor's is in no directory of ours
PLAIN, STARTTLS, TLS = "smtp", "smtp+starttls", "smtps"
SENTINELS = ("redis+sentinel", "rediss+sentinel")
BROKERS = ("redis", "rediss", "unix", *SENTINELS)
PORTS = {PLAIN: 25, STARTTLS: 587, TLS: 465}


class WebhookUrl(str):
    """`https://host/path`; `http` to this machine only. It is called as it stands, and nothing else is."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> WebhookUrl:
        """Raises ValueError, which says what is wrong with it."""
        url = urlsplit(text)
        host = _host(url)
        if url.scheme != "https" and not (url.scheme == "http" and host in LOCAL):
            raise ValueError("it begins with neither https:// nor, on this machine, http://")
        if "@" in url.netloc:
            raise ValueError("a user or a password has no place in it")
        if url.fragment:
            raise ValueError("nothing may follow a # in it")
        return cls(text)


class TracesUrl(str):
    """`http://collector:4318` or `https://…`: where spans are sent; what else it needs is in OTEL_*."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> TracesUrl:
        """Raises ValueError, which says what is wrong with it."""
        url = urlsplit(text)
        if url.scheme not in ("http", "https"):
            raise ValueError("it begins with neither http:// nor https://")
        _host(url)
        if "@" in url.netloc:
            raise ValueError("a user or a password has no place in it: OTEL_EXPORTER_OTLP_HEADERS has")
        if url.query or url.fragment:
            raise ValueError("nothing may follow its path")
        return cls(text)


class TilesUrl(str):
    """`https://host/{z}/{x}/{y}.png`: pieces of a map, of 256 pixels; `http` from this machine only.

    Whoever gives them sees which parts of the map are looked at, and by whose address.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> TilesUrl:
        """Raises ValueError, which says what is wrong with it."""
        url = urlsplit(text)
        host = _host(url)
        if url.scheme != "https" and not (url.scheme == "http" and host in LOCAL):
            raise ValueError("it begins with neither https:// nor, on this machine, http://")
        if "@" in url.netloc or set(url.netloc) & set("{}'\";, "):
            raise ValueError("its host is no plain host: no user, no password, no placeholder")
        if missing := [each for each in ("{z}", "{x}", "{y}") if each not in text]:
            raise ValueError(f"it lacks {', '.join(missing)}")
        return cls(text)

    @property
    def origin(self) -> str:
        """What the page may load pictures from."""
        url = urlsplit(self)
        return f"{url.scheme}://{url.netloc}"


class MailUrl(str):
    """`smtp+starttls://user@host:port`, `smtps://…`; `smtp://…` to this machine only."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> MailUrl:
        """Raises ValueError, which says what is wrong with it."""
        url = urlsplit(text)
        if url.scheme not in PORTS:
            raise ValueError(f"it begins with none of {', '.join(f'{each}://' for each in PORTS)}")
        host = _host(url)
        if url.scheme == PLAIN and host not in LOCAL:
            raise ValueError("smtp:// is for a server on this machine: over a network it needs TLS")
        if url.password is not None:
            raise ValueError("a password has no place in it: DISPATCHER_SMTP_PASSWORD_FILE names its file")
        if url.path.strip("/") or url.query or url.fragment:
            raise ValueError("nothing may follow its host and port")
        return cls(text)

    @property
    def scheme(self) -> str:
        """How it is secured."""
        return urlsplit(self).scheme

    @property
    def host(self) -> str:
        """The server."""
        return urlsplit(self).hostname or ""

    @property
    def port(self) -> int:
        """Its port; by default the one for how it is secured."""
        return urlsplit(self).port or PORTS[self.scheme]

    @property
    def user(self) -> str:
        """Who signs in; "": nobody."""
        return unquote(urlsplit(self).username or "")


class BrokerUrl(str):
    """`redis://host:6379/0`, `rediss://…`, `unix:///socket`; `redis+sentinel://host:26379,host/name`.

    A user and a password in it are those of the server.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> BrokerUrl:
        """Raises ValueError, which says what is wrong with it."""
        url = urlsplit(text)
        if url.scheme not in BROKERS:
            raise ValueError(f"it begins with none of {', '.join(f'{each}://' for each in BROKERS)}")
        if url.query or url.fragment:
            raise ValueError("nothing may come after its path")
        made = cls(text)
        if url.scheme == "unix":
            if url.netloc or len(url.path) < 2:
                raise ValueError("a socket is named as unix:///path")
            return made
        for each in made.hosts:
            _host(urlsplit(f"//{each}"))
        if made.sentinels and not made.master:
            raise ValueError("it names no primary: redis+sentinel://host:26379,host:26379/name")
        return made

    @property
    def scheme(self) -> str:
        """One of BROKERS."""
        return urlsplit(self).scheme

    @property
    def sentinels(self) -> bool:
        """Whether sentinels say which server it is."""
        return self.scheme in SENTINELS

    @property
    def hosts(self) -> list[str]:
        """Server or sentinels, each with its port where it has one."""
        return urlsplit(self).netloc.rpartition("@")[2].split(",")

    @property
    def login(self) -> str:
        """`user:password@`, as it stands; "" for none."""
        user, at, _ = urlsplit(self).netloc.rpartition("@")
        return user + at

    @property
    def path(self) -> str:
        """The socket, or what stands for the number of the database."""
        return urlsplit(self).path

    @property
    def master(self) -> str:
        """What the sentinels call the primary."""
        return self.path.strip("/") if self.sentinels else ""

    @property
    def shown(self) -> str:
        """Without what may be a password."""
        return f"{self.scheme}://{','.join(self.hosts)}{self.path}"


def _host(url: SplitResult) -> str:
    if not url.hostname or any(each.isspace() or not each.isprintable() for each in url.geturl()):
        raise ValueError("it names no host")
    if url.port == 0:
        raise ValueError("its port is 0")
    return url.hostname


class OidcRoles(str):
    """`group=role` or `group=role@market`, by comma: who of a directory is what here."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> OidcRoles:
        """Raises ValueError, which says which part is wrong."""
        for group, role, _ in cls(text)._parts():
            if not group or role not in ROLES:
                raise ValueError(f"'{group}={role}' is no group with a role (of {', '.join(ROLES)})")
        return cls(text)

    def of(self, groups: Iterable[object], markets: Sequence[str]) -> tuple[list[str], list[str]]:
        """The roles that these groups give, and the markets, of those there are, in which they give them all.

        A session has its roles in each of its markets. So they are those of the first market in which the
        groups give any, and the others are those where they give no less: nobody gets more than was said.
        """
        has, by_market = set(groups), dict[str, list[str]]()
        for market in markets:
            found = [role for group, role, only in self._parts() if group in has and only in ("", market)]
            by_market[market] = list(dict.fromkeys(found))
        roles = next(filter(None, by_market.values()), [])
        return roles, [each for each in markets if roles and set(roles) <= set(by_market[each])]

    def _parts(self) -> list[tuple[str, str, str]]:
        made = []
        for part in filter(None, (each.strip() for each in self.split(","))):
            group, _, rest = part.rpartition("=")
            role, _, market = rest.partition("@")
            made.append((group, role, market))
        return made

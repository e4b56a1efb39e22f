"""DISPATCHER_TRAVEL_URL: which kind of routing server is where."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

OSRM, VALHALLA = "osrm", "valhalla"
SCHEMES = tuple(f"{kind}+{scheme}" for kind in (OSRM, VALHALLA) for scheme in ("http", "https"))


class TravelUrl(str):
    """A routing server: `osrm+http://host:port/prefix`, without a slash at its end."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> TravelUrl:
        """Raises ValueError, which says what is wrong with it."""
        url = urlsplit(text)
        if url.scheme not in SCHEMES:
            raise ValueError(f"it begins with none of {', '.join(f'{each}://' for each in SCHEMES)}")
        return cls(f"{url.scheme}://{_host(url)}{url.path.rstrip('/')}")

    @property
    def kind(self) -> str:
        """Which kind of server."""
        return self.partition("+")[0]

    @property
    def base(self) -> str:
        """The URL that its paths are appended to."""
        return self.partition("+")[2]


def _host(url: SplitResult) -> str:
    """`host` or `host:port`. Raises ValueError."""
    if not url.hostname or any(each.isspace() or not each.isprintable() for each in url.geturl()):
        raise ValueError("it names no host")
    if "@" in url.netloc:
        raise ValueError("a user or a password has no place in it")
    if url.query or url.fragment:
        raise ValueError("nothing may follow its path: no ? and no #")
    if url.port == 0:
        raise ValueError("its port is 0")
    return url.netloc

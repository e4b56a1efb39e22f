"""Which addresses this service calls for others: those of the whole internet, and what a setting allows.

What somebody outside names as a URL must not reach what only this machine, or its network, can see.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
LOCAL_NAME = "localhost"  # and what is below it (RFC 6761)


class Networks(str):
    """`10.1.0.0/16,fd00::/8`: networks of ours that may be called, too; empty: none."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Networks:
        """Raises ValueError, which says which part is no network."""
        for part in cls(text)._parts():
            try:
                ipaddress.ip_network(part)
            except ValueError:
                raise ValueError(f"'{part}' is no network such as 10.1.0.0/16") from None
        return cls(text)

    def allow(self, address: str) -> bool:
        """Whether a connection to this address may be made: to all that it stands for."""
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return all(self._named(each) or _is_public(each) for each in _stands_for(found))

    def names(self, address: str) -> bool:
        """Whether it is in one of these networks: there, calls need no TLS."""
        try:
            return self._named(ipaddress.ip_address(address.partition("%")[0]))
        except ValueError:
            return False

    def refusal(self, url: str) -> str:
        """Why this URL is not called, as far as that is seen without asking for its host's address; or ""."""
        try:
            parts, host = _parted(url)
        except ValueError as error:
            return str(error)
        is_address = _is_address(host)
        if parts.scheme != "https":
            may_be_ours = self.names(host) if is_address else bool(self)
            if parts.scheme != "http" or not may_be_ours:
                return "it does not begin with https://"
        if is_address and not self.allow(host):
            return f"its host {host} is no public address"
        if host.rstrip(".").rpartition(".")[2] == LOCAL_NAME and not self:
            return f"its host {host} is this machine"
        return ""

    def _named(self, address: Address) -> bool:
        return any(address in ipaddress.ip_network(each) for each in self._parts())

    def _parts(self) -> Iterator[str]:
        return filter(None, (each.strip() for each in self.split(",")))


def _parted(url: str) -> tuple[SplitResult, str]:
    parts = urlsplit(url)
    host = parts.hostname
    if not url.isascii():
        raise ValueError("it has other characters than ASCII: write a host as xn--…, the rest with %")
    if not host or any(each.isspace() or not each.isprintable() for each in url):
        raise ValueError("it names no host")
    if "@" in parts.netloc:
        raise ValueError("a user or a password has no place in it")
    if "#" in url:
        raise ValueError("nothing may follow a # in it")
    if parts.port == 0:
        raise ValueError("its port is 0")
    if not _is_address(host) and _is_number(host):
        raise ValueError(f"its host {host} is an address in disguise")
    return parts, host


def _is_number(host: str) -> bool:
    """Whether some resolvers read it as an IPv4 address: `2130706433`, `0x7f.1`."""
    last = host.rstrip(".").rpartition(".")[2]
    return last.isdigit() or (last.startswith("0x") and all(each in "0123456789abcdef" for each in last[2:]))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _stands_for(address: Address) -> Iterator[Address]:
    """The address, and the IPv4 address that it wraps, if it wraps one."""
    yield address
    if isinstance(address, ipaddress.IPv4Address):
        return
    if address in NAT64:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    for inner in (address.ipv4_mapped, address.sixtofour, *(address.teredo or ())):
        if inner is not None:
            yield inner


def _is_public(address: Address) -> bool:
    mapped = isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None
    return mapped or (address.is_global and not address.is_multicast)

"""Where a Redis or Valkey is: one server, or those of a cluster that an address names."""

from __future__ import annotations

from urllib.parse import urlsplit

Place = tuple[str, int]
PORT = 6379


def servers_of(url: str) -> tuple[str, list[Place]]:
    """The URL of the first server that `url` names, and where each of them is; none where it is a socket.

    A cluster is `redis+cluster://user:password@host:port,host:port` (`rediss+cluster://` with TLS): whoever
    has the stream is found by asking any of them. Raises ValueError.
    """
    scheme, is_cluster, rest = url.partition("+cluster://")
    if not is_cluster:
        parts = urlsplit(url)
        return url, [(parts.hostname, parts.port or PORT)] if parts.hostname else []
    login, at, hosts = rest.rpartition("@")
    names = hosts.rstrip("/").split(",")
    found = [urlsplit(f"{scheme}://{each}") for each in names]
    places = [(each.hostname or "", each.port or PORT) for each in found]
    if not all(host for host, _ in places):
        raise ValueError("a server of the cluster has no host: redis+cluster://host:port[,host:port…]")
    return f"{scheme}://{login}{at}{names[0]}", places

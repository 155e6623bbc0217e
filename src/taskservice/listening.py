"""Listening sockets: a host as a person writes it, and the address that it then answers at."""

import socket

BACKLOG = 2048
"""How many connections wait to be accepted at most, as gunicorn has it."""

ANY_IPV4, ANY = "0.0.0.0", "::"  # noqa: S104
_LOOPBACK = {ANY_IPV4: "127.0.0.1", ANY: "::1"}


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on `host`, a name or an address; IPv6 with or without brackets.

    A name that has addresses of both families stands for the one of IPv4.
    `::` takes IPv4 as well where the system can. Raises `OSError`, whose
    `strerror` says why nobody can listen there.
    """
    try:
        family, address = _resolve(_bare(host), port)
        dual = address[0] == ANY and socket.has_dualstack_ipv6()
        return socket.create_server(address, family=family, backlog=BACKLOG, dualstack_ipv6=dual)
    except UnicodeError:
        raise OSError(socket.EAI_NONAME, "Name or service not known") from None
    except OSError as error:
        raise OSError(error.errno, (error.strerror or "").partition(" (")[0]) from None


def authority(host: str, port: int) -> str:
    """Return `host:port`, an IPv6 address in brackets (RFC 3986, section 3.2.2)."""
    bare = _bare(host)
    return f"[{bare}]:{port}" if ":" in bare else f"{bare}:{port}"


def local_authority(listener: socket.socket) -> str:
    """Return the host and port at which a socket is reached from this machine.

    Nothing can be sent to `0.0.0.0` and `::`, which stand for all of its addresses.
    """
    host, port = listener.getsockname()[:2]
    if host == ANY and not listener.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY):
        host = ANY_IPV4
    return authority(_LOOPBACK.get(host, host), port)


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str | int | bytes, ...]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    return family, address


def _bare(host: str) -> str:
    return host.removeprefix("[").removesuffix("]")

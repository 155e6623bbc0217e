"""Listening sockets: creates them from host and port, and formats their addresses."""

import socket

BACKLOG = 2048
"""The length of the accept queue, gunicorn's default."""

ANY_IPV4, ANY_IPV6 = "0.0.0.0", "::"  # noqa: S104
_LOOPBACK = {ANY_IPV4: "127.0.0.1", ANY_IPV6: "::1"}


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on `host`, a name or an address; IPv6 with or without brackets.

    A name with addresses of both families resolves to IPv4. `::` accepts IPv4
    too if the system supports it. Raises `OSError` with the reason in `strerror`.
    """
    try:
        family, address = _resolve(_without_brackets(host), port)
        dual = address[0] == ANY_IPV6 and socket.has_dualstack_ipv6()
        return socket.create_server(address, family=family, backlog=BACKLOG, dualstack_ipv6=dual)
    except UnicodeError:
        raise OSError(socket.EAI_NONAME, "Name or service not known") from None
    except OSError as error:
        raise OSError(error.errno, (error.strerror or "").partition(" (")[0]) from None


def authority(host: str, port: int) -> str:
    """Return `host:port`, an IPv6 address in brackets (RFC 3986, section 3.2.2)."""
    name = _without_brackets(host)
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"


def local_authority(listener: socket.socket) -> str:
    """Return the host and port at which this machine can connect to a socket.

    That is the loopback address for the wildcard addresses `0.0.0.0` and `::`.
    """
    host, port = listener.getsockname()[:2]
    if host == ANY_IPV6 and not listener.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY):
        host = ANY_IPV4
    return authority(_LOOPBACK.get(host, host), port)


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str | int | bytes, ...]]:
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = min(addresses, key=lambda info: info[0] != socket.AF_INET)
    return family, address


def _without_brackets(host: str) -> str:
    return host.removeprefix("[").removesuffix("]")

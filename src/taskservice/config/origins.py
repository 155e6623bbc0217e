"""Web origins (RFC 6454) of any scheme, as browsers and web views send them in `Origin`."""

import re
from ipaddress import IPv6Address

_DEFAULT_PORTS = {"http": 80, "https": 443}
_MAX_PORT = 65535

_is_origin = re.compile(
    r"([a-z][a-z0-9+.-]*)://([a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?"
).fullmatch


def normalize_origin(text: str) -> str:
    """Return the ASCII serialization of the origin `text` (RFC 6454, section 6.2).

    It is in lower case, with a compressed IPv6 address and without the
    scheme's default port. Raises `ValueError` if `text` is not an origin. An
    international host name must be in its ASCII form, as browsers send it.
    """
    match = _is_origin(text.lower())
    if match is None:
        raise ValueError("not an origin")
    scheme, host, digits = match.groups()
    host = f"[{IPv6Address(host[1:-1])}]" if host.startswith("[") else host
    port = int(digits or _DEFAULT_PORTS.get(scheme, 0))
    if port > _MAX_PORT:
        raise ValueError("not a port")
    is_default = digits is None or port == _DEFAULT_PORTS.get(scheme)
    return f"{scheme}://{host}" if is_default else f"{scheme}://{host}:{port}"

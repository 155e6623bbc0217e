"""Rate limits: requests by user, and failed authentications by client address (429)."""

import logging
import re
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple
from zlib import crc32

from flask import Flask, Response, current_app

from taskservice.adapters.http.protocol.problems import ProblemError
from taskservice.adapters.http.protocol.request import current_request
from taskservice.core.operations.rate_limits import RateLimit, RateLimitStatus

POLICY_NAME = "user"
_EXTENSION = "taskservice-limits"
_IPV6_PREFIX_LENGTH = 64

UNPARSED_ADDRESS_BUCKETS = 1024
"""The number of counters that all invalid addresses share."""

_with_port = re.compile(r"\[(.+)\](?::[0-9]*)?|([0-9.]+):[0-9]*").fullmatch

_log = logging.getLogger("taskservice")


class RateLimits(NamedTuple):
    """The two limits: requests by user, and failed authentications by address."""

    user: RateLimit
    address: RateLimit

    def install(self, app: Flask) -> None:
        """Apply these limits to `app`. Without them nothing is limited."""
        app.extensions[_EXTENSION] = self


def count_request() -> None:
    """Count a request of its owner, before its body is read. Raises `ProblemError` (429)."""
    request, limits = current_request(), _rate_limits()
    if limits is None or not hasattr(request, "owner"):
        return
    request.rate_limit_status = limits.user.hit(f"user:{request.owner}")
    _check(request.rate_limit_status, "user", request.owner, "too many requests")


def count_more(cost: int) -> None:
    """Count more of a request that was admitted, which may exceed the limit now."""
    request, limits = current_request(), _rate_limits()
    if limits is not None and cost:
        request.rate_limit_status = limits.user.hit(f"user:{request.owner}", cost)
        _log_excess(request.rate_limit_status, "user", request.owner)


def count_failed_authentication() -> None:
    """Count a failed authentication of this client address. Raises `ProblemError` (429)."""
    if (limits := _rate_limits()) is not None:
        network = client_network(current_request().remote_addr or "")
        status = limits.address.hit(f"address:{network}")
        _check(status, "address", network, "too many requests without a valid token")


def add_rate_limit_headers(response: Response) -> Response:
    """Add `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers, 3 and 4)."""
    if (status := current_request().rate_limit_status) is not None:
        quota, seconds = status.rate
        response.headers["RateLimit-Policy"] = f'"{POLICY_NAME}";q={quota};w={seconds}'
        response.headers["RateLimit"] = (
            f'"{POLICY_NAME}";r={status.remaining};t={status.reset_after}'
        )
    return response


def _check(status: RateLimitStatus, kind: str, name: str, detail: str) -> None:
    """Raise `ProblemError` (429) if the limit is exceeded."""
    _log_excess(status, kind, name)
    if status.is_exceeded:
        raise ProblemError(
            "too-many-requests", detail, headers={"Retry-After": str(status.reset_after)}
        )


def _log_excess(status: RateLimitStatus, kind: str, name: str) -> None:
    """Log that a limit is exceeded, the first time in a window."""
    if status.was_just_exceeded:
        request_id = current_request().request_id
        _log.info("rate limit exceeded", extra={"request_id": request_id, kind: name})


def client_network(address: str) -> str:
    """Return the address itself, or for IPv6 its /64 network, which one client often owns."""
    try:
        parsed = ip_address(_strip_port(address))
    except ValueError:
        return f"unparsed {crc32(address.encode()) % UNPARSED_ADDRESS_BUCKETS}"
    if isinstance(parsed, IPv6Address):
        prefix = int(parsed) >> _IPV6_PREFIX_LENGTH << _IPV6_PREFIX_LENGTH
        return str(parsed.ipv4_mapped or f"{IPv6Address(prefix)}/{_IPV6_PREFIX_LENGTH}")
    return str(parsed)


def _strip_port(address: str) -> str:
    """Return the address without the port and the IPv6 brackets that some proxies add."""
    match = _with_port(address)
    return match[1] or match[2] if match else address


def _rate_limits() -> RateLimits | None:
    limits: RateLimits | None = current_app.extensions.get(_EXTENSION)
    return limits

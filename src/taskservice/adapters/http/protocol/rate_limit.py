"""How often a user may ask, and how often an address may be refused (429)."""

import logging
import re
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple
from zlib import crc32

from flask import Flask, Response, current_app

from taskservice.adapters.http.protocol.problems import ProblemError
from taskservice.adapters.http.protocol.request import exchange
from taskservice.core.operations.rate_limits import RateLimit, RateLimitStatus

POLICY = "user"
_EXTENSION = "taskservice-limits"
_SUBSCRIBER_BITS = 64

UNPARSED = 1024
"""How many counters there are for what is said instead of an address."""

_with_port = re.compile(r"\[(.+)\](?::[0-9]*)?|([0-9.]+):[0-9]*").fullmatch

_log = logging.getLogger("taskservice")


class Limits(NamedTuple):
    """The two limits: requests by user, and tokens that were not verified by address."""

    user: RateLimit
    address: RateLimit

    def install(self, app: Flask) -> None:
        """Make these the limits of `app`; without any, nothing is limited."""
        app.extensions[_EXTENSION] = self


def count_request() -> None:
    """Count a request of its caller's, before its body is read. Raises `ProblemError` (429)."""
    asked, limits = exchange(), _limits()
    if limits is None or not hasattr(asked, "caller"):
        return
    asked.budget = limits.user.hit(f"user:{asked.caller}")
    _require(asked.budget, "user", asked.caller, "too many requests")


def count_failed_authentication() -> None:
    """Count a failed authentication of this client address. Raises `ProblemError` (429)."""
    if (limits := _limits()) is not None:
        subscriber = subscriber_of(exchange().remote_addr or "")
        budget = limits.address.hit(f"address:{subscriber}")
        _require(budget, "address", subscriber, "too many requests without a valid token")


def add_rate_limit_headers(response: Response) -> Response:
    """Say what the caller has left (draft-ietf-httpapi-ratelimit-headers, sections 3 and 4)."""
    if (budget := exchange().budget) is not None:
        quota, seconds = budget.rate
        response.headers["RateLimit-Policy"] = f'"{POLICY}";q={quota};w={seconds}'
        response.headers["RateLimit"] = f'"{POLICY}";r={budget.remaining};t={budget.reset_after}'
    return response


def _require(budget: RateLimitStatus, kind: str, name: str, detail: str) -> None:
    if not budget.is_exceeded:
        return
    if budget.was_just_exceeded:
        _log.info("rate limit reached", extra={"request_id": exchange().request_id, kind: name})
    raise ProblemError(
        "too-many-requests", detail, headers={"Retry-After": str(budget.reset_after)}
    )


def subscriber_of(address: str) -> str:
    """Return whose an address is: of IPv6 the /64, which one household or machine has whole."""
    try:
        parsed = ip_address(_without_port(address))
    except ValueError:
        return f"unparsed {crc32(address.encode()) % UNPARSED}"
    if isinstance(parsed, IPv6Address):
        prefix = int(parsed) >> _SUBSCRIBER_BITS << _SUBSCRIBER_BITS
        return str(parsed.ipv4_mapped or f"{IPv6Address(prefix)}/{_SUBSCRIBER_BITS}")
    return str(parsed)


def _without_port(address: str) -> str:
    """Return what stands before the port that some proxies say, out of the brackets of IPv6."""
    match = _with_port(address)
    return match[1] or match[2] if match else address


def _limits() -> Limits | None:
    limits: Limits | None = current_app.extensions.get(_EXTENSION)
    return limits

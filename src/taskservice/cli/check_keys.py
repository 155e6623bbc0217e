"""What `taskservice check` says of the keys that tokens are tested with, and of shared counters."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from taskservice.adapters.jwt.fetch import Fetched, fetch
from taskservice.adapters.jwt.jwks import read_key_set
from taskservice.adapters.ratelimit import IN_MEMORY, require_answer
from taskservice.cli.findings import Finding, clock_finding, fail, ok, warn
from taskservice.config import NO_LIMIT, Settings
from taskservice.core.errors import Unavailable

FETCH = "fetch TASKSERVICE_JWKS_URL from this machine with curl: it must answer 200, as a key set"
KINDS = "the issuer must sign with EdDSA (Ed25519), ES256 (P-256) or RS256 (2,048 bits)"
PLAIN = "who can change it on the way can make tokens: use https://"
ANYBODY = "set {} to what the issuer's tokens have, see docs/authentication.md"


def key_findings(settings: Settings) -> Iterator[Finding]:
    """Look at the secret, or fetch the key set, and compare the issuer's clock."""
    if settings.jwks_url is None:
        yield ok("keys", "a shared secret, for HS256")
        return
    try:
        fetched = fetch(settings.jwks_url)
        yield _keys_finding(fetched.body)
    except (Unavailable, ValueError) as error:
        yield fail("keys", f"the key set cannot be used: {error}", FETCH)
        return
    yield from _setting_findings(settings)
    yield from _issuer_clock(fetched)


def _keys_finding(document: bytes) -> Finding:
    found = read_key_set(document)
    counts = Counter(key.algorithm_name for key in found.keys)
    told = ", ".join(f"{count} for {name}" for name, count in sorted(counts.items()))
    if not found.keys:
        return fail("keys", f"the key set holds no usable key: {found.reasons()}", KINDS)
    ignored = f"; ignored: {found.reasons()}" if found.ignored else ""
    return ok("keys", f"the issuer has {told}{ignored}")


def _setting_findings(settings: Settings) -> Iterator[Finding]:
    if settings.jwks_url and settings.jwks_url.startswith("http://"):
        yield warn("keys", "the key set is fetched over http://", PLAIN)
    for name, value in (
        ("TASKSERVICE_JWT_ISSUER", settings.jwt_issuer),
        ("TASKSERVICE_JWT_AUDIENCE", settings.jwt_audience),
    ):
        if value is None:
            text = f"{name} is not set: tokens that the issuer made for others are taken as well"
            yield warn("keys", text, ANYBODY.format(name))


def _issuer_clock(fetched: Fetched) -> Iterator[Finding]:
    if fetched.date is not None:
        ahead = (fetched.date - datetime.now(UTC)).total_seconds()
        # A date has whole seconds: half a one is nobody's fault.
        yield clock_finding("the issuer's", ahead + 0.5)


def storage_findings(settings: Settings) -> Iterator[Finding]:
    """Look whether what is shared by all processes for the rate limit answers."""
    storage = settings.rate_limit_storage
    if settings.rate_limit == NO_LIMIT or storage == IN_MEMORY:
        return
    try:
        require_answer(storage)
    except Unavailable as error:
        text = f"requests cannot be counted together: {error}"
        advice = (
            "is the Redis up, and are address and password in TASKSERVICE_RATE_LIMIT_STORAGE right?"
        )
        yield warn("rates", text, advice)
    else:
        yield ok("rates", "the Redis counts")

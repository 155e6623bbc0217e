"""Checks of the verification keys, the issuer's clock and the rate limit store."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from taskservice.adapters.jwt.fetch import FetchedDocument, fetch
from taskservice.adapters.jwt.jwk_set import read_key_set
from taskservice.adapters.ratelimit import IN_MEMORY, require_available
from taskservice.cli.check_findings import Finding, clock_finding, fail, ok, warn
from taskservice.config import NO_LIMIT, Settings
from taskservice.core.errors import Unavailable

FETCH_ADVICE = (
    "fetch TASKSERVICE_JWKS_URL with curl from this machine: it must return 200 and a JWK Set"
)
ALGORITHM_ADVICE = "the issuer must sign with EdDSA (Ed25519), ES256 (P-256) or RS256 (2,048 bits)"
HTTPS_ADVICE = "use https://: anyone who can modify the response in transit can forge tokens"
UNSET_CLAIMS = {
    "TASKSERVICE_JWT_ISSUER": "tokens of other issuers with the same key set are accepted",
    "TASKSERVICE_JWT_AUDIENCE": "tokens that the issuer creates for other services are accepted",
}
CLAIM_ADVICE = "set {} to the value in the issuer's tokens, see docs/authentication.md"


def key_findings(settings: Settings) -> Iterator[Finding]:
    """Check the secret, or the key set and the issuer's clock."""
    if settings.jwks_url is None:
        yield ok("keys", "a shared secret for HS256")
        return
    try:
        fetched = fetch(settings.jwks_url)
        yield _keys_finding(fetched.body)
    except (Unavailable, ValueError) as error:
        yield fail("keys", f"the key set cannot be used: {error}", FETCH_ADVICE)
        return
    yield from _setting_findings(settings)
    yield from _issuer_clock_findings(fetched)


def _keys_finding(document: bytes) -> Finding:
    key_set = read_key_set(document)
    counts = Counter(key.algorithm_name for key in key_set.keys)
    usable = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    if not key_set.keys:
        text = f"the key set has no usable key: {key_set.reasons()}"
        return fail("keys", text, ALGORITHM_ADVICE)
    ignored = f"; ignored: {key_set.reasons()}" if key_set.ignored else ""
    return ok("keys", f"usable keys: {usable}{ignored}")


def _setting_findings(settings: Settings) -> Iterator[Finding]:
    if settings.jwks_url and settings.jwks_url.startswith("http://"):
        yield warn("keys", "the key set is fetched over http://", HTTPS_ADVICE)
    for name, value in (
        ("TASKSERVICE_JWT_ISSUER", settings.jwt_issuer),
        ("TASKSERVICE_JWT_AUDIENCE", settings.jwt_audience),
    ):
        if value is None:
            text = f"{name} is not set: {UNSET_CLAIMS[name]}"
            yield warn("keys", text, CLAIM_ADVICE.format(name))


def _issuer_clock_findings(fetched: FetchedDocument) -> Iterator[Finding]:
    if fetched.date is not None:
        ahead = (fetched.date - datetime.now(UTC)).total_seconds()
        # The Date header is truncated to whole seconds: add half a second.
        yield clock_finding("the issuer's", ahead + 0.5)


def rate_limit_findings(settings: Settings) -> Iterator[Finding]:
    """Check that the shared rate limit store is available."""
    storage = settings.rate_limit_storage
    if settings.rate_limit == NO_LIMIT or storage == IN_MEMORY:
        return
    try:
        require_available(storage)
    except Unavailable as error:
        text = f"the rate limit store is unavailable: {error}"
        advice = "check that Redis runs, and address and password in TASKSERVICE_RATE_LIMIT_STORAGE"
        yield warn("ratelimit", text, advice)
    else:
        yield ok("ratelimit", "the rate limit store is available")

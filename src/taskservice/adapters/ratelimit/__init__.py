"""Rate limit counters: in memory for each process, or in Redis for all processes."""

from taskservice.adapters.ratelimit.fallback_counters import FallbackCounters
from taskservice.adapters.ratelimit.memory_counters import MemoryCounters
from taskservice.core.clock import Clock
from taskservice.core.operations.rate_limits import Counters

IN_MEMORY = "memory://"
_SCHEMES = ("redis://", "rediss://")


def require_storage(address: str) -> None:
    """Raise `ValueError` unless `address` is valid and its package is installed. Do not connect."""
    if address == IN_MEMORY:
        return
    if not address.startswith(_SCHEMES):
        raise ValueError("must be memory://, or begin with redis:// or rediss://")
    try:
        _redis_counters(address)
    except ModuleNotFoundError:
        raise ValueError("needs the package redis: install taskservice[redis]") from None


def create_counters(address: str, clock: Clock) -> Counters:
    """Return the counters at `address`; if Redis is unavailable, they count in memory."""
    memory = MemoryCounters(clock)
    return (
        memory
        if address == IN_MEMORY
        else FallbackCounters(_redis_counters(address), memory, clock)
    )


def require_available(address: str) -> None:
    """Raise `Unavailable` if Redis is configured and not available."""
    if address != IN_MEMORY:
        _redis_counters(address).count("probe", 0, 1)


def _redis_counters(address: str) -> Counters:
    # The package redis is optional.
    from taskservice.adapters.ratelimit.redis_counters import RedisCounters  # noqa: PLC0415

    return RedisCounters(address)

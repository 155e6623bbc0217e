"""Where requests are counted: in each process for itself, or in one Redis for all."""

from taskservice.adapters.ratelimit.fallback_counters import FallbackCounters
from taskservice.adapters.ratelimit.memory_counters import MemoryCounters
from taskservice.core.clock import Clock
from taskservice.core.operations.rate_limits import Counters

IN_MEMORY = "memory://"
_SCHEMES = ("redis://", "rediss://")


def require_storage(address: str) -> None:
    """Raise `ValueError` unless requests can be counted at `address`, which may be out of reach."""
    if address == IN_MEMORY:
        return
    if not address.startswith(_SCHEMES):
        raise ValueError("must be memory://, or begin with redis:// or rediss://")
    try:
        _shared(address)
    except ModuleNotFoundError:
        raise ValueError("needs the package redis: install taskservice[redis]") from None


def counters_at(address: str, clock: Clock) -> Counters:
    """Return the counters at `address`; where they are away, counting goes on in memory."""
    memory = MemoryCounters(clock)
    return memory if address == IN_MEMORY else FallbackCounters(_shared(address), memory, clock)


def require_available(address: str) -> None:
    """Raise `Unavailable` where what is shared does not count at the moment."""
    if address != IN_MEMORY:
        _shared(address).count("probe", 0, 1)


def _shared(address: str) -> Counters:
    # Only who names a Redis needs its package.
    from taskservice.adapters.ratelimit.redis_counters import RedisCounters  # noqa: PLC0415

    return RedisCounters(address)

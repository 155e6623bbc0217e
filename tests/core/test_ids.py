"""Identifiers in order of creation."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from taskservice.core.ids import TaskIds

NOW = datetime(2026, 2, 9, 10, 0, 0, 123456, UTC)


def test_an_id_is_a_version_7_uuid_of_its_moment() -> None:
    """The layout is that of RFC 9562, section 5.7: 48 bits of milliseconds, version, variant."""
    new = TaskIds()(NOW)
    assert (new.version, new.variant) == (7, "specified in RFC 4122")
    assert new.int >> 80 == int(NOW.timestamp() * 1000)


def test_ids_of_one_millisecond_are_in_order_and_apart() -> None:
    """A counter orders ids within a millisecond."""
    new_id = TaskIds()
    ids = [new_id(NOW + timedelta(microseconds=n // 20)) for n in range(10_000)]
    assert ids == sorted(set(ids))


def test_threads_never_get_the_same_id() -> None:
    """Threads that share the maker get ids apart."""
    new_id = TaskIds()
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: new_id(NOW), range(20_000)))
    assert len(set(ids)) == 20_000


def test_two_processes_do_not_meet() -> None:
    """Two makers begin at random places of the same millisecond."""
    assert TaskIds()(NOW) != TaskIds()(NOW)

"""Task ids are UUIDs in order of creation."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from taskservice.core.ids import TimeOrderedIds

NOW = datetime(2026, 2, 9, 10, 0, 0, 123456, UTC)


def test_an_id_is_a_version_7_uuid_of_its_timestamp() -> None:
    """The layout is that of RFC 9562, section 5.7: 48 bits of milliseconds, version, variant."""
    new = TimeOrderedIds()(NOW)
    assert (new.version, new.variant) == (7, "specified in RFC 4122")
    assert new.int >> 80 == int(NOW.timestamp() * 1000)


def test_ids_of_one_millisecond_are_ordered_and_unique() -> None:
    """A counter orders ids within a millisecond."""
    new_id = TimeOrderedIds()
    ids = [new_id(NOW + timedelta(microseconds=n // 20)) for n in range(10_000)]
    assert ids == sorted(set(ids))


def test_ids_of_one_millisecond_have_its_microseconds() -> None:
    """In order of time. A clock that steps back within the millisecond changes no order."""
    new_id = TimeOrderedIds()
    ids = [new_id(NOW.replace(microsecond=one)) for one in (456001, 456007, 456003, 456999)]
    assert [one.int >> 64 & 0xFFF for one in ids] == [1, 7, 7, 999]
    assert ids == sorted(ids)
    assert new_id(NOW.replace(microsecond=455001)) < ids[0]


def test_ids_are_unique_across_threads() -> None:
    """Threads may share a generator."""
    new_id = TimeOrderedIds()
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: new_id(NOW), range(20_000)))
    assert len(set(ids)) == 20_000


def test_ids_are_unique_across_processes() -> None:
    """Two generators start the counter of the same millisecond at random."""
    assert TimeOrderedIds()(NOW) != TimeOrderedIds()(NOW)

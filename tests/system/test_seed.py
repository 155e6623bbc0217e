"""`taskservice seed`: what the demonstration shows."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.databases import sqlite_database
from tests.system.places import Place

from taskservice.core.entity import Entity
from taskservice.core.ids import first_id
from taskservice.core.sample_tasks import DELETED_WITHIN, sample_lists, sample_tasks, sample_trash
from taskservice.testing import ADA, START


def test_seed_adds_lists_sub_tasks_and_a_manual_order(tmp_path: Path) -> None:
    """Tasks in each list and the inbox, on three levels, some of which were moved."""
    place = Place(address := sqlite_database(tmp_path), address, tmp_path)
    added = place("seed", "--user", ADA, "--tasks", "300").stdout
    assert added == "added 300 tasks, 4 lists and 6 trashed tasks for ada\n"
    found = {one["id"]: one for one in map(json.loads, place.exported().splitlines())}
    lists = {one["id"] for one in found.values() if one["type"] == "list"}
    tasks = [one for one in found.values() if one["type"] == "task"]
    assert {one["list_id"] for one in tasks} == {None, *lists}
    assert {depth(one, found) for one in tasks} == {1, 2, 3}
    assert any(one["position"] != f"{one['id'].replace('-', '')[:12]}1" for one in tasks)


def test_seed_adds_trash(tmp_path: Path) -> None:
    """Deleted within the last 30 days, and after the last change."""
    place = Place(address := sqlite_database(tmp_path), address, tmp_path)
    place("seed", "--user", ADA, "--tasks", "300")
    found = [json.loads(line) for line in place.exported().splitlines()]
    trash = [one for one in found if one["type"] == "trashed-task"]
    first, *_, last = sorted(datetime.fromisoformat(one["trashed_at"]) for one in trash)
    assert len(trash) == 6
    assert timedelta() <= datetime.now(UTC) - last < datetime.now(UTC) - first < DELETED_WITHIN
    assert all(one["trashed_at"] >= one["updated_at"] for one in trash)


def test_seed_adds_series(tmp_path: Path) -> None:
    """Some have a history. In each, one task is open, and follows a closed one by the rule."""
    place = Place(address := sqlite_database(tmp_path), address, tmp_path)
    place("seed", "--user", ADA, "--tasks", "300")
    tasks = {one["id"]: one for one in map(json.loads, place.exported().splitlines())}
    series = Counter(one.get("series_id") for one in tasks.values())
    del series[None]
    assert max(series.values()) > 2
    for one in tasks.values():
        if following := tasks.get(one.get("next_id")):
            assert following["created_at"] == one["completed_at"]
            assert following["series_id"] == one["series_id"]
            assert following["occurrence"] > one["occurrence"]
    open_ = Counter(
        one["series_id"] for one in tasks.values() if one.get("recurrence") and not one["completed"]
    )
    assert set(open_.values()) == {1}


def depth(task: Any, found: dict[str, Any]) -> int:
    """Return the depth of a task; that of a task without a parent is 1."""
    return 1 + (depth(found[task["parent_id"]], found) if task["parent_id"] else 0)


def samples(seed: int) -> list[Entity]:
    """Return samples, with ids that are in order but not random."""
    numbers = count()

    def new_id(at: Any) -> UUID:
        return UUID(int=first_id(at).int | next(numbers))

    lists = sample_lists(ADA, START, new_id)
    tasks = sample_tasks(ADA, 100, START, new_id, seed, lists=lists)
    return [*lists, *tasks, *sample_trash(ADA, 5, START, new_id)]


def test_samples_are_reproducible_by_seed() -> None:
    """The same seed has the same samples, and another one has others."""
    assert samples(1) == samples(1)
    assert samples(1) != samples(2)

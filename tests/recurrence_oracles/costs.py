"""The most costly rule: a random search that goes on from each rule that costs more than others."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from time import monotonic, process_time
from typing import NamedTuple

from tests.recurrence_oracles.random_rules import random_day, random_rule

from taskservice.core.ids import TimeOrderedIds
from taskservice.core.recurrence_rule import parse_rule
from taskservice.core.recurring import REPEATS_FROM, new_recurrence_errors
from taskservice.core.successors import successor
from taskservice.core.task import NewTask, Task
from taskservice.testing import ADA, START

MAX_FAILED = 60
"""After how many changes in a row that cost no more the search begins again."""

NEW_ID = TimeOrderedIds()
OPEN = Task.create(ADA, START, NEW_ID, NewTask(title="Water the plants", due=START.date()))


class Question(NamedTuple):
    """A task that recurs, and how many days after its start it is closed."""

    rule: str
    start: date
    base: str
    days: int


def seconds_of(question: Question) -> float:
    """Return how long the CPU takes to set the recurrence, or to close the task: the longer."""
    task = replace(OPEN, recurrence=question.rule, repeats_from=question.base)
    task = replace(task, due=question.start, occurrence=question.start)
    closed_at = datetime.combine(question.start, time(), UTC) + timedelta(question.days)
    closed = replace(task, completed=True, completed_at=closed_at)
    parse_rule.cache_clear()
    begin = process_time()
    list(new_recurrence_errors({}, vars(task)))
    middle = process_time()
    successor(closed, NEW_ID)
    return max(middle - begin, process_time() - middle)


def best_of_three(question: Question) -> float:
    """Return how long the CPU takes where nothing else slows it down."""
    return min(seconds_of(question) for _ in range(3))


def most_costly(random: Random, seconds: float) -> Question:
    """Return the most costly question that is found within some seconds."""
    end = monotonic() + seconds
    costs: dict[Question, float] = {}
    while monotonic() < end:
        current, failed = _random_question(random), 0
        costs[current] = best_of_three(current)
        while failed < MAX_FAILED and monotonic() < end:
            changed = _changed(random, current)
            is_worse = seconds_of(changed) > costs[current]
            if is_worse and (cost := best_of_three(changed)) > costs[current]:
                costs[changed] = cost
                current, failed = changed, 0
            else:
                failed += 1
    return max(costs, key=costs.__getitem__)


def _random_question(random: Random) -> Question:
    rule = random_rule(random)
    counted = f"{rule};COUNT={random.randint(1, 999)}"
    days = random.choice((0, random.randint(0, 100_000)))
    return Question(
        random.choice((rule, counted)), random_day(random), random.choice(REPEATS_FROM), days
    )


def _changed(random: Random, question: Question) -> Question:
    """Return a question with one value of another, or with one part of its rule changed."""
    other = _random_question(random)
    field = random.choice(Question._fields)
    if field != "rule":
        return question._replace(**{field: getattr(other, field)})
    parts = dict(part.split("=") for part in question.rule.split(";"))
    others = dict(part.split("=") for part in other.rule.split(";"))
    name = random.choice(sorted(parts | others))
    mixed = {**parts, name: others.get(name, "")}
    rule = ";".join(f"{name}={value}" for name, value in mixed.items() if value)
    try:
        parse_rule(rule)
    except ValueError:
        return other
    return question._replace(rule=rule)

"""The corpus is what it is said to be: large, named, and for every threat."""

from collections import Counter

from tests.hostile.case import THREATS
from tests.hostile.corpus import CORPUS


def test_the_corpus_is_large() -> None:
    """At least 300 requests."""
    assert len(CORPUS) >= 300


def test_every_entry_has_a_name_of_its_own() -> None:
    """A failure names one entry."""
    assert [
        name for name, count in Counter(case.name for case in CORPUS).items() if count > 1
    ] == []


def test_every_entry_asks_what_no_other_asks() -> None:
    """No request is in the corpus twice."""
    requests = Counter(case.request for case in CORPUS)
    assert [case.name for case in CORPUS if requests[case.request] > 1] == []


def test_every_threat_is_represented() -> None:
    """All threats that a request can pose, and no other."""
    assert {case.fault for case in CORPUS} == THREATS.keys()


def test_every_invalid_request_names_its_faults() -> None:
    """A 422 for its values says which: it would not do to be refused for something else."""
    for case in CORPUS:
        assert case.at or case.problem != "invalid-request", case.name


def test_no_entry_is_a_defect() -> None:
    """No status from 500 on is right, but gunicorn's 501 to a coding that it does not know."""
    assert {case.status for case in CORPUS if case.status >= 500} == {501}
    assert all(case.by_server for case in CORPUS if case.status == 501)

"""A client is known by its address, in whatever form a proxy says it."""

import re
from dataclasses import replace

import pytest
from flask import Flask
from tests.field_reports.client_addresses import REPORTS
from tests.field_reports.report import Report
from tests.http_callers import SETTINGS

from taskservice.adapters.http.protocol.rate_limit import UNPARSED_ADDRESS_BUCKETS, client_network
from taskservice.adapters.memory import InMemoryStorage
from taskservice.app import ADDRESS_LIMIT_FACTOR, create_app

LIMITED = replace(SETTINGS, rate_limit="1/minute", proxies=1)


@pytest.fixture
def app() -> Flask:
    return create_app(InMemoryStorage().open_workspace, LIMITED)


def refused(app: Flask, address: str, times: int = 1) -> int:
    """Send requests without a token from behind a proxy, and return the last status."""
    for _ in range(times):
        forwarded = {"X-Forwarded-For": address}
        answer = app.test_client().get("/api/tasks/ada/tasks", headers=forwarded)
    return answer.status_code


@pytest.mark.parametrize("report", REPORTS, ids=str)
def test_an_address_is_one_in_every_form(app: Flask, report: Report[tuple[str, str], bool]) -> None:
    """Who has used up the limit of an address has it in its other forms, and nobody else has."""
    one, other = report.tried
    assert refused(app, one, ADDRESS_LIMIT_FACTOR) == 401
    assert refused(app, other) == (429 if report.right else 401)


def test_what_is_no_address_has_a_bounded_number_of_counters() -> None:
    """Nobody has the service count under names without number, or log what they say."""
    names = {client_network(f"no address {number}\r\n") for number in range(5_000)}
    assert len(names) <= UNPARSED_ADDRESS_BUCKETS
    assert all(re.fullmatch("unparsed [0-9]{1,4}", name) for name in names)

"""Types of tokens that people had trouble with elsewhere."""

import pytest
from tests.field_reports.report import Report
from tests.field_reports.token_types import TYPES
from tests.token_forge import headed, verifier

from taskservice.core.errors import Unauthenticated


def is_taken(token: str) -> bool:
    try:
        return verifier()(token).owner == "ada"
    except Unauthenticated:
        return False


@pytest.mark.parametrize("report", TYPES, ids=str)
def test_a_type_is_a_media_type(report: Report[str, bool]) -> None:
    """`JWT` and `at+jwt` are taken however they are written, and nothing else is."""
    assert is_taken(headed(typ=report.tried)) == report.right

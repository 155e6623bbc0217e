"""No schema has a name that a generator of clients gives to something else."""

import json
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from tests.field_reports.report import Report
from tests.field_reports.schema_names import MADE
from tests.openapi_operations import operations

from taskservice.app import openapi_document

DOCUMENT = json.loads(openapi_document())
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]


def words(name: str) -> str:
    """Return a name as the classes of generated code have it."""
    return "".join(part[:1].upper() + part[1:] for part in name.replace("-", "_").split("_"))


SUBJECTS = [
    *({"Tag": words(tag["name"])} for tag in DOCUMENT["tags"]),
    *(
        {"Schema": name, "Property": words(part)}
        for name, schema in SCHEMAS.items()
        for part in schema["properties"]
    ),
    *(
        {"Operation": words(one.name), "Parameter": words(parameter["name"])}
        for one in operations(DOCUMENT)
        for parameter in one.said["parameters"] or [{"name": ""}]
    ),
]


def names(made: str) -> Iterator[str]:
    """Yield what a generator makes of the document's names."""
    for pattern, subject in product(made.split(), SUBJECTS):
        if set(re.findall(r"{(\w+)}", pattern)) <= subject.keys():
            yield pattern.format(**subject)


@pytest.mark.parametrize("report", MADE, ids=str)
def test_no_schema_has_a_name_that_a_generator_makes(report: Report[str, frozenset[str]]) -> None:
    """Two declarations of one name do not compile."""
    made = set(names(report.tried))
    assert made
    assert made & SCHEMAS.keys() == report.right

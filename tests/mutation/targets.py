"""Which modules are broken, and the tests that hold each."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.mutation.operators import mutants

ROOT = Path(__file__).parents[2]
PACKAGE = Path("src", "taskservice")

LAYERS = ["tests/isolation/test_layers.py", "tests/isolation/test_row_security.py"]
OUTCOMES = [
    "tests/contract/test_kept.py",
    "tests/contract/test_outcomes.py",
    "tests/contract/test_failures.py",
]
CONTRACT = [
    *LAYERS,
    "tests/contract/test_statements.py",
    *OUTCOMES,
    "tests/contract/test_promises.py",
]
SCHEMA = ["tests/system/test_schema.py"]
START = ["tests/system/test_configuration.py"]
TOKENS = [
    "tests/http/tokens/test_token_form.py",
    "tests/http/tokens/test_token_claims.py",
    "tests/http/tokens/test_token_keys.py",
]
REPORTS = [
    "tests/field_reports/test_key_sets.py",
    "tests/field_reports/test_token_types.py",
]
TESTS = {
    "http/identity": [
        "tests/http/test_access.py",
        "tests/http/test_keys.py",
        "tests/http/limits/test_addresses.py",
        "tests/logs/test_requests.py",
        *LAYERS,
    ],
    "http/strict_json": ["tests/http/tokens/test_strict_json.py", *TOKENS],
    "http/tokens/claims": ["tests/http/tokens/test_token_claims.py"],
    "http/tokens/compact": TOKENS,
    "http/tokens/fetch": ["tests/http/tokens/test_token_fetch.py"],
    "http/tokens/header": [*TOKENS, *REPORTS],
    "http/tokens/issue": [*TOKENS, "tests/http/test_access.py"],
    "http/tokens/jwk": ["tests/http/tokens/test_token_keys.py", *REPORTS],
    "http/tokens/jwks": [
        "tests/http/tokens/test_token_keys.py",
        "tests/http/tokens/test_token_key_set.py",
        *REPORTS,
    ],
    "http/tokens/key_set": [
        "tests/http/tokens/test_token_key_set.py",
        "tests/http/tokens/test_token_keys.py",
    ],
    "http/tokens/memory": ["tests/http/tokens/test_token_memory.py"],
    "http/tokens/secret": ["tests/http/tokens/test_token_keys.py", *START],
    "http/tokens/verifier": [*TOKENS, "tests/http/tokens/test_token_memory.py"],
    "sql/address": ["tests/field_reports/test_addresses.py", *SCHEMA],
    "sql/answers": OUTCOMES,
    "sql/archive": ["tests/contract/test_archive.py", "tests/system/test_carrying.py"],
    "sql/changes": CONTRACT,
    "sql/engine": [
        "tests/contract/test_pool.py",
        *SCHEMA,
        "tests/isolation/test_roles.py",
        "tests/isolation/test_policies.py",
        "tests/contract/test_encoding.py",
        *CONTRACT,
    ],
    "sql/connecting": ["tests/field_reports/test_connections.py"],
    "sql/encoding": ["tests/contract/test_encoding.py", "tests/system/test_check.py"],
    "sql/failures": [*OUTCOMES, "tests/system/test_retries.py", *CONTRACT, *SCHEMA, *START],
    "sql/inspection": ["tests/system/test_check.py"],
    "sql/lists": [*CONTRACT, "tests/contract/test_plans.py"],
    "sql/migrating": ["tests/field_reports/test_foreign_databases.py", *SCHEMA],
    "sql/migrations/env": SCHEMA,
    "sql/migrations/versions/0001_tasks": [*SCHEMA, *CONTRACT],
    "sql/migrations/versions/0002_row_security": [
        "tests/isolation/test_catalogue.py",
        *LAYERS,
        *SCHEMA,
    ],
    "sql/migrations/versions/0003_expired_receipts": [
        "tests/isolation/test_catalogue.py",
        *SCHEMA,
    ],
    "sql/outcomes": OUTCOMES,
    "sql/outages": ["tests/contract/test_failures.py"],
    "sql/partitioning": ["tests/contract/test_partitions.py"],
    "sql/patience": OUTCOMES,
    "sql/policies": ["tests/isolation/test_policies.py", "tests/system/test_check.py"],
    "sql/pool": ["tests/contract/test_pool.py"],
    "sql/pruning": ["tests/isolation/test_row_security.py", "tests/system/test_retries.py"],
    "sql/readiness": ["tests/field_reports/test_readiness.py", "tests/system/test_check.py"],
    "sql/receipts": [*CONTRACT, "tests/system/test_retries.py"],
    "sql/roles": ["tests/isolation/test_roles.py"],
    "sql/rows": CONTRACT,
    "sql/schema": [
        *SCHEMA,
        "tests/field_reports/test_foreign_databases.py",
        "tests/isolation/test_catalogue.py",
        *START,
    ],
    "sql/sessions": [*CONTRACT, "tests/contract/test_plans.py"],
    "sql/sqlite": [
        "tests/contract/test_pool.py",
        "tests/field_reports/test_readiness.py",
        *SCHEMA,
        *OUTCOMES,
    ],
    "sql/statements": [*CONTRACT, "tests/contract/test_plans.py"],
    "sql/tables": [*SCHEMA, *CONTRACT],
    "sql/task_service": CONTRACT,
}
"""The tests that hold each module, those that are likely to notice first."""


class Job(NamedTuple):
    """One mutant, and the function that it is in."""

    module: str
    name: str
    source: str
    function: str


def sources(only: Sequence[str]) -> dict[str, str]:
    """Return the source of each module that has mutants whose names begin with one of `only`."""
    chosen = (
        module
        for module in TESTS
        if module.startswith(tuple(only)) or any(one.startswith(f"{module}:") for one in only)
    )
    return {module: (ROOT / PACKAGE / "adapters" / f"{module}.py").read_text() for module in chosen}


def jobs(only: Sequence[str]) -> Iterator[Job]:
    """Yield every mutant whose name begins with one of `only`."""
    for module, source in sources(only).items():
        for mutant in mutants(source):
            name = f"{module}: {mutant.name}"
            if name.startswith(tuple(only)):
                yield Job(module, name, mutant.source, f"{module}: {mutant.where}")

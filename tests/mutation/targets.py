"""Which modules are broken, and the tests that hold each."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.mutation.operators import mutants

ROOT = Path(__file__).parents[2]
PACKAGE = Path("src", "taskservice")

LAYERS = ["tests/isolation/test_layers.py", "tests/isolation/test_row_security.py"]
OUTCOMES = [
    "tests/contract/test_commit_outcome.py",
    "tests/contract/test_outcomes.py",
    "tests/contract/test_failures.py",
]
CONTRACT = [
    *LAYERS,
    "tests/contract/test_statements.py",
    *OUTCOMES,
    "tests/contract/test_contract.py",
]
BATCHES = ["tests/contract/test_write_buffer.py", "tests/contract/test_batch_failures.py"]
CHANGE_LOG = "tests/system/test_change_log.py"
SCHEMA = ["tests/system/test_schema.py"]
COMPATIBILITY = ["tests/compatibility/test_records.py"]
FORMS = ["tests/compatibility/test_forms.py"]
TREES = ["tests/planning/test_subtasks.py", "tests/planning/test_lists.py"]
RECURRENCE = ["tests/planning/test_recurrence.py"]
PLANNING = ["tests/planning/test_due.py", "tests/planning/test_zone_data.py"]
START = ["tests/system/test_configuration.py"]
TOKENS = [
    "tests/jwt_verification/test_token_form.py",
    "tests/jwt_verification/test_token_claims.py",
    "tests/jwt_verification/test_token_keys.py",
]
REPORTS = ["tests/field_reports/test_key_sets.py", "tests/field_reports/test_token_types.py"]
TESTS = {
    "adapters/http/protocol/authorization": [
        "tests/http/test_authorization.py",
        "tests/http/test_idempotency_keys.py",
        "tests/http/limits/test_addresses.py",
        "tests/logs/test_requests.py",
        *LAYERS,
    ],
    "adapters/http/api/batch": ["tests/sync/test_batch.py", "tests/http/test_batch.py"],
    "adapters/http/api/batch_schemas": ["tests/sync/test_batch.py", "tests/http/test_batch.py"],
    "adapters/http/api/commands": ["tests/sync/test_batch.py", "tests/http/test_batch.py"],
    "adapters/http/api/sync_tokens": ["tests/fuzz/test_parsers.py"],
    "strict_json": ["tests/jwt_verification/test_strict_json.py", *TOKENS],
    "adapters/jwt/claims": ["tests/jwt_verification/test_token_claims.py"],
    "adapters/jwt/compact": TOKENS,
    "adapters/jwt/fetch": ["tests/jwt_verification/test_token_fetch.py"],
    "adapters/jwt/jose_header": [*TOKENS, *REPORTS],
    "adapters/jwt/issue": [*TOKENS, "tests/http/test_authorization.py"],
    "adapters/jwt/jwk": ["tests/jwt_verification/test_token_keys.py", *REPORTS],
    "adapters/jwt/jwk_set": [
        "tests/jwt_verification/test_token_keys.py",
        "tests/jwt_verification/test_token_key_set.py",
        *REPORTS,
    ],
    "adapters/jwt/key_set": [
        "tests/jwt_verification/test_token_key_set.py",
        "tests/jwt_verification/test_token_keys.py",
    ],
    "adapters/jwt/verification_cache": ["tests/jwt_verification/test_verification_cache.py"],
    "adapters/jwt/shared_secret": ["tests/jwt_verification/test_token_keys.py", *START],
    "adapters/jwt/verifier": [*TOKENS, "tests/jwt_verification/test_verification_cache.py"],
    "adapters/sql/connection/address": ["tests/field_reports/test_addresses.py", *SCHEMA],
    "adapters/sql/connection/retries": OUTCOMES,
    "adapters/sql/storage/heads": [*CONTRACT, "tests/contract/test_write_locks.py", *OUTCOMES],
    "adapters/sql/storage/write_buffer": [*BATCHES, "tests/contract/test_round_trips.py"],
    "adapters/sql/storage/written": [*OUTCOMES, *BATCHES],
    "adapters/sql/storage/log": [
        *CONTRACT,
        "tests/contract/test_write_locks.py",
        "tests/contract/test_round_trips.py",
        "tests/contract/test_plans.py",
        "tests/contract/test_trash_outcomes.py",
        "tests/contract/test_trash_plans.py",
    ],
    "adapters/sql/storage/log_queries": [
        "tests/contract/test_contract.py",
        "tests/contract/test_plans.py",
        "tests/contract/test_trash_plans.py",
        *LAYERS,
    ],
    "adapters/sql/storage/owner_data": [
        "tests/contract/test_owner_data.py",
        "tests/system/test_import_order.py",
        "tests/system/test_export_import.py",
    ],
    "adapters/sql/storage/retryable_writes": [*CONTRACT, *TREES],
    "adapters/sql/engine": [
        "tests/contract/test_pool.py",
        *SCHEMA,
        "tests/isolation/test_roles.py",
        "tests/isolation/test_policies.py",
        "tests/contract/test_encoding.py",
        *CONTRACT,
    ],
    "adapters/sql/checks/change_log": [CHANGE_LOG, "tests/system/test_check.py"],
    "adapters/sql/checks/connectivity": ["tests/field_reports/test_connections.py"],
    "adapters/sql/checks/encoding": [
        "tests/contract/test_encoding.py",
        "tests/system/test_check.py",
    ],
    "adapters/sql/connection/errors": [
        *OUTCOMES,
        "tests/system/test_retries.py",
        *CONTRACT,
        *SCHEMA,
        *START,
    ],
    "adapters/sql/checks/database_info": ["tests/system/test_check.py"],
    "adapters/sql/storage/conditions": [*CONTRACT, *PLANNING, "tests/contract/test_plans.py"],
    "adapters/sql/storage/queries": [*CONTRACT, "tests/contract/test_plans.py"],
    "adapters/sql/storage/trees": [
        "tests/contract/test_contract.py",
        *TREES,
        "tests/contract/test_plans.py",
    ],
    "adapters/sql/storage/labels": ["tests/planning/test_labels.py"],
    "adapters/sql/storage/trash": [
        *CONTRACT,
        "tests/contract/test_trash_outcomes.py",
        "tests/contract/test_trash_plans.py",
        "tests/isolation/test_trash.py",
    ],
    "adapters/sql/admin/migrate": [
        "tests/contract/test_pool.py",
        "tests/field_reports/test_foreign_databases.py",
        *SCHEMA,
    ],
    "adapters/sql/migrations/env": SCHEMA,
    "adapters/sql/migrations/versions/0001_tasks": [*SCHEMA, *CONTRACT],
    "adapters/sql/migrations/versions/0002_row_security": [
        "tests/isolation/test_catalogue.py",
        *LAYERS,
        *SCHEMA,
    ],
    "adapters/sql/migrations/versions/0003_expired_receipts": [
        "tests/isolation/test_catalogue.py",
        *SCHEMA,
    ],
    "adapters/sql/migrations/versions/0004_search_text": SCHEMA,
    "adapters/sql/migrations/versions/0005_idempotency_keys": [*SCHEMA, *COMPATIBILITY],
    "adapters/sql/migrations/versions/0006_priority": SCHEMA,
    "adapters/sql/migrations/versions/0007_planning": [*SCHEMA, *FORMS, *COMPATIBILITY, *PLANNING],
    "adapters/sql/migrations/versions/0008_lists": [
        *SCHEMA,
        *FORMS,
        "tests/system/test_upgrade.py",
        "tests/isolation/test_catalogue.py",
    ],
    "adapters/sql/migrations/versions/0009_recurrence": [
        *SCHEMA,
        *FORMS,
        "tests/system/test_upgrade.py",
        "tests/contract/test_plans.py",
    ],
    "adapters/sql/migrations/versions/0010_change_log": [
        *SCHEMA,
        "tests/system/test_upgrade.py",
        "tests/isolation/test_catalogue.py",
    ],
    "adapters/sql/migrations/versions/0011_trash": [
        *SCHEMA,
        "tests/system/test_upgrade.py",
        "tests/isolation/test_catalogue.py",
        "tests/contract/test_trash_table.py",
        "tests/contract/test_trash_plans.py",
    ],
    "adapters/sql/connection/commit_outcome": OUTCOMES,
    "adapters/sql/connection/error_codes": ["tests/contract/test_failures.py"],
    "adapters/sql/admin/partition": [
        "tests/contract/test_partitions.py",
        "tests/system/test_upgrade.py",
    ],
    "adapters/sql/connection/timeouts": OUTCOMES,
    "adapters/sql/checks/row_security": [
        "tests/isolation/test_policies.py",
        "tests/system/test_check.py",
    ],
    "adapters/sql/connection/pool_metrics": ["tests/contract/test_pool.py"],
    "adapters/sql/admin/rezone": PLANNING,
    "adapters/sql/admin/forget_changes": [CHANGE_LOG, "tests/contract/test_contract.py"],
    "adapters/sql/admin/table_locks": [CHANGE_LOG, "tests/contract/test_partitions.py"],
    "adapters/sql/admin/prune": [
        "tests/contract/test_contract.py",
        "tests/contract/test_prune_trash.py",
        CHANGE_LOG,
        "tests/system/test_trash.py",
        "tests/isolation/test_row_security.py",
        "tests/system/test_retries.py",
    ],
    "adapters/sql/checks/readiness": [
        "tests/field_reports/test_readiness.py",
        "tests/system/test_check.py",
    ],
    "adapters/sql/storage/idempotency": [*CONTRACT, "tests/system/test_retries.py"],
    "adapters/sql/checks/roles": ["tests/isolation/test_roles.py"],
    "adapters/sql/storage/mapping": CONTRACT,
    "adapters/sql/storage/rows": CONTRACT,
    "adapters/sql/schema": [
        *SCHEMA,
        "tests/field_reports/test_foreign_databases.py",
        "tests/isolation/test_catalogue.py",
        *START,
    ],
    "adapters/sql/connection/sessions": [
        *CONTRACT,
        "tests/contract/test_plans.py",
        *TREES,
        *BATCHES,
    ],
    "adapters/sql/connection/sqlite": [
        "tests/contract/test_pool.py",
        "tests/field_reports/test_readiness.py",
        *SCHEMA,
        *OUTCOMES,
    ],
    "adapters/sql/connection/compiled_statements": [*CONTRACT, "tests/contract/test_plans.py"],
    "adapters/sql/column_types": [*SCHEMA, *CONTRACT],
    "adapters/sql/tables": [*SCHEMA, *CONTRACT],
    "adapters/sql/storage/repository": [*CONTRACT, *TREES, *RECURRENCE, *BATCHES],
    "core/batch": ["tests/core/test_batch.py", "tests/sync/test_batch.py", *BATCHES],
    "core/changes": ["tests/contract/test_contract.py"],
    "core/history": ["tests/contract/test_contract.py"],
    "core/label_rename": ["tests/planning/test_labels.py", "tests/contract/test_contract.py"],
    "core/summary": ["tests/contract/test_contract.py"],
    "core/sync": ["tests/contract/test_contract.py"],
    "core/occurrences": ["tests/core/test_occurrences.py", *RECURRENCE],
    "core/recurrence_rule": ["tests/core/test_recurrence_rule.py", *RECURRENCE],
    "core/recurring": [
        "tests/core/test_series.py",
        *RECURRENCE,
        "tests/contract/test_contract.py",
        "tests/system/test_export_import.py",
    ],
    "core/series": [
        "tests/core/test_series.py",
        *RECURRENCE,
        "tests/contract/test_contract.py",
        "tests/contract/test_round_trips.py",
    ],
    "core/successors": ["tests/core/test_series.py", *RECURRENCE],
    "core/tasks": [*TREES, "tests/planning/test_order.py", *RECURRENCE],
    "core/trash": ["tests/contract/test_contract.py", "tests/contract/test_prune_trash.py"],
    "core/trashed_task": ["tests/contract/test_contract.py", "tests/contract/test_trash_table.py"],
    "core/undo": ["tests/contract/test_contract.py", "tests/contract/test_trash_outcomes.py"],
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
    return {module: (ROOT / PACKAGE / f"{module}.py").read_text() for module in chosen}


def jobs(only: Sequence[str]) -> Iterator[Job]:
    """Yield every mutant whose name begins with one of `only`."""
    for module, source in sources(only).items():
        for mutant in mutants(source):
            name = f"{module}: {mutant.name}"
            if name.startswith(tuple(only)):
                yield Job(module, name, mutant.source, f"{module}: {mutant.where}")

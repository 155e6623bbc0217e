"""A new field breaks no adapter that keeps the port."""

from pathlib import Path

from tests.growth.scratch import add_rating, scratch_package
from tests.markdown_code import DOCS, files
from tests.testing.nested import run_pytest

PAGE = files((DOCS / "adapters.md").read_text())
OF_FIELDS = "field or query"
"""The tests of the contract that a field may fail."""

CONTRACTS = ["built_in_adapters.py", "test_folder_storage.py"]


def test_every_adapter_passes_the_contract_with_the_field(tmp_path: Path) -> None:
    """Memory, SQLite, and without a change the adapter of docs/adapters.md."""
    scratch = scratch_package(tmp_path)
    add_rating(scratch)
    for name in ("folder_storage.py", "test_folder_storage.py"):
        (scratch.folder / name).write_text(PAGE[name])
    report = run_pytest(scratch.folder, tmp_path / "report.xml", *CONTRACTS, "-k", OF_FIELDS)
    assert set(report.counts) == {"passed"}, report.text
    found = {(case.module, case.name) for case in report.cases}
    modules = {name.removesuffix(".py") for name in CONTRACTS}
    assert {(module, "test_every_field_is_stored") for module in modules} <= found

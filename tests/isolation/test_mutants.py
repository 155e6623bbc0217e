"""The lists of mutation testing are complete: security modules, and surviving mutants."""

import builtins
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.mutation.cleanup import DATABASES, ROLES, clean_up
from tests.mutation.coverage import CALLED, covering_tests, instrumented
from tests.mutation.operators import mutants
from tests.mutation.run import listed, servers
from tests.mutation.targets import PACKAGE, ROOT, TESTS, jobs
from tests.postgres import Databases
from tests.processes import run

SECURITY_MODULES = (
    "adapters/sql/**/*.py",
    "adapters/jwt/*.py",
    "adapters/http/protocol/authorization.py",
    "strict_json.py",
)


def test_every_security_module_is_mutated() -> None:
    """The SQL adapter, authorization, and all that verifies tokens."""
    found = {
        file.relative_to(ROOT / PACKAGE).with_suffix("").as_posix()
        for files in SECURITY_MODULES
        for file in (ROOT / PACKAGE).glob(files)
        if any(mutants(file.read_text()))
    }
    assert found <= TESTS.keys()


def test_a_mutant_is_imported_in_its_process(tmp_path: Path) -> None:
    """The changed module takes the place of the installed one, also outside of `adapters`."""
    code = (
        "from tests.mutation.run_tests import patched_modules\n"
        "from tests.mutation.targets import sources\n"
        "found = sources(['strict_json', 'adapters/jwt/compact'])\n"
        "changed = {module: f'{text}\\nMUTANT = True' for module, text in found.items()}\n"
        "with patched_modules(changed):\n"
        "    from taskservice import strict_json\n"
        "    from taskservice.adapters.jwt import compact\n"
        "    print(strict_json.MUTANT, compact.MUTANT)\n"
    )
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    result = run([sys.executable, "-c", code], tmp_path, **environment)
    assert (result.stdout, result.stderr) == ("True True\n", "")


@pytest.mark.lengthy
def test_every_listed_survivor_exists() -> None:
    """The list matches the code, and mutants have distinct names."""
    modules = {name.partition(":")[0] for name in listed()}
    names = [job.name for job in jobs(sorted(modules))]
    assert len(set(names)) == len(names)
    assert listed() <= set(names)


MADE = '''
"""A module."""
class Shelf:
    def put(self, book):
        """Put."""
        return self.find(book)
    def find(self, book):
        return book
'''


def test_instrumented_code_records_the_called_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    """By module and function, without changing what the code does."""
    called: set[str] = set()
    monkeypatch.setattr(builtins, CALLED, called, raising=False)
    space: dict[str, Any] = {}
    exec(instrumented("library", MADE), space)  # noqa: S102
    assert called == set()
    assert space["Shelf"]().find(1) == 1
    assert called == {"library: Shelf.find"}
    assert space["Shelf"]().put(2) == 2
    assert called == {"library: Shelf.put", "library: Shelf.find"}
    assert space["Shelf"].put.__doc__ == "Put."


def test_the_nearest_tests_are_those_that_call_the_function() -> None:
    """The fastest first, up to a limit."""
    coverage = {"library: find": ["a.py::one", "b.py::two", "a.py::three", "a.py::four"]}
    assert covering_tests(coverage, "library: find", ["a.py"], 2) == ["a.py::one", "a.py::three"]
    assert covering_tests(coverage, "library: module", ["a.py"], 2) == []


def test_leftovers_of_mutants_are_removed() -> None:
    """Databases in use, and roles with objects and privileges."""
    with servers(1) as (server,):
        database = Databases(server).create_database()
        with psycopg.connect(database, autocommit=True) as used:
            used.execute('CREATE ROLE "Odd role"')
            used.execute('CREATE TABLE kept AS SELECT 1; ALTER TABLE kept OWNER TO "Odd role"')
            used.execute('GRANT ALL ON DATABASE postgres TO "Odd role"')
            clean_up(server)
        with psycopg.connect(server) as looking:
            assert looking.execute(DATABASES).fetchall() == []
            assert looking.execute(ROLES).fetchall() == []

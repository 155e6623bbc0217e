"""The list of what is mutated is whole: no module of the locks is left out, no reason outlived."""

from tests.mutation.operators import mutants
from tests.mutation.run import PACKAGE, ROOT, TESTS, jobs, listed

ADAPTERS = ROOT / PACKAGE / "adapters"


def test_no_module_of_the_locks_is_left_out() -> None:
    """Whatever can be broken in the SQL adapter, and in what reads tokens, is."""
    found = {
        file.relative_to(ADAPTERS).with_suffix("").as_posix()
        for folder in ("sql", "http/tokens")
        for file in (ADAPTERS / folder).rglob("*.py")
        if any(mutants(file.read_text()))
    }
    assert found <= TESTS.keys()


def test_every_listed_survivor_is_a_mutant_that_there_is() -> None:
    """A reason goes with the code that it was for; and no two mutants are called the same."""
    modules = {name.partition(":")[0] for name in listed()}
    names = [job.name for module in modules for job in jobs(module)]
    assert len(set(names)) == len(names)
    assert listed() <= set(names)

"""After a restore, a client that followed the changes is told so, or goes on as if nothing was."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from tests.faults import restores
from tests.faults.postgres_crashes import FragileServer, Restore
from tests.faults.restores import SAVES, Outcome, Save, User
from tests.faults.targets import Target, direct

pytestmark = pytest.mark.lengthy

Scenario = Callable[[User, Callable[[], Restore]], Outcome]

EXPIRED: dict[str, Scenario] = {
    "from before the token": restores.restored_before,
    "between the token and what its page showed": restores.restored_between,
    "and written again under the same numbers": restores.written_again,
}


@pytest.fixture(scope="module")
def target(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: FragileServer
) -> Iterator[Target]:
    with direct(Path(tmp_path_factory.mktemp("restores")), postgres_server) as target:
        yield target


@pytest.fixture
def user(target: Target) -> User:
    """A user with nothing yet."""
    return User(target, f"u{uuid4().hex}")


@pytest.mark.parametrize("save", SAVES.values(), ids=SAVES)
@pytest.mark.parametrize("scenario", EXPIRED.values(), ids=EXPIRED)
def test_a_client_that_saw_what_is_undone_begins_anew(
    target: Target, user: User, tmp_path: Path, save: Save, scenario: Scenario
) -> None:
    """It is told 410, and has what is there after that."""
    assert scenario(user, partial(save, target, tmp_path)).status == 410
    user.copy = user.copy._replace(token=None)
    assert user.sync() == 200
    assert not user.missed()


@pytest.mark.parametrize("save", SAVES.values(), ids=SAVES)
def test_a_restore_from_after_the_token_is_not_noticed(
    target: Target, user: User, tmp_path: Path, save: Save
) -> None:
    """The client gets what has changed since, and keeps the rest."""
    outcome = restores.restored_after(user, partial(save, target, tmp_path))
    assert outcome == Outcome(200, [])
    assert len(user.copy.entities) == 2

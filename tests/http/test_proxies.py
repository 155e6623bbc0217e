"""What stands in front: believed as far as the setting says, and no further."""

from dataclasses import replace
from typing import Any

import pytest
from tests.http_callers import SETTINGS, ApiClient, application

from taskservice.config import ConfigError, Settings
from taskservice.core.workspace import OpenWorkspace
from taskservice.testing import ADA

GIVEN = {"DATABASE_URL": "sqlite:///x.db", "TASKSERVICE_JWT_SECRET": "0123456789" * 4}


def created(open_workspace: OpenWorkspace, proxies: int, **headers: str) -> Any:
    """Create a task behind that many trusted proxies."""
    app = application(open_workspace, replace(SETTINGS, proxies=proxies))
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ApiClient(app.test_client(), ADA)("POST", json={"title": "Buy milk"}, headers=named)


@pytest.mark.parametrize(
    ("proxies", "prefix", "expected"),
    [
        (0, "/tasks", ""),
        (1, "/tasks", "/tasks"),
        (1, "/evil, /tasks", "/tasks"),
        (2, "/evil, /outer, /inner", "/outer"),
        (2, "/tasks", ""),
        (1, "/a task's", "/a%20task's"),
        (1, "/caf%C3%A9", "/caf%C3%A9"),
        (1, "/100%", "/100%25"),
        (1, "/tasks?a#b", "/tasks%3Fa%23b"),
    ],
)
def test_the_prefix_of_a_trusted_proxy_leads_back_through_it(
    open_workspace: OpenWorkspace, proxies: int, prefix: str, expected: str
) -> None:
    """`Location` begins with the prefix that the outermost trusted proxy has said."""
    answer = created(open_workspace, proxies, X_Forwarded_Prefix=prefix)
    assert answer.headers["Location"].startswith(f"{expected}/api/tasks/ada/tasks/")


def test_no_header_of_a_proxy_names_the_caller(open_workspace: OpenWorkspace) -> None:
    """Trusted or not: who calls is said by the token alone."""
    answer = created(open_workspace, 1, X_User_ID="bob", X_Original_URL="/api/tasks/bob/tasks")
    assert (answer.status_code, answer.json["user_id"]) == (201, ADA)


@pytest.mark.parametrize("value", ["-1", "10", "one", "1.0", "１"])
def test_the_setting_is_a_small_number(value: str) -> None:
    """Anything else is told at the start."""
    with pytest.raises(
        ConfigError, match="TASKSERVICE_PROXIES must be the number of trusted proxies"
    ):
        Settings.from_environment({**GIVEN, "TASKSERVICE_PROXIES": value})


def test_no_proxy_is_trusted_by_default() -> None:
    """None by default; what is set is taken."""
    assert Settings.from_environment(GIVEN).proxies == 0
    assert Settings.from_environment({**GIVEN, "TASKSERVICE_PROXIES": "2"}).proxies == 2

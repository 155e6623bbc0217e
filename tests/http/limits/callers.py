"""Those who ask too often."""

from typing import Any

from flask import Flask
from tests.http_callers import ApiClient

QUOTA = 5
PATH = "/api/tasks/ada/tasks"
CHANGES = "/api/tasks/ada/changes"
PUBLIC = ["/", "/livez", "/readyz", "/openapi.json", "/docs", "/problems/too-many-requests"]
BAD = "Bearer x.y.z"


def use_up(caller: ApiClient) -> None:
    """Send as many requests as a window takes."""
    for _ in range(QUOTA):
        assert caller("GET").status_code == 200


def refuse(app: Flask, times: int, address: str = "192.0.2.1", said: str | None = BAD) -> Any:
    """Send requests without a valid token from an address, and return the last answer."""
    headers = {"Authorization": said} if said else {}
    for _ in range(times):
        place = {"REMOTE_ADDR": address}
        answer = app.test_client().get(PATH, headers=headers, environ_base=place)
    return answer

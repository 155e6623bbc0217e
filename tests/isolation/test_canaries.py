"""The watch for leaks: it sees what it should, in each of the places that it watches."""

import logging
from collections.abc import Callable

import pytest
from flask import Flask
from tests.canaries import Leaks, require_none, require_none_in_log
from tests.http_callers import token_of
from tests.support import ADA, PASSWORD, SECRET

SECRETS = [SECRET, PASSWORD, token_of(ADA), "Buy milk"]
_log = logging.getLogger("taskservice")


def by_message(secret: str) -> None:
    _log.debug("the secret is %s", secret)


def by_field(secret: str) -> None:
    _log.info("a secret", extra={"reason": secret})


def by_traceback(secret: str) -> None:
    try:
        raise ValueError(secret)
    except ValueError:
        _log.exception("a defect")


def by_library(secret: str) -> None:
    logging.getLogger("somebody.else").warning(secret)


def by_error_body(secret: str) -> None:
    app = Flask("leaky")
    app.add_url_rule("/", view_func=lambda: (secret, 404))
    app.test_client().get("/")


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("leak", [by_message, by_field, by_traceback, by_library, by_error_body])
def test_a_leak_is_seen(leaks: Leaks, leak: Callable[[str], None], secret: str) -> None:
    """Wherever it goes: a log's message, field or traceback, ours or a library's, or an error."""
    leak(secret)
    assert leaks.found
    leaks.found.clear()


def test_a_success_may_show_what_is_the_callers(leaks: Leaks) -> None:
    """A task's title in a 200 is no leak."""
    app = Flask("honest")
    app.add_url_rule("/", view_func=lambda: "Buy milk")
    app.test_client().get("/")
    assert not leaks.found


@pytest.mark.parametrize("secret", SECRETS)
def test_a_leak_of_a_process_is_seen(secret: str) -> None:
    """In what it prints, and in what it answers."""
    for look in (require_none_in_log, lambda text: require_none("an answer", text)):
        with pytest.raises(AssertionError, match="shows"):
            look(f"begin {secret} end")


def test_what_serve_prints_to_be_pasted_is_no_leak() -> None:
    """The token of its welcome is for whoever has started it; anywhere else it is one."""
    require_none_in_log(f"  TOKEN={token_of(ADA)}\n")
    with pytest.raises(AssertionError, match="shows"):
        require_none_in_log(f"TOKEN={token_of(ADA)}\n")

"""Blueprint of one owner's entities: authorization, preconditions, idempotency keys, headers."""

from collections.abc import Callable
from functools import partial
from typing import Any

from taskservice.adapters.http.api.responses import add_entity_headers
from taskservice.adapters.http.openapi.blueprint import DocumentedBlueprint
from taskservice.adapters.http.protocol.authorization import enforce_ownership, pop_path_user
from taskservice.adapters.http.protocol.idempotency import read_idempotency_key, run_once
from taskservice.adapters.http.protocol.preconditions import read_preconditions
from taskservice.adapters.http.protocol.rate_limit import add_rate_limit_headers, count_request
from taskservice.adapters.http.protocol.request import BODY_LIMIT, current_request


class EntityBlueprint(DocumentedBlueprint):
    """A blueprint whose operations all require the owner's token.

    Its URL prefix has a `user_id`. A request with an idempotency key runs once:
    rendering its response is part of the transaction. A body has up to `body_limit` bytes.
    """

    def __init__(self, *args: Any, body_limit: int = BODY_LIMIT, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.url_value_preprocessor(pop_path_user)
        if body_limit != BODY_LIMIT:
            self.before_request(partial(_limit_body, body_limit))
        self.before_request(enforce_ownership)
        self.before_request(count_request)
        self.before_request(read_preconditions)
        self.before_request(read_idempotency_key)
        self.after_request(add_rate_limit_headers)

    def response(self, *args: Any, **kwargs: Any) -> Callable[[Any], Any]:
        """Return the decorator of flask-smorest, with the headers, once for each key."""
        decorate = super().response(*args, **kwargs)
        render = decorate(lambda entity: entity)
        return lambda view: run_once(decorate(view), add_entity_headers, render)


def _limit_body(limit: int) -> None:
    current_request().body_limit = limit

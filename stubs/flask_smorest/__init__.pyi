"""The part of flask-smorest's interface that this project uses; the package ships no types."""

from collections.abc import Callable
from typing import Any, TypeVar

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Blueprint as FlaskBlueprint
from flask import Flask
from marshmallow import Schema
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import HTTPException

_View = TypeVar("_View", bound=Callable[..., Any])
_Decorator = Callable[[_View], _View]

class Blueprint(FlaskBlueprint):
    ARGUMENTS_PARSER: FlaskParser
    _prepare_doc_cbks: list[Callable[..., dict[str, Any]]]
    def __init__(
        self, name: str, import_name: str, *, url_prefix: str | None = ..., description: str = ...
    ) -> None: ...
    def get(self, rule: str, **options: Any) -> _Decorator[Any]: ...
    def arguments(
        self, schema: Schema, *, location: str = ..., required: bool = ..., **kwargs: Any
    ) -> _Decorator[Any]: ...
    def response(
        self, status_code: int, schema: Schema | None = ..., **kwargs: Any
    ) -> _Decorator[Any]: ...
    def alt_response(
        self, status_code: int, response: str | None = ..., **kwargs: Any
    ) -> _Decorator[Any]: ...
    @staticmethod
    def doc(**kwargs: Any) -> _Decorator[Any]: ...

class Api:
    spec: APISpec
    ma_plugin: MarshmallowPlugin
    def __init__(self, app: Flask, *, spec_kwargs: dict[str, Any] = ...) -> None: ...
    def register_blueprint(
        self, blp: Blueprint, *, parameters: list[dict[str, Any]] | None = ...
    ) -> None: ...
    def handle_http_exception(self, error: HTTPException) -> Any: ...
    def _register_responses(self) -> None: ...

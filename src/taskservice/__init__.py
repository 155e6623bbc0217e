"""A multi-user task service: it never leaks, loses or duplicates a task.

Packages and modules, from the inside out:

- `core`: tasks, their rules, and the ports; no third-party packages.
- `adapters.memory`, `adapters.sql`: storage adapters.
- `adapters.http`: the API; `adapters.jwt`: token verification.
- `adapters.ratelimit`, `adapters.prometheus`, `adapters.tracing`: rate limits, metrics, spans.
- `config`: the settings.
- `logs`, `error_messages`: logging, and errors as messages to people.
- `strict_json`: JSON without the ambiguities of RFC 8259.
- `docstring_check`, `listening_socket`, `temporary_folder`: helpers for startup.
- `app`, `startup_checks`: the composition root, and checks of the database.
- `server`, `wsgi`: gunicorn, and the entry point for other WSGI servers.
- `cli`: the `taskservice` command.
- `testing`: contract tests and test helpers; the service never imports it.
"""

__version__ = "0.1.0"

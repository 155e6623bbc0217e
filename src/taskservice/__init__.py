"""A multi-user task service: it never leaks a task, never loses one, never doubles one.

Packages and modules, from the inside out:

- `core`: tasks, their rules, and the ports; no third-party packages.
- `adapters.memory`, `adapters.sql`: storage adapters.
- `adapters.http`: the API; `adapters.jwt`: token verification.
- `adapters.ratelimit`, `adapters.prometheus`, `adapters.tracing`: rate limits, metrics, spans.
- `config`: the settings.
- `logs`: logging.
- `docstrings`, `listening`, `temporary_files`: helpers for startup.
- `app`, `startup`: the composition root, and checks of the database.
- `server`, `wsgi`: gunicorn, and the entry point for other WSGI servers.
- `cli`: the `taskservice` command.
- `testing`: contract tests and test helpers; the service never imports it.
"""

__version__ = "0.1.0"

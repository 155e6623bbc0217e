"""A multi-user task service: it never leaks a task, never loses one, never doubles one.

The map of the package, from the inside out:

- `core`: what a task is and what may be done with it; the ports. Plain Python.
- `adapters.memory`, `adapters.sql`: two homes for tasks, one set of promises.
- `adapters.metrics`: what happens, counted for Prometheus.
- `adapters.traces`: spans for OpenTelemetry.
- `adapters.http`: who is calling, and the API that they call.
- `config`: the settings, read once and checked.
- `logs`: the log, one event a line.
- `docstrings`, `listening`, `temporary_files`: what a start needs of Python and of the machine.
- `app`: the wiring, and the only place that knows every part.
- `cli`: the `taskservice` command.
- `testing`: the promises as test classes, and what else tests need. Nothing imports it.
"""

__version__ = "0.1.0"

"""`python -m taskservice` is the `taskservice` command."""

from taskservice.cli import main

main(prog_name="taskservice")

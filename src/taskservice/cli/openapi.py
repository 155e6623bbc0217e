"""`taskservice openapi`: writes the OpenAPI document without a server."""

import click

from taskservice.app import openapi_document
from taskservice.cli.output_file import DEFAULT_MODE, STANDARD_OUTPUT, output_file


@click.command()
@click.argument("file", type=click.Path(dir_okay=False), default=STANDARD_OUTPUT)
def openapi(file: str) -> None:
    """Write the OpenAPI document.

    The default FILE is standard output. A regular FILE is replaced when the
    document is complete.
    """
    with output_file(file, DEFAULT_MODE) as write:
        write(openapi_document())

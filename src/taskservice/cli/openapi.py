"""`taskservice openapi`: the document, without a server."""

import click

from taskservice.app import openapi_document
from taskservice.cli.output import PUBLIC, STANDARD_OUTPUT, output


@click.command()
@click.argument("file", type=click.Path(dir_okay=False), default=STANDARD_OUTPUT)
def openapi(file: str) -> None:
    """Write the OpenAPI document to FILE, or to standard output.

    A regular FILE is replaced when the document is complete.
    """
    with output(file, PUBLIC) as put:
        put(openapi_document())

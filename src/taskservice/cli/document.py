"""`taskservice openapi`: the document, without a server."""

from pathlib import Path

import click

from taskservice.app import openapi_document


@click.command()
@click.argument(
    "file", type=click.Path(dir_okay=False, writable=True, path_type=Path), required=False
)
def openapi(file: Path | None) -> None:
    """Write the OpenAPI document to FILE, or print it."""
    document = openapi_document()
    if file:
        file.write_bytes(document)
    else:
        click.echo(document, nl=False)

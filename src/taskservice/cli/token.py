"""`taskservice token`: a token for a user, where the service holds the secret; or one explained."""

import sys
from datetime import UTC, datetime, timedelta

import click

from taskservice.adapters.jwt import issue
from taskservice.cli.development_settings import with_kept_secret
from taskservice.cli.explain_token import explain
from taskservice.cli.options import (
    database_option,
    development_environment,
    optional_user_argument,
)
from taskservice.config import ConfigError, Settings
from taskservice.core.errors import Unauthenticated


@click.command()
@optional_user_argument
@click.option(
    "--days",
    default=1,
    show_default=True,
    type=click.IntRange(1, 3650),
    help="How long it is good for.",
)
@click.option(
    "--explain",
    "explained",
    metavar="TOKEN",
    help="Say why TOKEN is accepted or not, in place of making one; - reads it from the input.",
)
@database_option
def token(user: str | None, days: int, explained: str | None, database: str | None) -> None:
    """Print a token for USER, signed with the configured or the development secret.

    With --explain: what a token claims, how that differs from what the
    service expects, and why it is refused (exit status 2) or whose it is.
    """
    if (user is None) == (explained is None):
        raise click.UsageError("name a USER, or a token to --explain")
    settings = Settings.from_environment(with_kept_secret(development_environment(database)))
    if user is not None:
        click.echo(signed_token(settings, user, days))
    if explained is not None:
        _tell(sys.stdin.read() if explained == "-" else explained, settings)


def _tell(token: str, settings: Settings) -> None:
    given = token.strip()
    given = given[7:].lstrip() if given[:7].lower() == "bearer " else given
    try:
        for line in explain(given, settings):
            click.echo(line)
    except Unauthenticated as error:
        raise ConfigError(f"refused: {error}") from None


def signed_token(settings: Settings, user: str, days: int) -> str:
    """Return a token for `user`. Raises `ConfigError` where another issuer makes the tokens."""
    if not settings.jwt_secret:
        raise ConfigError("tokens are made by the issuer behind TASKSERVICE_JWKS_URL")
    return issue(
        settings.jwt_secret,
        user,
        lifetime=timedelta(days=days),
        now=datetime.now(UTC),
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
        subject_claim=settings.jwt_subject_claim,
    )

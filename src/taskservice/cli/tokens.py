"""`taskservice token`: a token for a user, where the service holds the secret."""

from datetime import UTC, datetime, timedelta

import click

from taskservice.adapters.http.tokens import issue
from taskservice.cli.development import with_kept_secret
from taskservice.cli.options import database_option, development_environment
from taskservice.config import ConfigError, Settings
from taskservice.core.rules import is_owner


@click.command()
@click.argument("user")
@click.option(
    "--days",
    default=1,
    show_default=True,
    type=click.IntRange(1, 3650),
    help="How long it is good for.",
)
@database_option
def token(user: str, days: int, database: str | None) -> None:
    """Print a token for USER, signed with the configured or the development secret."""
    if not is_owner(user):
        raise click.BadParameter(
            "must be 1 to 128 of A-Z a-z 0-9 . _ : @ | ~ + = -", param_hint="USER"
        )
    settings = Settings.from_environment(with_kept_secret(development_environment(database)))
    click.echo(signed_token(settings, user, days))


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

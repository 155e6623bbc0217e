"""Two owners for tests; the second name is typical of a token issuer."""

ADA = "ada"
"""An owner."""

BOB = "auth0|bob"
"""Another owner."""

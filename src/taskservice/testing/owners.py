"""Two owners for tests; the second has a name as issuers of tokens make them."""

ADA = "ada"
"""An owner."""

BOB = "auth0|bob"
"""Another owner."""

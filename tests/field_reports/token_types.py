"""The `typ` of tokens: a media type (RFC 7515, section 4.1.9), of which two are taken.

It is compared whatever its case (RFC 2045, section 5.1), and means the same with `application/` and
without. RFC 9068, section 4, refuses every other value, hence parameters too: neither type has any.
"""

from tests.field_reports.report import Report

LONG = "Abblix/Oidc.Server#317"
CASES = "mozilla/fxa#5888"
KINDS = "initializ/forge#447"

TYPES: list[Report[str, bool]] = [
    Report("acronis/go-authkit#20", "an access token", "application/at+jwt", True),
    Report(LONG, "any token", "application/jwt", True),
    Report(CASES, "mixed case", "at+JWT", True),
    Report(CASES, "mixed case in full", "Application/AT+JWT", True),
    Report(LONG, "a parameter", "application/at+jwt;v=1", False),
    Report(LONG, "a parameter in short", "at+jwt; charset=utf-8", False),
    Report(LONG, "another tree", "text/at+jwt", False),
    Report(LONG, "nothing of a tree", "application/", False),
    Report(LONG, "twice", "application/application/jwt", False),
    Report(LONG, "a space", "at+jwt ", False),
    Report(KINDS, "another kind", "application/logout+jwt", False),
]

"""Bodies that say in which media type, charset and coding they come, tried on what takes a body."""

from tests.field_reports.report import Report

SPRING, PARSER, CHALICE = "spring-framework#26759", "body-parser#117", "chalice#306"
JSON, PATCH = "application/json", "application/merge-patch+json"


TAKEN: list[Report[dict[str, str], None]] = [
    Report(PARSER, "utf8", {"Content-Type": f"{JSON}; charset=utf8"}, None),
    Report(PARSER, "UTF8 in quotes", {"Content-Type": f'{JSON};charset="UTF8"'}, None),
    Report(CHALICE, "us-ascii", {"Content-Type": f"{JSON}; charset=US-ASCII"}, None),
    Report(CHALICE, "ascii", {"Content-Type": f"{JSON}; charset=ascii"}, None),
    Report(
        PARSER,
        "a charset within another parameter",
        {"Content-Type": f'{JSON}; profile="a;charset=utf-16;\\"b"; charset=utf-8'},
        None,
    ),
    Report(PARSER, "a semicolon at the end", {"Content-Type": f"{JSON};"}, None),
    Report(SPRING, "an empty coding", {"Content-Type": JSON, "Content-Encoding": ""}, None),
    Report(
        SPRING,
        "a list of no coding",
        {"Content-Type": JSON, "Content-Encoding": ", identity ,"},
        None,
    ),
]
"""Headers of a body that is taken, on every operation."""

CODING = "Content-Encoding must be identity or absent: compressed bodies are not supported"
CHARSET = "the charset must be utf-8 or absent: JSON is in UTF-8 (RFC 8259, section 8.1)"

REFUSED: list[Report[dict[str, str], str]] = [
    Report(SPRING, "gzip", {"Content-Type": JSON, "Content-Encoding": "gzip"}, CODING),
    Report(SPRING, "br, then none", {"Content-Type": JSON, "Content-Encoding": "br, "}, CODING),
    Report(SPRING, "another media type", {"Content-Type": "text/plain"}, "Content-Type must be "),
    Report(SPRING, "no media type", {}, "Content-Type is missing: it must be "),
    Report(PARSER, "another charset", {"Content-Type": f"{JSON}; charset=utf-16"}, CHARSET),
    Report(PARSER, "a charset of none", {"Content-Type": f"{JSON}; charset="}, CHARSET),
]
"""Headers of a body that is 415 on every operation, and how the detail begins."""

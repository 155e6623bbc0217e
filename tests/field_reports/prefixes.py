"""Prefixes that a trusted proxy passes on unread, tried on all that repeats a prefix."""

from tests.field_reports.report import Report

REVIEW = "security review"

REPORTS: list[Report[str, str]] = [
    Report(REVIEW, "another host", "//evil.example", ""),
    Report(REVIEW, "another host, encoded", "/%2Fevil.example", ""),
    Report(REVIEW, "another host, to a browser", "/\\evil.example", ""),
    Report(REVIEW, "another host, encoded for a browser", "/%5Cevil.example", ""),
    Report(REVIEW, "another host, behind a tab", "/\t/evil.example", ""),
    Report(REVIEW, "another host, behind an encoded tab", "/%09/evil.example", ""),
    Report(REVIEW, "another host within", "/tasks//evil.example", ""),
    Report(REVIEW, "an address", "https://evil.example", ""),
    Report(REVIEW, "a script", "javascript:alert(1)", ""),
    Report(REVIEW, "a host alone", "evil.example", ""),
    Report(REVIEW, "the folder above", "/tasks/..", ""),
    Report(REVIEW, "the folder above, encoded", "/%2e%2e/tasks", ""),
    Report(REVIEW, "the folder itself", "/./tasks", ""),
    Report(REVIEW, "a line of its own", "/tasks%0d%0aSet-Cookie: x=y", ""),
    Report(REVIEW, "NUL", "/tasks%00", ""),
    Report(REVIEW, "segments", "/to-do/v1", "/to-do/v1"),
    Report(REVIEW, "segments with dots", "/..tasks/v1.2/...", "/..tasks/v1.2/..."),
    Report(REVIEW, "a colon behind the slash", "/javascript:alert(1)", "/javascript:alert(1)"),
    Report(REVIEW, "a slash at the end", "/tasks/", "/tasks"),
    Report(REVIEW, "nothing but a slash", "/", ""),
]
"""What a proxy says, and the prefix that is used."""

"""Hosts to listen on, as people write them, and the addresses at which the service then answers."""

from tests.field_reports.report import Report

HOSTS: list[Report[str, str]] = [
    Report("apache/airflow#656", "IPv4 loopback", "127.0.0.1", "127.0.0.1"),
    Report("apache/airflow#656", "IPv6 loopback", "::1", "[::1]"),
    Report("apache/airflow#656", "in brackets", "[::1]", "[::1]"),
    Report("apache/airflow#656", "written out", "0:0:0:0:0:0:0:1", "[::1]"),
    Report("apache/airflow#656", "a name, IPv4 where it has both", "localhost", "127.0.0.1"),
    Report("apache/airflow#656", "all of IPv4", "0.0.0.0", "127.0.0.1"),  # noqa: S104
    Report("apache/airflow#656", "all, IPv4 as well", "::", "127.0.0.1"),
    Report("apache/airflow#656", "all, in brackets", "[::]", "127.0.0.1"),
]
"""A host, and what opens it in a URL on this machine."""

UNKNOWN = "Name or service not known"
ELSEWHERE = "Cannot assign requested address"

REFUSED: list[Report[str, str]] = [
    Report("apache/airflow#656", "another machine", "192.0.2.1", f"192.0.2.1:8000: {ELSEWHERE}"),
    Report("apache/airflow#656", "in IPv6", "2001:db8::1", f"[2001:db8::1]:8000: {ELSEWHERE}"),
    Report("apache/airflow#656", "nothing", "", f":8000: {UNKNOWN}"),
    Report(
        "apache/airflow#656", "a label that is too long", "x" * 64, f"{'x' * 64}:8000: {UNKNOWN}"
    ),
    Report("apache/airflow#656", "an empty label", "a..b", f"a..b:8000: {UNKNOWN}"),
]
"""A host, and what is said of it and port 8000."""

"""What a proxy says in `X-Forwarded-For` of where a client is, and whose limit that counts to."""

from tests.field_reports.report import Report

XAGENT, ALLAUTH = "xagent#1185", "django-allauth#4230"

REPORTS: list[Report[tuple[str, str], bool]] = [
    Report(XAGENT, "another port", ("203.0.113.7:5111", "203.0.113.7:5112"), True),
    Report(XAGENT, "a port, and none", ("203.0.113.7:5111", "203.0.113.7"), True),
    Report(XAGENT, "another address, a port each", ("203.0.113.7:5111", "203.0.113.8:5111"), False),
    Report(ALLAUTH, "IPv6 with a port", ("[2001:db8::1]:1234", "2001:db8::1"), True),
    Report(ALLAUTH, "IPv6 in brackets", ("[2001:db8::1]", "2001:db8::1"), True),
    Report(ALLAUTH, "another /64", ("[2001:db8:0:1::1]:1", "[2001:db8:0:2::1]:1"), False),
    Report(ALLAUTH, "IPv6 that ends like a port", ("2001:db8::80", "2001:db8::8080"), True),
    Report(ALLAUTH, "IPv4 within IPv6", ("[::ffff:192.0.2.1]:443", "192.0.2.1"), True),
    Report(ALLAUTH, "a zone of IPv6", ("fe80::1%eth0", "fe80::1"), True),
    Report(XAGENT, "no addresses", ("unknown", "_hidden"), False),
    Report(XAGENT, "no address, and the same", ("_SEVKISEK", "_SEVKISEK"), True),
    Report(XAGENT, "no port", ("203.0.113.7:http", "203.0.113.8:http"), False),
    Report(XAGENT, "a port beside no address", ("unknown:1", "203.0.113.7:1"), False),
]
"""Two addresses, and whether they count as one."""

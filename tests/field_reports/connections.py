"""Failures to connect to PostgreSQL: what passes by itself, and what somebody must mend."""

from tests.field_reports.report import Report

from taskservice.core.errors import AccessDenied, Unavailable, UnusableDatabase

Kind = type[Unavailable]

_POSTGREST = "PostgREST#2801"

# A server says these in its own language; the SQLSTATE is the same in all.
BY_SERVER: list[Report[tuple[str, str], Kind]] = [
    Report(_POSTGREST, "starting up", ("57P03", "das Datenbanksystem startet"), Unavailable),
    Report(_POSTGREST, "shutting down", ("57P01", "Verbindung wird abgebrochen"), Unavailable),
    Report(_POSTGREST, "too many connections", ("53300", "zu viele Verbindungen"), Unavailable),
    Report(_POSTGREST, "a pooler without a server", ("08P01", "server login has been failing"), Unavailable),
    Report(_POSTGREST, "a pooler that does not know the role", ("08P01", "password authentication failed"), AccessDenied),
    Report(_POSTGREST, "a wrong password", ("28P01", "Passwort-Authentifizierung fehlgeschlagen"), AccessDenied),
    Report(_POSTGREST, "an unknown role", ("28000", "Rolle existiert nicht"), AccessDenied),
    Report(_POSTGREST, "an unknown database", ("3D000", "Datenbank existiert nicht"), AccessDenied),
    Report(_POSTGREST, "a bad option", ("42704", "unbekannter Parameter"), AccessDenied),
    Report(_POSTGREST, "a database that takes no connections", ("55000", "keine Verbindungen"), AccessDenied),
]  # fmt: skip

# What to put into the address of a server that answers, in place of its host or behind it.
BY_CLIENT: list[Report[str, Kind]] = [
    Report(_POSTGREST, "a port that refuses", "postgresql://127.0.0.1:1/x", Unavailable),
    Report(_POSTGREST, "a host without an address", "postgresql://db.invalid/x", Unavailable),
    Report(_POSTGREST, "a socket that is not there", "postgresql:///x?host=/nowhere", Unavailable),
    Report(_POSTGREST, "a standby where writes are wanted", "{here}?target_session_attrs=standby", Unavailable),
    Report(_POSTGREST, "a bad sslmode", "{here}?sslmode=no", UnusableDatabase),
    Report(_POSTGREST, "TLS that the server has not", "{here}?sslmode=require", UnusableDatabase),
    Report(_POSTGREST, "a missing certificate", "{here}?sslmode=verify-full&sslrootcert=/nowhere", UnusableDatabase),
    Report(_POSTGREST, "a number that is none", "{here}?keepalives=abc", UnusableDatabase),
    Report(_POSTGREST, "a service that is not there", "{here}?service=nothing", UnusableDatabase),
    Report(_POSTGREST, "an unknown database", "{here}_gone", AccessDenied),
    Report(_POSTGREST, "a bad option", "{here}?options=-cnothing%3D1", AccessDenied),
]  # fmt: skip

"""Checks of a database: connectivity, encoding, row-level security, roles, readiness."""

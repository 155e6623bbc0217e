"""Connections and statements: addresses, timeouts, errors, retries, transactions."""

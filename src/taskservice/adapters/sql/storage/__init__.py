"""Stores tasks and idempotency records: the implementation of the ports."""

"""Admission control, rate limits, readiness checks and metrics, in plain Python."""

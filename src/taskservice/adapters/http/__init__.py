"""Driving adapter: the HTTP API."""

"""Driving adapter: the API over HTTP."""

"""The API over HTTP: who is calling, what they ask, and what they hear."""

"""Plain Python that is not about tasks: admission control, rate limits, readiness, metrics."""

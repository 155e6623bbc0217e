"""gunicorn: settings, worker and logger."""

"""HTML pages: the API reference, and the pages of problem types."""

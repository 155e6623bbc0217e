"""How Sphinx builds the documentation."""

from taskservice import __version__

project = "taskservice"
author = "The taskservice authors"
copyright = "2026, the taskservice authors"
release = version = __version__
extensions = ["myst_parser"]
html_theme = "furo"
html_title = f"taskservice {__version__}"
exclude_patterns = ["_build"]
myst_heading_anchors = 3

"""How Sphinx builds the documentation."""

import logging
import sys
from pathlib import Path

from taskservice import __version__

# Modules that autodoc imports must not log: a line would count as a warning.
logging.getLogger("alembic").setLevel(logging.WARNING)
sys.path.insert(0, str(Path(__file__).parent))

project = "taskservice"
author = "The taskservice authors"
copyright = "2026, the taskservice authors"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "docstrings"]
html_theme = "furo"
html_title = f"taskservice {__version__}"
html_static_path = ["static"]
html_css_files = ["site.css"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3
smartquotes_action = "De"

autodoc_default_options = {"member-order": "bysource", "undoc-members": True}
autoclass_content = "both"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
add_module_names = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 72
toc_object_entries_show_parents = "hide"

# A broken link is an error. These names are documented elsewhere, but their inventories would have
# to be fetched, and the documentation is built without a network.
nitpicky = True
nitpick_ignore = {
    *(("py:class", f"collections.abc.{name}") for name in ("Callable", "Collection", "Iterable")),
    *(("py:class", f"collections.abc.{name}") for name in ("Iterator", "Mapping", "Sequence")),
    ("py:class", "_pytest.fixtures.FixtureRequest"),
    ("py:class", "contextlib.AbstractContextManager"),
    ("py:class", "datetime.date"),
    ("py:class", "datetime.datetime"),
    ("py:class", "datetime.timedelta"),
    ("py:class", "flask.app.Flask"),
    ("py:class", "flask.testing.FlaskClient"),
    ("py:class", "jwt.api_jwk.PyJWK"),
    ("py:class", "sqlalchemy.engine.base.Engine"),
    ("py:class", "sqlalchemy.engine.url.URL"),
    ("py:class", "uuid.UUID"),
    ("py:class", "zoneinfo.ZoneInfo"),
}
# Text in backticks in a docstring is a link if something has that name, otherwise code.
# Type variables have no entry of their own.
nitpick_ignore_regex = [("py:obj", ".*"), ("py:class", r"taskservice\..*\.(E|_\w+)")]

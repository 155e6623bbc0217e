"""What `docs/clients/java-okhttp.md` says of the libraries that are tested is true.

Needs what npm brings: `tox -e clients` runs it.
"""

import re
from importlib.resources import files
from zipfile import ZipFile

import pytest
from tests.clients.libraries import OKHTTP_VERSION
from tests.markdown_code import DOCS

pytestmark = pytest.mark.clients

PAGE = (DOCS / "clients" / "java-okhttp.md").read_text()


def test_the_okhttp_that_is_tested_is_the_one_that_the_generator_asks_for() -> None:
    """A newer generator may ask for another, and then the page has to say another."""
    with ZipFile(str(files("openapi_generator_cli") / "openapi-generator.jar")) as jar:
        pom = jar.read("Java/libraries/okhttp-gson/pom.mustache").decode()
    asked = dict(re.findall(r"<(okhttp|gson)-version>(.*?)</", pom))
    assert asked["okhttp"] == OKHTTP_VERSION
    assert f"with OkHttp {asked['okhttp']} as required" in PAGE
    assert f"Gson 2.10 instead of {asked['gson']}" in " ".join(PAGE.split())

"""The collection for Postman and Bruno is the document's."""

from tests.clients.collection import written
from tests.processes import ROOT

FILE = ROOT / "docs" / "clients" / "taskservice.postman_collection.json"


def test_the_collection_is_up_to_date() -> None:
    """The file says what the document says; `docs/clients/collection.md` has the command."""
    assert FILE.read_bytes() == written()

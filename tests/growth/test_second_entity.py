"""A second entity is one new file per layer, and six lines that mount it."""

from pathlib import Path

import pytest
from tests.growth.scratch import Client, Scratch, scratch_package
from tests.processes import Answer

NEW_FILES = Path(__file__).parent / "second_entity"
KEY = {"Idempotency_Key": "key"}


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """The package with notes."""
    scratch = scratch_package(tmp_path_factory.mktemp("scratch"))
    scratch.add_files(NEW_FILES)
    workspace, application = "core/workspace.py", "adapters/http/application.py"
    imported = "from taskservice.core.idempotency import IdempotencyStore\n"
    scratch.replace(workspace, imported, f"{imported}from taskservice.core.notes import Note\n")
    scratch.replace(workspace, "] = (TaskList, Task)\n", "] = (TaskList, Task, Note)\n")
    listed = "    lists,\n    summary,\n"
    scratch.replace(application, listed, listed.replace("summary", "notes,\n    summary"))
    mounted = "for module in (tasks, history, trash, batch, lists,"
    scratch.replace(application, mounted, mounted.replace("lists,", "lists, notes,"))
    changes = "adapters/http/api/changes.py"
    schemas = "from taskservice.adapters.http.api.responses import EntitySchema\n"
    imported = "from taskservice.adapters.http.api.notes import NoteSchema\n"
    scratch.replace(changes, schemas, imported + schemas)
    member = (
        '    task = fields.Nested(TaskSchema, metadata={"description": "The task as it is now."})\n'
    )
    scratch.replace(changes, member, member + "    note = fields.Nested(NoteSchema)\n")
    return scratch


@pytest.fixture
def notes(client: Client) -> Client:
    """The same user, who sends requests to the list of notes."""
    return client._replace(list_name="notes")


def refusal(answer: Answer) -> tuple[int, str]:
    """Return the status and the type of a problem."""
    return answer.status, answer.json["type"]


def test_an_entity_is_a_file_per_layer_and_six_lines(scratch: Scratch) -> None:
    """Its class and its operations; two lines each mount them, and two show it to sync clients.

    No storage adapter changes.
    """
    assert [str(path.relative_to(NEW_FILES)) for path in sorted(NEW_FILES.rglob("*.py"))] == [
        "adapters/http/api/notes.py",
        "core/notes.py",
    ]
    assert scratch.changed_lines() == {
        "core/workspace.py": 2,
        "adapters/http/application.py": 2,
        "adapters/http/api/changes.py": 2,
    }


def test_a_note_is_created_read_and_listed(notes: Client) -> None:
    """With `Location` and `ETag`. It is no task."""
    answer = notes("POST", "", {"text": "Call Ada"})
    note = answer.json
    assert (answer.status, note["text"], note["version"]) == (201, "Call Ada", 1)
    location = f"/api/tasks/{notes.user}/notes/{note['id']}"
    assert (answer.headers["Location"], answer.headers["ETag"]) == (location, '"1"')
    assert notes("GET", f"/{note['id']}").json == note
    assert notes("GET").json == [note]
    assert notes._replace(list_name="tasks")("GET").json == []


def synced(client: Client, since: str = "") -> tuple[list[object], str]:
    """Return what a client of delta sync is told until there is no more, and the last token."""
    entries: list[object] = []
    more = True
    while more:
        page = client("GET", f"?limit=1{since and '&since='}{since}").json
        entries += page["changes"]
        since, more = page["next"], page["more"]
    return entries, since


def test_a_note_is_synced(notes: Client) -> None:
    """In a first sync after the tasks, and as a change or a deletion later."""
    changes, task = notes._replace(list_name="changes"), notes._replace(list_name="tasks").create
    first, note = task(title="Plan"), notes.create(text="Call Ada")
    entries, token = synced(changes)
    entry = {"kind": "note", "id": note["id"]}
    shown = {"kind": "task", "id": first["id"], "task": first}
    assert entries == [shown, {**entry, "note": note}]
    changed = notes("PATCH", f"/{note['id']}", {"text": "Call Bob"}).json
    entries, token = synced(changes, token)
    assert entries == [{**entry, "note": changed}]
    assert notes("DELETE", f"/{note['id']}").status == 204
    assert synced(changes, token)[0] == [{**entry, "gone": True}]


def test_notes_are_sorted_and_paginated(notes: Client) -> None:
    """By their text, in both directions."""
    for text in ("c", "a", "d", "b", "a"):
        notes.create(text=text)
    for sort, expected in (("text", ["aa", "bc", "d"]), ("-text", ["dc", "ba", "a"])):
        pages = notes.pages(f"limit=2&sort={sort}")
        assert ["".join(note["text"] for note in page) for page in pages] == expected


def test_a_note_is_patched_at_its_version(notes: Client) -> None:
    """412 for another version, and nothing changes."""
    path = f"/{notes.create(text='Call Ada')['id']}"
    patched = notes("PATCH", path, {"text": "Call Bob"}, If_Match='"1"')
    assert (patched.status, patched.headers["ETag"]) == (200, '"2"')
    stale = notes("PATCH", path, {"text": "Call Eve"}, If_Match='"1"')
    assert refusal(stale) == (412, "/problems/precondition-failed")
    assert notes("GET", path).json == patched.json


def test_a_note_is_deleted(notes: Client) -> None:
    """It is not found afterwards."""
    path = f"/{notes.create(text='Call Ada')['id']}"
    assert notes("DELETE", path).status == 204
    assert refusal(notes("GET", path)) == (404, "/problems/not-found")


def test_a_note_that_breaks_a_rule_is_refused(notes: Client) -> None:
    """The rule of its field is that of the request."""
    answer = notes("POST", "", {"text": " "})
    assert refusal(answer) == (422, "/problems/invalid-request")
    assert [error["pointer"] for error in answer.json["errors"]] == ["/text"]
    assert notes("GET").json == []


def test_a_creation_with_a_key_is_done_once(notes: Client) -> None:
    """A retry gets the first response."""
    first, again = (notes("POST", "", {"text": "Call Ada"}, **KEY) for _ in range(2))
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json == first.json
    assert notes("GET").json == [first.json]


def test_another_users_note_is_not_found(notes: Client) -> None:
    """404 under the caller's path, 403 under the other user's. The note is unchanged."""
    note = notes.create(text="Call Ada")
    path = f"/{note['id']}"
    other = notes._replace(user=f"{notes.user}-other")
    for method, body in (("GET", None), ("PATCH", {"text": "Mine"}), ("DELETE", None)):
        assert refusal(other(method, path, body)) == (404, "/problems/not-found")
        foreign = other.at(notes.path + path, method)
        assert refusal(foreign) == (403, "/problems/not-your-tasks")
    assert notes("GET").json == [note]


@pytest.mark.parametrize("storage", ["sqlite", "postgresql"], indirect=True)
def test_notes_are_exported_erased_and_imported(
    scratch: Scratch, storage: str, notes: Client, tmp_path: Path
) -> None:
    """With the tasks of their owner, and of no other. The counts name them."""
    tasks, other = notes._replace(list_name="tasks"), notes._replace(user=f"{notes.user}-other")
    task, theirs = tasks.create(title="Plan"), other.create(text="Call Eve")
    mine = [notes.create(text=text) for text in ("Call Ada", "Call Bob")]
    file, database = str(tmp_path / "export.jsonl"), ("--database", storage)
    scratch.run("taskservice", "export", notes.user, file, *database)
    erased = scratch.run("taskservice", "erase", notes.user, "--yes", *database)
    assert (
        "deleted 0 lists, 1 task, 2 notes, 0 trashed tasks, 3 changes and 0 idempotency records\n"
        in erased
    )
    assert (tasks("GET").json, notes("GET").json, other("GET").json) == ([], [], [theirs])
    scratch.run("taskservice", "import", notes.user, file, *database)
    assert (tasks("GET").json, notes("GET", "?sort=created_at").json) == ([task], mine)


def test_the_document_has_the_operations(notes: Client) -> None:
    """With the problem of a note that does not exist, and the description of its id."""
    document = notes.service("GET", "/openapi.json").json
    path = document["paths"]["/api/tasks/{user_id}/notes/{note_id}"]
    assert path.keys() - {"parameters"} == {"get", "patch", "delete"}
    assert {path[method]["responses"]["404"]["$ref"] for method in ("get", "patch", "delete")} == {
        "#/components/responses/NotFound"
    }
    described = {one["name"]: one["description"] for one in path["parameters"]}
    assert described["note_id"] == "The `id` of the note."
    (sort,) = (
        one
        for one in document["paths"]["/api/tasks/{user_id}/notes"]["get"]["parameters"]
        if one["name"] == "sort"
    )
    assert sort["schema"]["example"] in sort["schema"]["enum"]

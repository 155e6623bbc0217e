"""The operations of the OpenAPI document, as tests go through them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

Document = dict[str, Any]


class Operation(NamedTuple):
    """An operation: where it is, and what the document says of it."""

    path: str
    method: str
    said: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.said["operationId"])

    @property
    def success(self) -> tuple[int, dict[str, Any]]:
        """The status of success, and what is said of the answer."""
        status = min(self.said["responses"])
        return int(status), self.said["responses"][status]

    @property
    def bodies(self) -> dict[str, Any]:
        """What may be sent, by media type."""
        return dict(self.said.get("requestBody", {}).get("content", {}))


def operations(document: Document) -> Iterator[Operation]:
    """Yield every operation, its path's parameters among its own."""
    for path, item in document["paths"].items():
        shared = item.get("parameters", [])
        for method, said in item.items():
            if method != "parameters":
                parameters = [*shared, *said.get("parameters", [])]
                yield Operation(path, method.upper(), {**said, "parameters": parameters})


def examples(content: dict[str, Any]) -> dict[str, Any]:
    """Return the examples of what is sent or answered, by name; a lone one has no name."""
    if "example" in content:
        return {"": content["example"]}
    return {name: example["value"] for name, example in content.get("examples", {}).items()}


def resolved(document: Document, node: dict[str, Any]) -> dict[str, Any]:
    """Return what a reference leads to, or the node itself."""
    found: Any = node
    while "$ref" in found:
        place = found["$ref"].removeprefix("#/").split("/")
        found = document
        for step in place:
            found = found[step]
    return dict(found)

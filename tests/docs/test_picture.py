"""The picture of the hexagon shows what there is: the adapters, and the ports of the core."""

import re
from importlib import import_module

from tests.processes import ROOT

PICTURE = (ROOT / "docs" / "architecture.svg").read_text()
PAGE = (ROOT / "docs" / "architecture.md").read_text()
ADAPTERS = ROOT / "src" / "taskservice" / "adapters"
CORE = ROOT / "src" / "taskservice" / "core"

DRIVING = {"http", "cli"}
NO_PORT = {"OpenOwnWorkspace", "Reader"}
"""Protocols that are no ports: the function that a driving adapter passes to the core, and the part
of a repository that reads."""
NO_PROTOCOL = {"Metrics"}
"""A port with bodies: who hears only some of what happens writes only that."""

_shown = {
    kind: set(re.findall(rf'class="{kind}"[^>]*>([^<]+)<', PICTURE)) for kind in ("adapter", "port")
}
_arrows = [
    (adapter, port)
    for adapters, port in re.findall(r'data-from="([^"]+)" data-to="([^"]+)"', PICTURE)
    for adapter in adapters.split()
]


def protocols() -> set[str]:
    """Return every port that a module of the core defines as a protocol."""
    files = [file.relative_to(CORE) for file in CORE.rglob("[!_]*.py")]
    names = [".".join(file.with_suffix("").parts) for file in files]
    modules = [import_module(f"taskservice.core.{name}") for name in names]
    return {
        name
        for module in modules
        for name, thing in vars(module).items()
        if getattr(thing, "_is_protocol", False) and thing.__module__ == module.__name__
    } - NO_PORT


def test_the_picture_has_every_adapter() -> None:
    """Each package or module of `adapters` is drawn, and so is no other but the commands."""
    there = {path.stem for path in ADAPTERS.iterdir() if not path.stem.startswith("_")}
    assert {name.partition(".")[0] for name in _shown["adapter"]} == there | {"cli"}
    for name in _shown["adapter"] - {"cli"}:
        import_module(f"taskservice.adapters.{name}")


def test_the_picture_has_every_port() -> None:
    """Each protocol of the core is drawn, and so is the one port that is a class."""
    assert _shown["port"] == protocols() | NO_PROTOCOL


def test_every_arrow_leads_from_an_adapter_inward() -> None:
    """Each adapter has an arrow, each port of a driven one too, and none leads anywhere else."""
    assert {adapter for adapter, _ in _arrows} == _shown["adapter"]
    assert {port for adapter, port in _arrows if adapter in DRIVING} == {"core"}
    assert {port for adapter, port in _arrows if adapter not in DRIVING} == _shown["port"]


def test_the_picture_has_a_text_alternative() -> None:
    """Its description, and the words below it, name all that is drawn."""
    (description,) = re.findall(r"(?s)<desc .*?>(.*?)</desc>", PICTURE)
    words = PAGE.partition("In words ")[2].partition("\n##")[0]
    for name in _shown["adapter"] | _shown["port"]:
        assert re.search(rf"\b{re.escape(name)}\b", description), name
        assert f"`{name}`" in words, name

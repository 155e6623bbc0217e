"""The pages of `docs/clients`: their code, as a reader takes it from them."""

import re
from typing import NamedTuple

from tests.pages import DOCS, code

ADDRESS = "http://127.0.0.1:8000"


class Page(NamedTuple):
    """A page, and what it has its reader save and in which language."""

    name: str
    language: str
    file: str

    @property
    def text(self) -> str:
        return (DOCS / "clients" / self.name).read_text()

    def blocks(self, language: str) -> list[str]:
        """Return the blocks of code in a language, in order."""
        return code(self.text, language)

    @property
    def code(self) -> str:
        """The program that the page makes, block by block."""
        return "\n".join(self.blocks(self.language))

    @property
    def installed(self) -> set[tuple[str, str]]:
        """The packages that the page has installed, each with its version."""
        command, *_ = self.blocks("sh")
        return set(re.findall(r" (@?[\w./-]+)(?:==|@)([\w.]+)", command))

    @property
    def script(self) -> str:
        """All commands but the installation; only the last block is heard on standard output."""
        _, *prepare, use = self.blocks("sh")
        return "\n".join(["exec 3>&1 >&2", *prepare, "exec >&3", use])


PAGES = [
    Page("python.md", "python", "tasks.py"),
    Page("python-generator.md", "python", "tasks.py"),
    Page("typescript.md", "ts", "tasks.mts"),
    Page("java.md", "java", "Tasks.java"),
]

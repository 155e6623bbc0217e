"""The pages of `docs/clients`: their code, as a reader takes it from them."""

import re
from typing import NamedTuple

from tests.markdown_code import DOCS, code

ADDRESS = "http://127.0.0.1:8000"


class Page(NamedTuple):
    """A page, what it has its reader save and in which language, and in which project if in one."""

    name: str
    language: str
    file: str
    project: str = ""

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
    def installation(self) -> str:
        """What the page has its reader do first, with packages that the tests have already."""
        return self.blocks("sh")[0]

    @property
    def installed(self) -> set[tuple[str, str]]:
        """The packages that the page has installed, each with its version."""
        return set(re.findall(r" (@?[\w./-]+)(?:==|@)([\w.]+)", self.installation))

    @property
    def script(self) -> str:
        """All commands but the installation; only the last block is heard on standard output."""
        _, *prepare, use = self.blocks("sh")
        return "\n".join(["exec 3>&1 >&2", *prepare, "exec >&3", use])


PAGES = [
    Page("python.md", "python", "tasks.py"),
    Page("python-generator.md", "python", "tasks.py"),
    Page("typescript.md", "ts", "src/tasks.ts", "tasks"),
    Page("java.md", "java", "Tasks.java"),
    Page("java-okhttp.md", "java", "Tasks.java"),
    Page("go.md", "go", "main.go"),
]

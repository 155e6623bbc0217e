"""Programs that use generated clients, run as the pages of `docs/clients` say."""

import subprocess
from pathlib import Path

from tests.clients.pages import ADDRESS, Page
from tests.clients.projects import make_project
from tests.http_callers import token_of
from tests.parent_death_signal import die_with_parent
from tests.processes import Service, environment

SECONDS = 110


def program_in(folder: Path, page: Page) -> str:
    """Return the program of a folder that uses the client of a page."""
    name = Path(page.name).stem.replace("-", "_")
    return (folder / f"{name}{Path(page.file).suffix}").read_text()


def run_program(
    page: Page, program: str, service: Service, workplace: Path, path: str
) -> subprocess.CompletedProcess[str]:
    """Run the commands of a page with a program, in a new project if the page has one."""
    folder = workplace / page.project
    if page.project:
        make_project(page.installation.splitlines()[0], folder, path)
    (folder / page.file).write_text(program.replace(ADDRESS, service.address))
    return subprocess.run(
        ["sh", "-eu", "-c", page.script.replace(ADDRESS, service.address)],
        cwd=folder,
        env=environment(TOKEN=token_of("ada"), PATH=path),
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        preexec_fn=die_with_parent,
    )

"""What Maven would copy for OpenAPI Generator's default Java library, from where it can be had.

OkHttp, Okio and Kotlin's library are those of Maven's repository, in a package of npm that has
them within; Gson and the annotations are Debian's. What the client only needs in order to compile
is stood in for: none of it reads or writes JSON.
"""

import subprocess
from pathlib import Path

MODULES = Path(__file__).with_name("node_modules")
DEBIAN = Path("/usr/share/java")
STAND_INS = Path(__file__).with_name("stand_ins")
ALLURE = MODULES / "allure-commandline" / "dist" / "plugins" / "jira-plugin" / "lib"

OKHTTP_VERSION = "4.12.0"
OKHTTP = ALLURE / f"okhttp-{OKHTTP_VERSION}.jar"
ANNOTATIONS = DEBIAN / "geronimo-annotation-1.3-spec.jar"
JARS = {
    OKHTTP: "npm ci --prefix tests/clients",
    ALLURE / "okio-jvm-3.6.0.jar": "npm ci --prefix tests/clients",
    ALLURE / "kotlin-stdlib-1.9.10.jar": "npm ci --prefix tests/clients",
    DEBIAN / "gson.jar": "libgoogle-gson-java",
    DEBIAN / "jsr305.jar": "libjsr305-java",
    ANNOTATIONS: "libgeronimo-annotation-1.3-spec-java",
}
"""Each jar, and what brings it."""


def gather(folder: Path) -> None:
    """Put all libraries into a folder, where Maven would put them."""
    folder.mkdir(parents=True)
    for jar in JARS:
        (folder / jar.name).symlink_to(jar)
    classes = folder / "classes"
    sources = map(str, STAND_INS.rglob("*.java"))
    _run("javac", "-cp", f"{folder}/*", "-d", str(classes), *sources)
    _run("jar", "--create", "--file", str(folder / "stand-ins.jar"), "-C", str(classes), ".")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)

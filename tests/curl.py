"""As much of curl as the documents use, for a machine that has none."""

import argparse
import os
import shutil
import sys
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit


def path_with_curl(folder: Path) -> str:
    """Return a PATH on which there is a `curl`: the machine's own or, made in `folder`, this."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    if shutil.which("curl", path=path):
        return path
    stand_in = folder / "curl"
    stand_in.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "$@"\n')
    stand_in.chmod(0o755)
    return f"{folder}:{path}"


def main() -> None:
    """Send the request that the arguments describe, and print the body of the answer."""
    parser = argparse.ArgumentParser(prog="curl")
    parser.add_argument("url")
    parser.add_argument("-s", "--silent", action="store_true")
    parser.add_argument("-X", "--request")
    parser.add_argument("-H", "--header", action="append", default=[])
    parser.add_argument("-d", "--data")
    parser.add_argument("-w", "--write-out", default="")
    asked = parser.parse_args()
    url = urlsplit(asked.url)
    headers = dict(header.split(": ", 1) for header in asked.header)
    connection = HTTPConnection(url.netloc, timeout=30)
    method = asked.request or ("POST" if asked.data else "GET")
    connection.request(method, url.path, asked.data, headers)
    response = connection.getresponse()
    status = asked.write_out.replace("%{http_code}", str(response.status)).replace("\\n", "\n")
    sys.stdout.write(response.read().decode() + status)
    connection.close()


if __name__ == "__main__":
    main()

"""As much of curl as the documents use, for a machine that has none."""

import argparse
import os
import re
import shutil
import sys
from http.client import HTTPConnection, HTTPResponse
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
    parser.add_argument("--noproxy")
    parser.add_argument("-o", "--output", default="/dev/stdout")
    parser.add_argument("-w", "--write-out", default="")
    asked = parser.parse_args()
    url = urlsplit(asked.url)
    headers = dict(header.split(": ", 1) for header in asked.header)
    connection = HTTPConnection(url.netloc, timeout=30)
    method = asked.request or ("POST" if asked.data else "GET")
    target = f"{url.path}?{url.query}" if url.query else url.path
    connection.request(method, target, asked.data, headers)
    response = connection.getresponse()
    Path(asked.output).write_bytes(response.read())
    sys.stdout.write(written_out(asked.write_out, response))
    connection.close()


def written_out(form: str, response: HTTPResponse) -> str:
    """Return what `-w` says of the answer."""
    text = form.replace("%{http_code}", str(response.status)).replace("\\n", "\n")
    return re.sub(r"%header\{([a-z-]+)\}", lambda name: response.getheader(name[1]) or "", text)


if __name__ == "__main__":
    main()

"""What the service is told by the tests, and must tell nobody."""

SECRET = "a secret of the tests, 32 bytes or more, kept by nobody"
DATABASE_PASSWORD = "canary-beside-the-database"

UNREACHABLE_PROXY = {
    **dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9"),
    **dict.fromkeys(("no_proxy", "NO_PROXY"), ""),
}
"""An environment that sends everything to a proxy, and with it what is meant for this machine."""

"""Settings as people hand them over, and what the service reads: a value, or its one message."""

from tests.field_reports.report import Report
from tests.secret_values import SECRET

Setting = tuple[str, str]

QUOTES = "must not be in quotes: remove them"
CONTROLS = "must not contain control characters"
ORIGINS = (
    "must be origins, separated by commas, such as https://app.example or capacitor://localhost: "
    "scheme, host (an international one as xn--…) and port of each, no path and no *"
)

_SECRET = "TASKSERVICE_JWT_SECRET"
_ISSUER = "TASKSERVICE_JWT_ISSUER"
_AUDIENCE = "TASKSERVICE_JWT_AUDIENCE"
_ORIGINS = "TASKSERVICE_CORS_ORIGINS"
_CRLF, _NIL = "smactorio#163", "warden#380"
_IONIC, _FOXIDS = "cordova-plugin-ionic-webview#349", "FoxIDs#931"

READ: list[Report[Setting, object]] = [
    Report(_CRLF, "a secret from a file with CRLF", (_SECRET, f"{SECRET}\r"), SECRET),
    Report(_CRLF, "an issuer with CRLF", (_ISSUER, "https://issuer.example/\r\n"), "https://issuer.example/"),
    Report(_CRLF, "an audience with spaces", (_AUDIENCE, " tasks "), "tasks"),
    Report(_CRLF, "a number with CRLF", ("TASKSERVICE_POOL_SIZE", "7\r"), 7),
    Report(_CRLF, "a switch with CRLF", ("TASKSERVICE_REQUIRE_IF_MATCH", "true\r"), True),
    Report(_CRLF, "a rate with CRLF", ("TASKSERVICE_RATE_LIMIT", "5/hour\r"), "5/hour"),
    Report(_CRLF, "a storage with CRLF", ("TASKSERVICE_RATE_LIMIT_STORAGE", "memory://\r"), "memory://"),
    Report(_CRLF, "a log level with CRLF", ("TASKSERVICE_LOG_LEVEL", "Debug\r"), "debug"),
    Report(_CRLF, "a setting of white space is unset", (_ISSUER, " \r\n"), None),
    Report(_IONIC, "Capacitor's origin", (_ORIGINS, "capacitor://localhost"), ("capacitor://localhost",)),
    Report(_IONIC, "two origins", (_ORIGINS, "tauri://a, http://b:5173"), ("tauri://a", "http://b:5173")),
    Report(_IONIC, "an extension's origin", (_ORIGINS, "moz-extension://2c127fa4-62c7-7e4f"), ("moz-extension://2c127fa4-62c7-7e4f",)),
    Report(_FOXIDS, "capitals", (_ORIGINS, "https://App.Example"), ("https://app.example",)),
    Report(_FOXIDS, "a default port", (_ORIGINS, "https://app.example:443"), ("https://app.example",)),
    Report(_FOXIDS, "http's default port", (_ORIGINS, "HTTP://app.example:080"), ("http://app.example",)),
    Report(_FOXIDS, "another scheme's port stays", (_ORIGINS, "http://app.example:443"), ("http://app.example:443",)),
    Report(_FOXIDS, "an international name", (_ORIGINS, "https://xn--bcher-KVA.example"), ("https://xn--bcher-kva.example",)),
    Report(_FOXIDS, "an IPv6 address", (_ORIGINS, "http://[0:0::1]:3000"), ("http://[::1]:3000",)),
]  # fmt: skip

REFUSED: list[Report[Setting, str]] = [
    Report(_NIL, "a secret in quotes", (_SECRET, f'"{SECRET}"'), QUOTES),
    Report(_NIL, "a secret in single quotes", (_SECRET, f"'{SECRET}'\r"), QUOTES),
    Report(_NIL, "an issuer in quotes", (_ISSUER, '"https://issuer.example/"'), QUOTES),
    Report(_NIL, "a number in quotes", ("TASKSERVICE_POOL_SIZE", '"7"'), QUOTES),
    Report(_NIL, "an address in quotes", ("DATABASE_URL", '"sqlite:///x.db"'), QUOTES),
    Report(_CRLF, "a line end within", (_AUDIENCE, "tasks\r\nother"), CONTROLS),
    Report(_CRLF, "a byte order mark before a secret", (_SECRET, f"\ufeff{SECRET}"), CONTROLS),
    Report(_CRLF, "a zero width space", (_ISSUER, "https://issuer\u200b.example"), CONTROLS),
    Report(_CRLF, "bytes that are not UTF-8", (_ISSUER, "\udcff"), "must be Unicode text"),
    Report(_IONIC, "no host", (_ORIGINS, "capacitor://"), ORIGINS),
    Report(_IONIC, "any origin", (_ORIGINS, "*"), ORIGINS),
    Report(_IONIC, "an opaque origin", (_ORIGINS, "null"), ORIGINS),
    Report(_FOXIDS, "a name that two versions of IDNA read differently", (_ORIGINS, "https://straße.example"), ORIGINS),
    Report(_FOXIDS, "a path", (_ORIGINS, "https://app.example/"), ORIGINS),
    Report(_FOXIDS, "a port beyond all", (_ORIGINS, "https://app.example:65536"), ORIGINS),
    Report(_FOXIDS, "an address that is none", (_ORIGINS, "http://[::g]"), ORIGINS),
]  # fmt: skip

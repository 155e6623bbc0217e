"""Lines of JSON as other programs write them, and titles that a terminal must not obey."""

from tests.field_reports.report import Report

BOM = b"\xef\xbb\xbf"

READ: list[Report[bytes, list[int]]] = [
    Report("wbolster/jsonlines#68", "a byte order mark", BOM + b"{}\n{}\n", [1, 2]),
    Report("wbolster/jsonlines#68", "nothing but a mark", BOM, []),
    Report("wbolster/jsonlines#68", "a blank first line", BOM + b"\r\n{}", [2]),
]
"""What is in a file, and the numbers of the lines that are tasks, all of them `{}`."""

SHOWN: list[Report[str, str]] = [
    Report("security review", "a C1 control: CSI", "a\x9b31mb", r"a\u009b31mb"),
    Report("security review", "the last of them", "a\x9fb", r"a\u009fb"),
    Report("security review", "delete", "a\x7fb", r"a\u007fb"),
    Report("security review", "a line separator", "a\u2028b", r"a\u2028b"),
    Report("security review", "an override", "a\u202eb", r"a\u202eb"),
    Report("security review", "an isolate", "a\u2066b\u2069", r"a\u2066b\u2069"),
    Report("security review", "a mark", "a\u200fb\u061c", r"a\u200fb\u061c"),
    Report("security review", "a script from right to left", "שלום", "שלום"),
    Report(
        "security review",
        "joined emoji",
        "\U0001f469\u200d\U0001f52c",
        "\U0001f469\u200d\U0001f52c",
    ),
]
"""A title, and how it stands in a line that `export` writes."""

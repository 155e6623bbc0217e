"""Values that a settable field must refuse, and those at its limits, by its kind."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from tests.hostile.case import Case, accepted, invalid
from tests.hostile.messages import LIST, LISTS, OWN, OWN_LIST, get, patch, post, put
from tests.hostile.rules import NO_RULES, RULES_AT_LIMITS

from taskservice.core.entity import Entity
from taskservice.core.fields import Field, fields_of
from taskservice.core.filters import filters_of
from taskservice.core.kinds import (
    Boolean,
    Choice,
    Identifier,
    Integer,
    Kind,
    Line,
    Reference,
    ReferenceFilter,
    Text,
    Timestamp,
    WordList,
)
from taskservice.core.labels import LABEL_LIMIT, Labels
from taskservice.core.local_times import DateOrTime
from taskservice.core.query import Query
from taskservice.core.recurrence_rule import RecurrenceText
from taskservice.core.task import Task
from taskservice.core.task_list import TaskList
from taskservice.core.zones import TimeZone

ASTRAL = "\U0001f600"

Values = dict[str, bytes]
"""JSON values by what they are."""

_CONTROLS = {
    "NUL": "\\u0000",
    "text with NUL at the end": "x\\u0000",
    "text with a bell": "a\\u0007b",
    "text with a backspace": "a\\bb",
    "text with a vertical tab": "a\\u000bb",
    "text with a form feed": "a\\fb",
    "text with an escape of a terminal": "\\u001b[31mx",
    "text with a unit separator": "a\\u001fb",
}
_SURROGATES = {
    "a high surrogate alone": "\\ud800",
    "a low surrogate at the end": "x\\udfff",
    "surrogates in the wrong order": "\\ude00\\ud83d",
}
_LINE_BREAKS = {
    "text with a tab": "a\\tb",
    "text with a line end": "a\\nb",
    "text with a line end behind": "x\\r\\n",
}
_BLANK = {"the empty string": "", "a space": " "}
_NO_TEXT: Values = {
    "0": b"0",
    "1": b"1",
    "1.5": b"1.5",
    "true": b"true",
    "false": b"false",
}
_NO_BOOLEAN: Values = {
    "0": b"0",
    "1": b"1",
    "1.0": b"1.0",
    '"true"': b'"true"',
    '"on"': b'"on"',
    "the empty string": b'""',
}
_NO_INTEGER: Values = {
    "a half": b"0.5",
    "true": b"true",
    "false": b"false",
    '"1"': b'"1"',
    "the empty string": b'""',
}
_NO_TIMESTAMP: Values = {
    "the empty string": b'""',
    "a date": b'"2026-02-09"',
    "a time without a zone": b'"2026-02-09T10:00:00.5"',
    "a time in February 30": b'"2026-02-30T10:00:00.5Z"',
    "a time in the year 1969": b'"1969-12-31T23:59:59.5Z"',
    "a time in the year 9999": b'"9999-01-01T00:00:00.5Z"',
    "a time with a line end behind": b'"2026-02-09T10:00:00.5Z\\n"',
    "a time with NUL": b'"2026-02-09T10:00:00.5Z\\u0000"',
}
_NO_IDENTIFIER: Values = {
    "the empty string": b'""',
    "an id without dashes": b'"01932d0e5f0a7cc398f40b8e1c6f2a11"',
    "an id in braces": b'"{01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a11}"',
    "an id with a line end behind": b'"01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a11\\n"',
    "an id of version 4": b'"9b2d1f5e-3c4a-4f6b-8a7d-0123456789ab"',
}
_NO_REFERENCE: Values = {
    what: value for what, value in _NO_IDENTIFIER.items() if what != "an id of version 4"
} | {
    f'"{text}"': b'"%s"' % text.encode()
    for text in ("inbox", "none", "null", "0", "urn:uuid:{missing}", "{missing},{missing}")
}
_NOT_ONES_OWN: Values = {
    "an id never used": b'"{missing}"',
    "an id of version 4": b'"9b2d1f5e-3c4a-4f6b-8a7d-0123456789ab"',
    "the nil id": b'"00000000-0000-0000-0000-000000000000"',
    "the highest id": b'"FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"',
}
_OTHERS: Mapping[str, Values] = {
    "task": {"another user's task": b'"{foreign}"', "an own list": b'"{own list}"'},
    "list": {"another user's list": b'"{foreign list}"', "an own task": b'"{own}"'},
}
"""Ids that the storage refuses in a reference, by the type that it refers to."""

_NO_DATE_OR_TIME: Values = {
    f'"{text}"': b'"%s"' % text.encode()
    for text in (
        *("", "2026", "2026-03", "2026-3-9", "20260329", "2026-W13-7", "2026-088"),
        *("2026-02-30", "2027-02-29", "2026-00-01", "2026-13-01", "0000-01-01"),
        *("1969-12-31", "9999-01-01", "12026-03-29", "-2026-03-29"),
        *("2026-03-29T09", "2026-03-29T09:00", "2026-03-29T09:00:00.0", "2026-03-29T24:00:00"),
        *("2026-03-29T23:59:60", "2026-03-29T09:60:00", "2026-03-29t09:00:00"),
        *("2026-03-29 09:00:00", "2026-03-29T09:00:00Z", "2026-03-29T09:00:00+01:00"),
        *("2026-03-29T09:00:00[Europe/Berlin]", " 2026-03-29", "2026-03-29 ", "2026-03-29\\n"),
        *("2026-03-29\\u0000", "２０２６-03-29", "2026‐03‐29", "today", "now", "null"),
    )
}
_NO_TIME_ZONE: Values = {
    f'"{text}"': b'"%s"' % text.encode()
    for text in (
        *("", "europe/berlin", "EUROPE/BERLIN", "Europe/Atlantis", "localtime", "Factory"),
        *("UTC+1", "+01:00", "posix/UTC", "right/UTC", "posixrules", "zone.tab", "tzdata.zi"),
        *("../UTC", "/UTC", "UTC/", "./UTC", "Europe/../UTC", "/etc/localtime", "Europe"),
        *("Europe/Berlin ", "Europe/Berlin\\n", "Europe/Berlin\\u0000", "Europe\\\\Berlin"),
        *("CEST", "W. Europe Standard Time", "__init__.py", "x" * 65),
    )
}
_NO_LABEL = {
    "a comma": ",",
    "two labels": "a,b",
    "a label with a space before": " a",
    "a label with a space behind": "a ",
    "a label with a no-break space behind": "a\u00a0",
}
_ID = "01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a11"
_NEAR_TO_ID = (
    *("", "0", "null", "*", "%", ",", "' OR '1'='1", _ID.replace("-", ""), f"{_ID}0"),
    *(f"{_ID}\n", f" {_ID}", f"{_ID},{_ID}", f"{{{_ID}}}", f"urn:uuid:{_ID}"),
)
_DATES_AND_TIMES = (
    *("1970-01-01", "9998-12-31", "2028-02-29", "1970-01-01T00:00:00", "9998-12-31T23:59:59"),
)


def wrong_types(field: Field) -> Values:
    """Return the values of another type than the field's, and null if it is not nullable."""
    types: Values = {"a list": b"[]", "an object": b'{"$gt": ""}'}
    match field.kind:
        case Boolean():
            types |= _NO_BOOLEAN
        case Integer():
            types |= _NO_INTEGER
        case Text() | Timestamp() | Identifier() | Choice():
            types |= _NO_TEXT
        case DateOrTime() | TimeZone() | RecurrenceText():
            types |= _NO_TEXT
        case Labels():
            types = _NO_TEXT | {"an object": b'{"0": "x"}', "a string": b'"home"'}
        case _:
            raise TypeError(f"no hostile values for {field.kind}")
    return types if field.nullable else {"null": b"null", **types}


def forbidden(kind: Kind) -> Values:
    """Return values of the right type that the kind does not allow."""
    match kind:
        case Line(limit):
            return _too_long(limit) | _quoted(_CONTROLS | _SURROGATES | _LINE_BREAKS | _BLANK)
        case Text(limit):
            return _too_long(limit) | _quoted(_CONTROLS | _SURROGATES)
        case Integer(minimum, maximum):
            beyond = {
                "below the minimum": b"%d" % (minimum - 1),
                "above the maximum": b"%d" % (maximum + 1),
            }
            huge = {"2**63 - 1": b"%d" % (2**63 - 1), "-(2**63)": b"%d" % -(2**63)}
            return beyond | huge
        case Timestamp():
            return _NO_TIMESTAMP
        case Identifier():
            return _NO_REFERENCE if isinstance(kind, Reference) else _NO_IDENTIFIER
    return _forbidden_words(kind)


def _forbidden_words(kind: Kind) -> Values:
    match kind:
        case Choice(words):
            return _other_words(words[0])
        case DateOrTime():
            return _NO_DATE_OR_TIME
        case TimeZone():
            return _NO_TIME_ZONE
        case RecurrenceText():
            rules = (text for texts in NO_RULES.values() for text in texts)
            return {_abbreviated(rule): json.dumps(rule).encode() for rule in rules}
    return {}


def _other_words(word: str) -> Values:
    """Return words that resemble an allowed one."""
    texts = (word.upper(), word.capitalize(), f" {word}", f"{word} ", f"{word}\\n", word[:-1], "")
    return {f'"{text}"': _quote(text) for text in texts}


def forbidden_items(kind: Kind) -> Mapping[int, Values]:
    """Return arrays with an item that the kind does not allow, by the index of the item."""
    if not isinstance(kind, Labels):
        return {}
    texts = {**_CONTROLS, **_SURROGATES, **_LINE_BREAKS, **_BLANK, **_NO_LABEL}
    wrong = {**_quoted(texts), **_too_long(LABEL_LIMIT), "a number": b"1", "null": b"null"}
    return {
        0: {f"[{what}]": b"[%s]" % item for what, item in wrong.items()},
        1: {
            f"[x, {what}]": b'["x", %s]' % item
            for what, item in {**wrong, "x": b'"x"', "X": b'"X"'}.items()
        },
    }


def not_ones_own(kind: Kind) -> Values:
    """Return ids that a reference may have by its form, and that the user has not."""
    return {**_NOT_ONES_OWN, **_OTHERS[kind.type_name]} if isinstance(kind, Reference) else {}


def allowed(field: Field) -> Values:
    """Return the values at the limits of the kind, and null if the field is nullable."""
    values = at_limits(field.kind)
    return {"null": b"null", **values} if field.nullable else values


def at_limits(kind: Kind) -> Values:
    """Return the values at the limits that the kind still allows."""
    match kind:
        case Text(limit):
            return {
                f"{limit:,} letters": _json("x" * limit),
                f"{limit:,} emoji": _json(ASTRAL * limit),
                f"{limit:,} emoji, escaped": _quote("\\ud83d\\ude00" * limit),
            }
        case Boolean():
            return {"true": b"true", "false": b"false"}
        case Integer(minimum, maximum):
            return {
                "the minimum": b"%d" % minimum,
                "the maximum": b"%d" % maximum,
                "a whole number with a fraction of 0": b"%d.0" % minimum,
            }
        case Labels(limit):
            return {
                "no label": b"[]",
                f"{limit} labels": _json([f"{n}" for n in range(limit)]),
                f"a label of {LABEL_LIMIT} emoji": _json([ASTRAL * LABEL_LIMIT]),
            }
    return {_abbreviated(word): _json(word) for word in _words_at_limits(kind)}


def _words_at_limits(kind: Kind) -> Iterable[str]:
    match kind:
        case Choice(words):
            return words
        case DateOrTime():
            return _DATES_AND_TIMES
        case RecurrenceText():
            return RULES_AT_LIMITS
    return ()


def cases_of(entity_type: type[Entity]) -> Iterator[Case]:
    """Yield the entries of all settable fields, for each method that sets them."""
    for field in fields_of(entity_type.new_type).values():
        for by, request in _methods(entity_type).items():
            at, kind = f"/{field.name}", field.kind
            yield from invalid(22, at, _requests(field, by, wrong_types(field), request))
            yield from invalid(24, at, _requests(field, by, forbidden(kind), request))
            yield from invalid(3, at, _requests(field, by, not_ones_own(kind), request))
            for index, values in forbidden_items(kind).items():
                item = _requests(field, by, values, request)
                yield from invalid(24, f"{at}/{index}", item)
            success = 201 if by == "POST" else 200
            yield from accepted(24, success, _requests(field, by, allowed(field), request))


def cases_of_filters(query_type: type[Query[Any]]) -> Iterator[Case]:
    """Yield the entries of filters by words, ids, dates, zones and labels, and a repetition."""
    for one in filters_of(query_type).values():
        for what, value in _forbidden_in_filter(one.kind).items():
            request = get(f"{LIST}?{one.parameter}={value.format(one.parameter)}")
            yield from invalid(23, f"?{one.parameter}", {f"{one.name}: {what}": request})


def _forbidden_in_filter(kind: Kind) -> dict[str, str]:
    """Return values for a query, with what they are."""
    match kind:
        case DateOrTime() | TimeZone():
            texts = {what: json.loads(value) for what, value in forbidden(kind).items()}
        case Reference():
            texts = {text: text for text in (*_NEAR_TO_ID, "none", "inbox", f"{_ID}\0")}
        case ReferenceFilter(word):
            texts = {text: text for text in (*_NEAR_TO_ID, word.upper(), f"{word},", f"{word}\0")}
        case WordList(((word, _), *_)):
            texts = {text: text for text in ("", ",", f"{word},", f"{word} ", f"{word}x", "[]")}
        case Labels(limit):
            over = ",".join(f"{n}" for n in range(limit + 1))
            texts = {text: text for text in ("", ",", "a,", " a", "a,,b", "a,A", "a\0", "a\x7f")}
            texts |= {f"{limit + 1} labels": over, "a long label": "x" * (LABEL_LIMIT + 1)}
        case _:
            return {}
    quoted = {f'"{what}"': quote(text) for what, text in texts.items()}
    return {**quoted, "a byte that is no UTF-8": "%FF", "a repetition": "x&{0}=x"}


Request = Callable[[str, bytes], bytes]

_PATHS: Mapping[type[Entity], tuple[str, str]] = {Task: (LIST, OWN), TaskList: (LISTS, OWN_LIST)}
_METHODS: Mapping[type[Entity], set[str]] = {
    Task: {"POST", "PUT", "PATCH"},
    TaskList: {"POST", "PATCH"},
}


def _methods(entity_type: type[Entity]) -> Mapping[str, Request]:
    """Return functions that write a field, given its name and JSON value."""
    required = {
        name: _json(field.to_json(field.example))
        for name, field in fields_of(entity_type.new_type).items()
        if field.is_required
    }
    path, own = _PATHS[entity_type]

    def body(name: str, value: bytes, *, whole: bool = True) -> bytes:
        return _object({**(required if whole else {}), **_beside(name, value), name: value})

    requests: dict[str, Request] = {
        "POST": lambda name, value: post(body(name, value), target=path),
        "PUT": lambda name, value: put(body(name, value), target=own),
        "PATCH": lambda name, value: patch(body(name, value, whole=False), target=own),
    }
    return {by: one for by, one in requests.items() if by in _METHODS[entity_type]}


def _beside(name: str, value: bytes) -> Mapping[str, bytes]:
    """Return the members that a value needs beside it, so that nothing else is wrong."""
    match name:
        case "recurrence":
            return {"due": b'"2026-03-29"'}
        case "occurrence":
            due = b'"2026-03-29T09:00:00"' if b":" in value else b'"2026-03-29"'
            return {"due": due, "recurrence": b'"FREQ=DAILY;COUNT=2"'}
    return {}


def _requests(field: Field, by: str, values: Values, request: Request) -> Values:
    return {
        f"{by} of {field.name}: {what}": request(field.name, value)
        for what, value in values.items()
    }


def _object(members: Mapping[str, bytes]) -> bytes:
    return b"{%s}" % b", ".join(b'"%s": %s' % (name.encode(), v) for name, v in members.items())


def _too_long(limit: int) -> Values:
    return {
        f"{limit + 1:,} letters": _json("x" * (limit + 1)),
        f"{limit + 1:,} letters of two bytes": _json("ä" * (limit + 1)),
        f"{limit + 1:,} emoji": _json(ASTRAL * (limit + 1)),
        f"{limit:,} letters and a space": _json("x" * limit + " "),
    }


def _quoted(texts: Mapping[str, str]) -> Values:
    return {name: _quote(text) for name, text in texts.items()}


def _abbreviated(text: str) -> str:
    """Return a text in printable letters; of a long one its ends, and its length."""
    is_short = len(text) < 100
    return ascii(text) if is_short else f"{text[:20]!a} … {text[-4:]!a}, {len(text):,} letters"


def _quote(escaped: str) -> bytes:
    return b'"%s"' % escaped.encode()


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()

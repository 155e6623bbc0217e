"""Texts that are no recurrence rules, and rules at the limits."""

from collections.abc import Mapping

LONGEST_RULE = "FREQ=MONTHLY;BYDAY=" + ",".join(["MO"] * 79)

_GENERAL = "must be parts such as FREQ=WEEKLY;BYDAY=MO, each once, in upper case and without spaces"
_FREQ = "FREQ must be one of DAILY, WEEKLY, MONTHLY, YEARLY"
_COUNT = "COUNT must be a number from 1 to 999"
_INTERVAL = "INTERVAL must be a number from 1 to 999"
_UNTIL = (
    "UNTIL must be a date (20261231), a local time (20261231T090000) or a time in UTC "
    "(20261231T080000Z), on a day that there is, in the years 1970 to 9998"
)
_BYMONTH = "BYMONTH must be months from 1 to 12"
_BYMONTHDAY = "BYMONTHDAY must be days from 1 to 31, or from -31 to -1"
_BYDAY = "BYDAY must be days such as MO, 2TU or -1FR"
_BYSETPOS = "BYSETPOS must be positions from 1 to 366, or from -366 to -1"
_WKST = "WKST must be one of MO, TU, WE, TH, FR, SA, SU"
_NUMBERS = "BYDAY may have numbers only with FREQ=MONTHLY, or with FREQ=YEARLY and BYMONTH"

NO_RULES: Mapping[str, tuple[str, ...]] = {
    _GENERAL: (
        *("", " ", "null", "daily", "every day", "P1D", "0 9 * * 1", "=DAILY", ";"),
        *("freq=daily", "Freq=DAILY", "FREQ=DAILY;count=2", "rrule:FREQ=DAILY"),
        *(
            " FREQ=DAILY",
            "FREQ =DAILY",
            "FREQ=DAILY; COUNT=2",
            "FREQ=DAILY;",
            "FREQ=DAILY;;COUNT=2",
        ),
        *("EXRULE:FREQ=DAILY", "FREQ=DAILY;X-A=1"),
        *("DTSTART:20260329\nRRULE:FREQ=DAILY", "FREQ=DAILY;\r\n COUNT=2", "\ufeffFREQ=DAILY"),
        *("FREQ=DAILY;\0COUNT=2", "FREQ\ud800=DAILY", "\ude00\ud83d=DAILY", "ＦＲＥＱ=DAILY"),
        "FREQ＝DAILY",
        "FREQ=DAILY" + ";" * 245,
    ),
    "must be the rule alone, without RRULE:": ("RRULE:", "RRULE:FREQ=DAILY"),
    "RRULE is not taken": ("RRULE=DAILY", "RRULE;X=1:FREQ=DAILY"),
    "EXDATE is not taken": ("FREQ=DAILY;EXDATE=1",),
    "BYEASTER is not taken": ("FREQ=DAILY;BYEASTER=0",),
    "SKIP is not taken": ("FREQ=MONTHLY;SKIP=BACKWARD",),
    "must start with FREQ": ("COUNT=2;FREQ=DAILY", "COUNT=2"),
    "FREQ is there twice": ("FREQ=DAILY;FREQ=DAILY",),
    "COUNT is there twice": ("FREQ=DAILY;COUNT=2;COUNT=2",),
    "COUNT and UNTIL exclude each other": ("FREQ=DAILY;COUNT=2;UNTIL=20300101",),
    "must have at most 255 characters": (
        *(f"{LONGEST_RULE},", "FREQ=DAILY;COUNT=" + "9" * 5000, "FREQ=DAILY" + ";" * 60_000),
    ),
    "FREQ=SECONDLY is not taken: a task recurs by days": ("FREQ=SECONDLY",),
    "FREQ=HOURLY is not taken: a task recurs by days": ("FREQ=HOURLY;COUNT=0",),
    "BYSECOND is not taken": ("FREQ=DAILY;BYSECOND=60",),
    "BYHOUR is not taken": ("BYHOUR=9;FREQ=DAILY",),
    "BYWEEKNO is not taken": ("FREQ=YEARLY;BYWEEKNO=20",),
    _FREQ: (
        *(
            "FREQ",
            "FREQ=",
            "FREQ==DAILY",
            "FREQ=daily",
            "FREQ=DAILY,WEEKLY",
            "FREQ=FORTNIGHTLY",
            "FREQ=1",
        ),
        *("FREQ= DAILY", "FREQ=DAILY ", "FREQ=DAILY\n", "FREQ=DAILY\r\n", "FREQ=DAI\r\n LY"),
        *("FREQ=DAILY\t", "FREQ=DAILY\0", "FREQ=DAILY\x1f", "FREQ=DAILY\u2028", "FREQ=DAILY\ud800"),
        *("FREQ=DA\u0130LY", "FREQ=DAILY\x1b[31m", "FREQ=DAILY\nRRULE:FREQ=DAILY"),
    ),
    _COUNT: tuple(
        f"FREQ=DAILY;COUNT={number}"
        for number in (
            *(
                "",
                "0",
                "00",
                "02",
                "+2",
                "-2",
                "-0",
                "2.0",
                "2e1",
                "0x2",
                "1_0",
                "1000",
                "2,3",
                " 2",
            ),
            *("NaN", "9223372036854775808", "9" * 238, "\u0663", "\uff12", "\u00b2", "2\0", "2\n"),
        )
    ),
    _INTERVAL: tuple(
        f"FREQ=DAILY;INTERVAL={number}" for number in ("0", "01", "-1", "1000", "1,2", "1\u0663")
    ),
    _UNTIL: tuple(
        f"FREQ=DAILY;UNTIL={until}"
        for until in (
            *("", "now", "20300230", "20270229", "20300431", "20300100", "20300001", "20301301"),
            *("00000101", "19691231", "99990101", "-20300101", "2030-01-01", "300101", "2030W011"),
            *(
                "2030001",
                "20300101Z",
                "20300101T",
                "20300101T0900",
                "20300101T240000",
                "\uff1220300101",
            ),
            *("20300101T235960", "20300101T096000", "20300101T090000z", "20300101T090000+0100"),
            *("20300101t090000", "20300101T090000.5", "20300101,20300102", "20300101\n"),
        )
    ),
    _BYMONTH: tuple(
        f"FREQ=YEARLY;BYMONTH={months}"
        for months in ("", "0", "13", "-1", "+1", "001", "JAN", "1,", ",1", "1,,2", "1, 2", "5L")
    ),
    _BYMONTHDAY: tuple(
        f"FREQ=MONTHLY;BYMONTHDAY={days}"
        for days in ("", "0", "00", "-0", "32", "-32", "--1", "+-1", "001", "1,", "1..3", "\u0661")
    ),
    _BYDAY: tuple(
        f"FREQ=MONTHLY;BYDAY={days}"
        for days in (
            *(
                "",
                "mo",
                "MONDAY",
                "XX",
                "1",
                "MO TU",
                "MO,",
                ",MO",
                "MO\0",
                "\udfff",
                "+MO",
                "1 MO",
            ),
            *("0MO", "01MO", "6MO", "-6MO", "53MO", "+-1MO", "\u0661MO", "MO" * 118),
            *("MO," * 78 + "M", "MO," * 78 + "mo", "1MO," * 58 + "6MO"),
        )
    ),
    _BYSETPOS: tuple(
        f"FREQ=YEARLY;BYDAY=MO;BYSETPOS={positions}"
        for positions in ("", "0", "-0", "01", "367", "-367", "1000", "1,", "1, 2", "\u0661")
    ),
    _WKST: tuple(f"FREQ=WEEKLY;WKST={day}" for day in ("", "1", "mo", "MO,SU", "1MO")),
    _NUMBERS: (
        *("FREQ=WEEKLY;BYDAY=1MO", "FREQ=WEEKLY;BYDAY=MO,+1TU", "FREQ=DAILY;BYDAY=-1MO"),
        "FREQ=YEARLY;BYDAY=1MO",
    ),
    "BYDAY must not have numbers beside BYMONTHDAY": ("FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=1",),
    "BYMONTHDAY is not taken with FREQ=WEEKLY": ("FREQ=WEEKLY;BYMONTHDAY=1",),
    "BYSETPOS needs BYMONTH, BYMONTHDAY or BYDAY": ("FREQ=MONTHLY;BYSETPOS=1",),
    "BYSETPOS must be from 1 to 31, or its negative, with FREQ=MONTHLY": (
        *("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=32", "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1,-366"),
    ),
    "BYSETPOS must be from 1 to 7, or its negative, with FREQ=WEEKLY": (
        "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=-8",
    ),
    "BYSETPOS must be from 1 to 1, or its negative, with FREQ=DAILY": (
        "FREQ=DAILY;BYDAY=MO;BYSETPOS=2",
    ),
}
"""Texts by what is said of them."""

RULES_AT_LIMITS = (
    *(
        "FREQ=DAILY;INTERVAL=999;COUNT=999",
        "FREQ=DAILY;UNTIL=99981231",
        "FREQ=DAILY;UNTIL=19700101",
    ),
    *("FREQ=YEARLY;BYMONTH=01,12;BYMONTHDAY=+01,-31,31", "FREQ=MONTHLY;BYDAY=+5MO,-5SU"),
    *("FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=366,-366;WKST=SU", LONGEST_RULE),
)
"""Rules of a task that is due on a date."""

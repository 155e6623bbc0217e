"""The 42 rules in the examples of RFC 5545, section 3.8.5.3, and the days that it gives for them.

All start at 09:00 in New York.
"""

import re
from datetime import date
from typing import NamedTuple

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Example(NamedTuple):
    """A rule, the day of its DTSTART, and its days as the RFC has them; "..." if there are more."""

    rule: str
    start: str
    days: str

    @property
    def is_endless(self) -> bool:
        """Whether the RFC gives only the first days."""
        return self.days.endswith("...")

    def following(self) -> list[date]:
        """Return the days behind the first."""
        year, found = 0, []
        for number, month, days in re.findall(r"(\d{4})|([A-Z][a-z]{2}) ([\d,-]+)", self.days):
            year = int(number or year)
            for part in days.split(",") if days else ():
                first, _, last = part.partition("-")
                numbers = range(int(first), int(last or first) + 1)
                found += [date(year, MONTHS.index(month) + 1, day) for day in numbers]
        return [day for day in found if day > date.fromisoformat(self.start)]


_WEEKS = "1997 Sep 2,9,16,23,30 Oct 7,14,21"
_JANUARIES = "1998 Jan 1-31 1999 Jan 1-31 2000 Jan 1-31"
_FIVE_WEEKS = "1997 Sep 2,4,9,11,16,18,23,25,30 Oct 2"

AGREED = [
    Example("FREQ=DAILY;COUNT=10", "1997-09-02", "1997 Sep 2-11"),
    Example(
        "FREQ=DAILY;UNTIL=19971224T000000Z",
        "1997-09-02",
        "1997 Sep 2-30 Oct 1-25 Oct 26-31 Nov 1-30 Dec 1-23",
    ),
    Example(
        "FREQ=DAILY;INTERVAL=2",
        "1997-09-02",
        "1997 Sep 2,4,6,8,10,12,14,16,18,20,22,24,26,28,30 "
        "Oct 2,4,6,8,10,12,14,16,18,20,22,24 Oct 26,28,30 Nov 1,3,5,7 ...",
    ),
    Example("FREQ=DAILY;INTERVAL=10;COUNT=5", "1997-09-02", "1997 Sep 2,12,22 Oct 2,12"),
    Example(
        "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA",
        "1998-01-01",
        _JANUARIES,
    ),
    Example("FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1", "1998-01-01", _JANUARIES),
    Example("FREQ=WEEKLY;COUNT=10", "1997-09-02", f"{_WEEKS} Oct 28 Nov 4"),
    Example(
        "FREQ=WEEKLY;UNTIL=19971224T000000Z",
        "1997-09-02",
        f"{_WEEKS} Oct 28 Nov 4,11,18,25 Dec 2,9,16,23",
    ),
    Example(
        "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
        "1997-09-02",
        "1997 Sep 2,16,30 Oct 14 Oct 28 Nov 11,25 Dec 9,23 1998 Jan 6,20 Feb 3,17 ...",
    ),
    Example("FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH", "1997-09-02", _FIVE_WEEKS),
    Example("FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH", "1997-09-02", _FIVE_WEEKS),
    Example(
        "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
        "1997-09-01",
        "1997 Sep 1,3,5,15,17,19,29 Oct 1,3,13,15,17 "
        "Oct 27,29,31 Nov 10,12,14,24,26,28 Dec 8,10,12,22",
    ),
    Example(
        "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
        "1997-09-02",
        "1997 Sep 2,4,16,18,30 Oct 2,14,16",
    ),
    Example(
        "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
        "1997-09-05",
        "1997 Sep 5 Oct 3 Nov 7 Dec 5 1998 Jan 2 Feb 6 Mar 6 Apr 3 May 1 Jun 5",
    ),
    Example(
        "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR",
        "1997-09-05",
        "1997 Sep 5 Oct 3 Nov 7 Dec 5",
    ),
    Example(
        "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
        "1997-09-07",
        "1997 Sep 7,28 Nov 2,30 1998 Jan 4,25 Mar 1,29 May 3,31",
    ),
    Example(
        "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
        "1997-09-22",
        "1997 Sep 22 Oct 20 Nov 17 Dec 22 1998 Jan 19 Feb 16",
    ),
    Example(
        "FREQ=MONTHLY;BYMONTHDAY=-3",
        "1997-09-28",
        "1997 Sep 28 Oct 29 Nov 28 Dec 29 1998 Jan 29 Feb 26 ...",
    ),
    Example(
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
        "1997-09-02",
        "1997 Sep 2,15 Oct 2,15 Nov 2,15 Dec 2,15 1998 Jan 2,15",
    ),
    Example(
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
        "1997-09-30",
        "1997 Sep 30 Oct 1 Oct 31 Nov 1,30 Dec 1,31 1998 Jan 1,31 Feb 1",
    ),
    Example(
        "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
        "1997-09-10",
        "1997 Sep 10,11,12,13,14,15 1999 Mar 10,11,12,13",
    ),
    Example(
        "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
        "1997-09-02",
        "1997 Sep 2,9,16,23,30 Nov 4,11,18,25 1998 Jan 6,13,20,27 Mar 3,10,17,24,31 ...",
    ),
    Example(
        "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
        "1997-06-10",
        "1997 Jun 10 Jul 10 1998 Jun 10 Jul 10 1999 Jun 10 Jul 10 2000 Jun 10 Jul 10 "
        "2001 Jun 10 Jul 10",
    ),
    Example(
        "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
        "1997-03-10",
        "1997 Mar 10 1999 Jan 10 Feb 10 Mar 10 2001 Jan 10 Feb 10 Mar 10 2003 Jan 10 Feb 10 Mar 10",
    ),
    Example(
        "FREQ=YEARLY;BYMONTH=3;BYDAY=TH",
        "1997-03-13",
        "1997 Mar 13,20,27 1998 Mar 5,12,19,26 1999 Mar 4,11,18,25 ...",
    ),
    Example(
        "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8",
        "1997-06-05",
        "1997 Jun 5,12,19,26 Jul 3,10,17,24,31 Aug 7,14,21,28 "
        "1998 Jun 4,11,18,25 Jul 2,9,16,23,30 Aug 6,13,20,27 "
        "1999 Jun 3,10,17,24 Jul 1,8,15,22,29 Aug 5,12,19,26 ...",
    ),
    # The RFC excludes the start, which is no Friday, by an EXDATE.
    Example(
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        "1997-09-02",
        "1998 Feb 13 Mar 13 Nov 13 1999 Aug 13 2000 Oct 13 ...",
    ),
    Example(
        "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
        "1997-09-13",
        "1997 Sep 13 Oct 11 Nov 8 Dec 13 1998 Jan 10 Feb 7 Mar 7 Apr 11 May 9 Jun 13 ...",
    ),
    Example(
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
        "1996-11-05",
        "1996 Nov 5 2000 Nov 7 2004 Nov 2 ...",
    ),
    Example(
        "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "1997-09-04", "1997 Sep 4 Oct 7 Nov 6"
    ),
    Example(
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
        "1997-09-29",
        "1997 Sep 29 Oct 30 Nov 27 Dec 30 1998 Jan 29 Feb 26 Mar 30 ...",
    ),
    Example(
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "1997-08-05", "1997 Aug 5,10,19,24"
    ),
    Example(
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "1997-08-05", "1997 Aug 5,17,19,31"
    ),
    Example(
        "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "2007-01-15", "2007 Jan 15,30 Feb 15 Mar 15,30"
    ),
]
"""Those in the subset that a task may have."""

REFUSED = {
    "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200": "BYYEARDAY is not taken",
    "FREQ=YEARLY;BYDAY=20MO": "BYDAY must be days such as MO, 2TU or -1FR",
    "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO": "BYWEEKNO is not taken",
    "FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000Z": (
        "FREQ=HOURLY is not taken: a task recurs by days"
    ),
    "FREQ=MINUTELY;INTERVAL=15;COUNT=6": "FREQ=MINUTELY is not taken: a task recurs by days",
    "FREQ=MINUTELY;INTERVAL=90;COUNT=4": "FREQ=MINUTELY is not taken: a task recurs by days",
    "FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40": "BYHOUR is not taken",
    "FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16": "BYHOUR is not taken",
}
"""The others, and the error of each."""

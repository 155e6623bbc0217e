"""Findings of `taskservice check`: a line each, with advice."""

from typing import NamedTuple

from taskservice.logs import escaped

MAX_CLOCK_SKEW = 30.0
"""Seconds of clock skew at which tokens are refused."""

WARN_CLOCK_SKEW = 2.0
"""Seconds."""


class Finding(NamedTuple):
    """The state of one part (`ok`, `warn` or `FAIL`), a text, and advice."""

    state: str
    part: str
    text: str
    advice: str = ""

    @property
    def is_failure(self) -> bool:
        """Whether the service cannot work."""
        return self.state == "FAIL"

    def line(self) -> str:
        """Return the line to print, with the advice below; escape text that came from servers."""
        line = escaped(f"{self.state:<5} {self.part:<9} {self.text}")
        return f"{line}\n{'':<16}{escaped(self.advice)}" if self.advice else line


def ok(part: str, text: str) -> Finding:
    """Return that a part works."""
    return Finding("ok", part, text)


def warn(part: str, text: str, advice: str) -> Finding:
    """Return that a part works, but needs attention."""
    return Finding("warn", part, text, advice)


def fail(part: str, text: str, advice: str) -> Finding:
    """Return that the service cannot work because of a part."""
    return Finding("FAIL", part, text, advice)


def clock_finding(whose: str, ahead: float) -> Finding:
    """Return the finding for a clock that is `ahead` of this machine's, in seconds."""
    direction = "ahead of" if ahead > 0 else "behind"
    text = f"{whose} clock is {abs(ahead):.1f} s {direction} this machine's"
    advice = "synchronize both clocks with NTP; tokens tolerate 30 s"
    if abs(ahead) > MAX_CLOCK_SKEW:
        return fail("clock", text, advice)
    return warn("clock", text, advice) if abs(ahead) > WARN_CLOCK_SKEW else ok("clock", text)

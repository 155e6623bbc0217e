"""What `taskservice check` has found: one line each, and what to do."""

from typing import NamedTuple

from taskservice.logs import escaped

LEEWAY = 30.0
"""How far a clock may be off before tokens are refused for it, in seconds."""
NOTABLE = 2.0


class Finding(NamedTuple):
    """The state of one part: `ok`, `warn` or `FAIL`, in words, and what to do about it."""

    state: str
    part: str
    text: str
    advice: str = ""

    @property
    def fails(self) -> bool:
        """Whether the service could not do its work."""
        return self.state == "FAIL"

    def told(self) -> str:
        """Return the line for a person, the advice below it; servers have said some of the text."""
        line = escaped(f"{self.state:<5} {self.part:<9} {self.text}")
        return f"{line}\n{'':<16}{escaped(self.advice)}" if self.advice else line


def ok(part: str, text: str) -> Finding:
    """Return that a part is as it should be."""
    return Finding("ok", part, text)


def warn(part: str, text: str, advice: str) -> Finding:
    """Return that a part works, and should be looked at."""
    return Finding("warn", part, text, advice)


def fail(part: str, text: str, advice: str) -> Finding:
    """Return that a part keeps the service from its work."""
    return Finding("FAIL", part, text, advice)


def clock_finding(whose: str, ahead: float) -> Finding:
    """Return what is to be said of another clock that is `ahead` of ours, in seconds."""
    direction = "ahead of" if ahead > 0 else "behind"
    text = f"{whose} clock is {abs(ahead):.1f} s {direction} this machine's"
    advice = "let both follow NTP; tokens bear 30 s"
    if abs(ahead) > LEEWAY:
        return fail("clock", text, advice)
    return warn("clock", text, advice) if abs(ahead) > NOTABLE else ok("clock", text)

"""Key set: when it is fetched, which requests wait, and how long keys are valid."""

import math
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from tests.processes import ROOT, SECONDS, environment
from tests.token_issuer import Issuer, SigningKey

from taskservice.adapters.jwt import KeySet, KeySource, Verifier, key_set
from taskservice.core.errors import Unauthenticated, Unavailable
from taskservice.core.operations.metrics import Metrics
from taskservice.core.operations.readiness import Probe

# A wait that should not be is a test that does not end.
pytestmark = pytest.mark.timeout(30)

DAY = 86_400.0
ENCRYPTS = {"kty": "RSA", "kid": "e1", "use": "enc"}


class Source:
    """A key set and a clock: `fetch` counts, fails while `down`, and waits for `gate`."""

    def __init__(self) -> None:
        self.issuer = Issuer(["EdDSA", "ES256"])
        self.now = 5000.0
        self.count = 0
        self.down = False
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()

    def clock(self) -> float:
        return self.now

    def fetch(self, url: str) -> bytes:
        assert url == "https://i.example/jwks"
        self.count += 1
        self.entered.set()
        self.gate.wait()
        if self.down:
            raise Unavailable("i.example: down")
        return self.issuer.document()

    def hold(self) -> None:
        """Let the next fetch hang until `release`."""
        self.gate.clear()
        self.entered.clear()

    def await_fetch(self) -> None:
        """Return when a fetch has begun."""
        assert self.entered.wait(SECONDS)

    def release(self) -> None:
        """Let go what hangs, and wait until it has landed."""
        self.gate.set()
        landed()


class Recorder(Metrics):
    """Keeps what it hears of the keys."""

    def __init__(self) -> None:
        self.received: list[object] = []

    def jwks_fetched(self, at: float) -> None:
        self.received.append(("fetched", at))

    def jwks_fetch_failed(self) -> None:
        self.received.append("not fetched")


def landed() -> None:
    """Wait until no fetch is under way."""
    for thread in threading.enumerate():
        if thread.name == "key-set":
            thread.join()


@pytest.fixture
def source() -> Iterator[Source]:
    source = Source()
    yield source
    source.release()


@pytest.fixture
def keys(source: Source, monkeypatch: pytest.MonkeyPatch) -> KeySet:
    monkeypatch.setattr(key_set, "FETCH_WAIT_TIMEOUT", 1000.0)
    return KeySet("https://i.example/jwks", clock=source.clock, fetch=source.fetch)


def uses(keys: KeySet, source: Source, *, every: float, until: float) -> list[float]:
    """Use the keys at an interval, and return the times, since now, at which they were fetched."""
    start, fetched = source.now, []
    while source.now - start < until:
        source.now += every
        before = source.count
        keys.candidates("EdDSA", None)
        landed()
        fetched += [source.now - start] * (source.count - before)
    return fetched


def knows(keys: KeySet, key: SigningKey) -> bool:
    return len(keys.candidates(key.algorithm, key.key_id)) == 1


def test_nothing_is_fetched_at_construction(keys: KeySet, source: Source) -> None:
    """A key set that is made, and not used, has no thread and asked nobody."""
    assert source.count == 0
    assert [t for t in threading.enumerate() if t.name == "key-set"] == []
    assert keys.age == math.inf


def test_no_fetch_keeps_a_process_from_its_end(keys: KeySet, source: Source) -> None:
    """The thread of a fetch that hangs is one that nobody waits for at the exit."""
    keys.refresh_now()
    source.now += 300
    source.hold()
    keys.candidates("EdDSA", None)
    source.await_fetch()
    assert [t.daemon for t in threading.enumerate() if t.name == "key-set"] == [True]


def test_a_request_waits_for_6_seconds_at_most() -> None:
    """A fetch takes up to 5 s, and the resolver has a second beyond."""
    assert key_set.FETCH_WAIT_TIMEOUT == 6.0


def test_the_first_use_fetches(keys: KeySet, source: Source) -> None:
    """The first token waits for the key set and is then verified."""
    port: KeySource = keys
    assert Verifier(port)(source.issuer.token()).owner == "ada"
    assert source.count == 1


def test_keys_serve_until_the_refresh(keys: KeySet, source: Source) -> None:
    """A set is fetched again after 300 s of use, and every 300 s from there."""
    keys.refresh_now()
    assert uses(keys, source, every=10, until=1200) == [300, 600, 900, 1200]


def test_the_refresh_can_be_shorter(source: Source) -> None:
    """The time between fetches is a setting, in seconds."""
    keys = KeySet("https://i.example/jwks", 20, source.clock, source.fetch)
    keys.refresh_now()
    assert uses(keys, source, every=5, until=60) == [20, 40, 60]


@pytest.mark.parametrize("refresh", [0.0, -1.0, 300.1, math.inf, math.nan])
def test_the_refresh_has_a_bound(refresh: float) -> None:
    """A time between fetches that would keep a removed key alive too long is refused."""
    with pytest.raises(ValueError, match="over 0 and at most 300"):
        KeySet("https://i.example/jwks", refresh)


def test_a_refresh_does_not_block(keys: KeySet, source: Source) -> None:
    """While a refresh hangs, every request goes on with the known keys, and none fetches too."""
    old = source.issuer.key("EdDSA")
    keys.refresh_now()
    source.now += 300
    source.issuer.rotate()
    source.hold()
    for _ in range(20):
        assert knows(keys, old)
    source.await_fetch()
    assert source.count == 2
    source.release()
    assert keys.candidates("EdDSA", None)[0].key_id == source.issuer.key("EdDSA").key_id
    assert source.count == 2


def test_threads_start_one_refresh(keys: KeySet, source: Source) -> None:
    """Eight threads that all find the set due fetch it once."""
    keys.refresh_now()
    source.now += 300
    source.hold()
    barrier = threading.Barrier(8)

    def use(_: int) -> int:
        barrier.wait()
        return len(keys.candidates("EdDSA", None))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(use, range(8))) == [1] * 8
    source.await_fetch()
    assert source.count == 2


@pytest.mark.parametrize("every", [1, 7, 100, 299, 301, 450, 599])
def test_a_removed_key_stops_working_within_600_s(
    keys: KeySet, source: Source, every: float
) -> None:
    """However often tokens come, 600 s after its removal no token of the old key is taken."""
    keys.refresh_now()
    old = source.issuer.key("EdDSA")
    source.issuer.rotate()
    removed = source.now
    while source.now + every < removed + 600:
        source.now += every
        keys.candidates("EdDSA", None)
        landed()
    source.now = removed + 600
    assert keys.candidates("EdDSA", old.key_id) == []


def test_a_process_that_slept_fetches_before_use(keys: KeySet, source: Source) -> None:
    """After 600 s without a use, the set is fetched before the next token is tested."""
    keys.refresh_now()
    old = source.issuer.token()
    source.issuer.rotate()
    source.now += 600
    with pytest.raises(Unauthenticated):
        Verifier(keys)(old)
    assert Verifier(keys)(source.issuer.token()).owner == "ada"


def test_an_outage_is_slept_through_no_longer_than_the_refresh(
    keys: KeySet, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """300 s after an attempt that failed, a set of 600 s is fetched before use."""
    keys.refresh_now()
    source.down = True
    source.now += 300
    keys.candidates("EdDSA", None)
    landed()
    source.down = False
    source.issuer.rotate()
    source.now += 300
    source.hold()
    join = threading.Thread.join

    def let_go(thread: threading.Thread, timeout: float | None = None) -> None:
        source.gate.set()
        join(thread, timeout)

    # The fetch ends only if somebody waits for it.
    monkeypatch.setattr(threading.Thread, "join", let_go)
    assert keys.candidates("EdDSA", None)[0].key_id == source.issuer.key("EdDSA").key_id


def test_requests_after_a_long_pause_wait_for_one_fetch(keys: KeySet, source: Source) -> None:
    """Of many requests after a sleep none is answered from the old set, and one fetches."""
    keys.refresh_now()
    old = source.issuer.key("EdDSA")
    source.issuer.rotate()
    source.now += 600
    source.hold()
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(keys.candidates, "EdDSA", None) for _ in range(4)]
        source.await_fetch()
        source.gate.set()
        assert {key.key_id for answer in answers for key in answer.result()} == {
            source.issuer.key("EdDSA").key_id
        }
    assert source.count == 2
    assert old.key_id != source.issuer.key("EdDSA").key_id


def test_known_keys_serve_while_the_issuer_is_down(keys: KeySet, source: Source) -> None:
    """After failed refreshes known keys serve on, and are asked for at most once per 30 s."""
    keys.refresh_now()
    source.down = True
    assert uses(keys, source, every=1, until=400) == [300, 330, 360, 390]
    assert knows(keys, source.issuer.key("ES256"))


def test_an_unavailable_issuer_does_not_block(keys: KeySet, source: Source) -> None:
    """Hours into an outage, a request is served while an attempt hangs."""
    keys.refresh_now()
    source.down = True
    uses(keys, source, every=100, until=7200)
    source.now += 30
    source.hold()
    before = source.count
    assert knows(keys, source.issuer.key("ES256"))
    source.await_fetch()
    assert source.count == before + 1


def test_an_issuer_that_takes_back_every_key_is_obeyed(keys: KeySet, source: Source) -> None:
    """A set that became empty replaces the known one: its keys stop working within the bound."""
    keys.refresh_now()
    old = source.issuer.key("EdDSA")
    source.issuer.keys = []
    assert uses(keys, source, every=1, until=301) == [300]
    assert not knows(keys, old)
    assert not knows(keys, old)
    keys.refresh_now()


@pytest.mark.parametrize(
    ("extra", "reason"),
    [([], "it is empty"), ([ENCRYPTS], 'key 1 (kid "e1"): use is "enc", not "sig"')],
)
def test_a_first_answer_without_a_key_is_a_failure(
    keys: KeySet, source: Source, extra: list[object], reason: str
) -> None:
    """An issuer that never gave a usable key leaves the process without one: `Unavailable`."""
    source.issuer.keys, source.issuer.extra = [], extra
    with pytest.raises(Unavailable) as outage:
        keys.candidates("EdDSA", None)
    assert str(outage.value) == f"no key set is available: it has no usable key: {reason}"


def test_refreshing_resumes_when_the_issuer_does(keys: KeySet, source: Source) -> None:
    """An issuer that is back is found within the cool-down, with its new keys."""
    keys.refresh_now()
    source.down = True
    uses(keys, source, every=1, until=340)
    source.down = False
    source.issuer.rotate()
    assert uses(keys, source, every=1, until=320) == [20, 320]
    assert knows(keys, source.issuer.key("EdDSA"))


def test_known_keys_serve_for_a_day(keys: KeySet, source: Source) -> None:
    """24 h after the last success the keys are given up: `Unavailable`, until a fetch succeeds."""
    probe: Probe = keys.probe
    probe()
    source.down = True
    source.now += DAY - 1
    probe()
    landed()
    assert knows(keys, source.issuer.key("EdDSA"))
    source.now += 1
    with pytest.raises(Unavailable, match=r"no key set is available: i\.example: down"):
        keys.candidates("EdDSA", None)
    with pytest.raises(Unavailable):
        probe()
    source.down = False
    source.now += 1
    probe()
    assert keys.age == 0


def test_an_unknown_kid_is_fetched_at_once(keys: KeySet, source: Source) -> None:
    """A token of a key that is newer than the set waits for one fetch and is verified."""
    keys.refresh_now()
    source.now += 1
    source.issuer.rotate()
    assert Verifier(keys)(source.issuer.token()).owner == "ada"
    assert source.count == 2


def test_unknown_kids_cause_one_fetch_per_30_s(keys: KeySet, source: Source) -> None:
    """A thousand unknown `kid`s in 100 s are refused at the price of four fetches."""
    keys.refresh_now()
    fetched = []
    for step in range(1000):
        before = source.count
        assert keys.candidates("EdDSA", f"../../{step}?a=b") == []
        fetched += [step * 0.1] * (source.count - before)
        source.now += 0.1
    assert len(fetched) == 4
    assert [round(at) for at in fetched] == [0, 30, 60, 90]


def test_an_unknown_kid_is_refused_at_once_in_the_cool_down(keys: KeySet, source: Source) -> None:
    """Even a new key's token is refused without a fetch until the 30 s are over."""
    keys.refresh_now()
    keys.candidates("EdDSA", "unknown")
    source.issuer.rotate()
    new = source.issuer.key("EdDSA")
    source.now += 29.9
    assert not knows(keys, new)
    assert source.count == 2
    source.now += 0.1
    assert knows(keys, new)
    assert source.count == 3


def test_an_unknown_kid_is_no_bad_one_while_the_issuer_is_down(
    keys: KeySet, source: Source
) -> None:
    """It may be a new key's: that nobody can be asked is an outage."""
    keys.refresh_now()
    source.down = True
    source.issuer.rotate()
    verify, token = Verifier(keys), source.issuer.token()
    for _ in range(2):
        with pytest.raises(
            Unavailable, match=r"^unknown kid, and jwks fetch failed: i\.example: down$"
        ):
            verify(token)
    assert source.count == 2
    source.down = False
    source.now += 30
    assert verify(token)
    unknown = source.issuer.token(headers={"kid": "unknown"})
    with pytest.raises(Unauthenticated, match="no key verifies the signature"):
        verify(unknown)


def test_a_known_kid_with_another_algorithm_is_not_fetched(keys: KeySet, source: Source) -> None:
    """No fetch is spent on a `kid` that is known, though it does not fit the `alg`."""
    keys.refresh_now()
    assert keys.candidates("EdDSA", source.issuer.key("ES256").key_id) == []
    assert source.count == 1


def test_an_unknown_kid_does_not_delay_other_requests(keys: KeySet, source: Source) -> None:
    """While an unknown `kid` waits for a fetch, others are served, and other unknowns told so."""
    keys.refresh_now()
    source.hold()
    with ThreadPoolExecutor(1) as pool:
        unknown = pool.submit(keys.candidates, "EdDSA", "unknown")
        source.await_fetch()
        assert knows(keys, source.issuer.key("EdDSA"))
        with pytest.raises(Unavailable, match="a fetch is in progress"):
            keys.candidates("EdDSA", "unknown too")
        assert not unknown.done()
        source.gate.set()
        assert unknown.result() == []
    assert source.count == 2


def test_an_unknown_kid_joins_a_refresh_under_way(keys: KeySet, source: Source) -> None:
    """A new key's token waits for the refresh that brings its key, and makes no second one."""
    keys.refresh_now()
    source.issuer.rotate()
    source.now += 300
    source.hold()
    assert len(keys.candidates("EdDSA", None)) == 1
    source.await_fetch()
    with ThreadPoolExecutor(1) as pool:
        new = pool.submit(knows, keys, source.issuer.key("EdDSA"))
        source.gate.set()
        assert new.result()
    assert source.count == 2


def test_without_any_key_it_is_an_outage(keys: KeySet, source: Source) -> None:
    """Before any key is known, a token in good form is `Unavailable`; a bad one is refused."""
    source.down = True
    verify = Verifier(keys)
    with pytest.raises(Unavailable, match=r"no key set is available: i\.example: down"):
        verify(source.issuer.token())
    with pytest.raises(Unauthenticated):
        verify("x" + source.issuer.token())


def test_without_any_key_one_attempt_is_made_per_second(keys: KeySet, source: Source) -> None:
    """Requests that find no key ask the issuer once per second at most, else fail at once."""
    source.down = True
    fetched = []
    for step in range(40):
        before = source.count
        with pytest.raises(Unavailable):
            keys.probe()
        fetched += [step] * (source.count - before)
        source.now += 0.125
    assert fetched == [0, 8, 16, 24, 32]


def test_without_any_key_one_request_waits(keys: KeySet, source: Source) -> None:
    """While one request waits for the first key set, the others hear of the outage at once."""
    source.hold()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(keys.candidates, "EdDSA", None)
        source.await_fetch()
        with pytest.raises(Unavailable, match="no key set is available: a fetch is in progress"):
            keys.candidates("EdDSA", None)
        source.gate.set()
        assert len(first.result()) == 1
    assert source.count == 1


def test_the_first_key_is_found_when_the_issuer_comes_up(keys: KeySet, source: Source) -> None:
    """A process that began without its issuer serves as soon as the probe or a token finds it."""
    source.down = True
    with pytest.raises(Unavailable):
        keys.refresh_now()
    source.down = False
    source.now += 1
    keys.probe()
    assert knows(keys, source.issuer.key("EdDSA"))


def test_refresh_now_fetches_whatever_the_age(keys: KeySet, source: Source) -> None:
    """`refresh_now` fetches a set that is young, and says why where it cannot."""
    keys.refresh_now()
    keys.refresh_now()
    assert source.count == 2
    source.down = True
    with pytest.raises(Unavailable, match=r"jwks fetch failed: i\.example: down"):
        keys.refresh_now()
    assert knows(keys, source.issuer.key("EdDSA"))


def test_the_age_is_that_of_the_question(keys: KeySet, source: Source) -> None:
    """The age counts from when the fetch began: a removal during it is not missed."""
    source.hold()
    with ThreadPoolExecutor(1) as pool:
        fetched = pool.submit(keys.refresh_now)
        source.await_fetch()
        source.now += 4
        source.gate.set()
        fetched.result()
    assert keys.age == 4


def test_a_failure_is_logged(
    keys: KeySet, source: Source, caplog: pytest.LogCaptureFixture
) -> None:
    """A refresh that fails behind the requests leaves its reason in the log."""
    keys.refresh_now()
    source.down = True
    uses(keys, source, every=300, until=300)
    assert caplog.messages == ["jwks fetch failed"]
    assert vars(caplog.records[0])["reason"] == "i.example: down"


def test_ignored_keys_are_logged_when_they_change(
    keys: KeySet, source: Source, caplog: pytest.LogCaptureFixture
) -> None:
    """With the reason of each, not at every fetch, and whatever their order."""
    caplog.set_level("INFO", "taskservice")
    first, second = ENCRYPTS, {"kty": "oct", "k": "c2Vj"}
    for extra in ([first], [first], [first, second], [second, first], [], [first]):
        source.issuer.extra = extra
        keys.refresh_now()
    why = 'key 3 (kid "e1"): use is "enc", not "sig"'
    also = 'key 4: kty is "oct", not "OKP", "EC" or "RSA"'
    assert [vars(each)["reason"] for each in caplog.records] == [why, f"{why}; {also}", why]
    assert {(each.levelname, each.message) for each in caplog.records} == {
        ("INFO", "jwks keys ignored")
    }


def test_a_set_that_loses_its_last_key_is_logged(
    keys: KeySet, source: Source, caplog: pytest.LogCaptureFixture
) -> None:
    """Every token is refused from then on: a warning says why, once."""
    caplog.set_level("INFO", "taskservice")
    source.issuer.extra, known = [ENCRYPTS], source.issuer.keys
    for left in (known, [], [], known):
        source.issuer.keys = left
        keys.refresh_now()
    source.issuer.extra, source.issuer.keys = [], []
    keys.refresh_now()
    assert [
        (each.message, vars(each)["reason"])
        for each in caplog.records
        if each.levelname == "WARNING"
    ] == [
        ("jwks has no usable key", 'key 1 (kid "e1"): use is "enc", not "sig"'),
        ("jwks has no usable key", "it is empty"),
    ]


def test_metrics_count_each_fetch(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of none yet, of when the keys were fetched, by the clock on the wall, and of each failure."""
    metrics = Recorder()
    keys = KeySet("https://i.example/jwks", clock=source.clock, fetch=source.fetch, metrics=metrics)
    assert metrics.received == [("fetched", 0)]
    monkeypatch.setattr(key_set, "time", SimpleNamespace(time=lambda: 1770638400.0))
    keys.refresh_now()
    source.down = True
    with pytest.raises(Unavailable):
        keys.refresh_now()
    assert metrics.received == [("fetched", 0), ("fetched", 1770638400.0), "not fetched"]


def test_known_keys_serve_where_no_thread_can_start(
    keys: KeySet, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process at its limit of threads serves on, and refreshes when it can."""
    keys.refresh_now()
    source.now += 300

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        assert knows(keys, source.issuer.key("EdDSA"))
        assert source.count == 1
    assert knows(keys, source.issuer.key("EdDSA"))
    landed()
    assert source.count == 2


def test_without_a_key_and_a_thread_it_is_an_outage(
    keys: KeySet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process without a key that cannot start a thread says so."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    for use in (keys.probe, keys.refresh_now):
        with pytest.raises(Unavailable, match="can't start new thread"):
            use()


def test_no_request_waits_for_ever(
    keys: KeySet, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fetch that outlives its limits is waited for no longer, with keys at hand and without."""
    monkeypatch.setattr(key_set, "FETCH_WAIT_TIMEOUT", 0.01)
    source.hold()
    with pytest.raises(Unavailable, match="no key set is available: a fetch is in progress"):
        keys.probe()
    source.release()
    assert keys.candidates("EdDSA", "unknown") == []
    source.hold()
    source.now += 30
    for ask in (partial(keys.candidates, "EdDSA", "unknown"), keys.refresh_now):
        with pytest.raises(Unavailable, match="jwks fetch failed: a fetch is in progress"):
            ask()
    assert knows(keys, source.issuer.key("EdDSA"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("is_fetching", [False, True])
def test_a_forked_process_fetches_for_itself(is_fetching: bool) -> None:
    """A child has the parent's keys and refreshes them itself, even if forked during a fetch."""
    # In a process of its own: the child of one with many threads may wait for what they held.
    code = f"from {__name__} import forked; raise SystemExit(forked({is_fetching}))"
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code]
    subprocess.run(command, cwd=ROOT, env=environment(), check=True)


def forked(is_fetching: bool) -> int:
    """Return 0 if the keys serve in a child of this process, and are fetched there."""
    source = Source()
    keys = KeySet("https://i.example/jwks", clock=source.clock, fetch=source.fetch)
    keys.refresh_now()
    source.now += 300
    if is_fetching:
        source.hold()
        keys.candidates("EdDSA", None)
        source.await_fetch()
    child = os.fork()
    if not child:
        os._exit(_child(keys, source))
    source.release()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _child(keys: KeySet, source: Source) -> int:
    """Return 0 if the keys serve here, and are fetched here."""
    try:
        source.gate = threading.Event()
        source.gate.set()
        before, served = source.count, knows(keys, source.issuer.key("EdDSA"))
        landed()
        return 0 if served and source.count == before + 1 and keys.age == 0 else 1
    except BaseException:
        return 2


def test_time_does_not_run_out_under_threads(source: Source) -> None:
    """With eight threads, an issuer that comes and goes and a running clock, no request fails.

    But for those whose key may be a new one, while nobody can be asked.
    """
    keys = KeySet("https://i.example/jwks", 1, source.clock, source.fetch)
    keys.refresh_now()

    def use(number: int) -> Any:
        source.now += 0.5
        source.down = number % 3 == 0
        if number % 5:
            return len(keys.candidates("EdDSA", None))
        with suppress(Unavailable):
            return len(keys.candidates("EdDSA", "unknown"))
        return 0

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(use, range(2000)))
    assert found == [0 if number % 5 == 0 else 1 for number in range(2000)]

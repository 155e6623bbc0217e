"""A wire to a server that can be cut or held, can lose a request or an answer, and fall silent."""

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from urllib.parse import urlsplit

SYNC, FLUSH = b"S\0\0\0\4", b"H\0\0\0\4"

_prepared = re.compile(rb"P.{4}(_pg3_\w+)\0(.*?\0)", re.DOTALL).findall
"""The name and the text of each statement that is prepared: later, its name alone is said."""


class TcpProxy:
    """Passes bytes between clients and a server.

    `lose_answer_to` is what the next request holds that the server hears and
    whose client does not hear the server, on a connection on which `after_bytes`
    was said before; `lose` is what the next one holds that does not reach it,
    after which `on_loss` is called. Either way the connection is cut. A silent
    wire swallows all that is sent. A new connection is made after `delay`
    seconds.
    """

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.lose_answer_to: bytes | None = None
        self.after_bytes = b""
        self.lose: bytes | None = None
        self.lost = 0
        self.on_loss: Callable[[], object] = lambda: None
        self.is_cut = False
        self.is_silent = False
        self.delay = 0.0
        self._flows = Event()
        self._flows.set()
        self._clients: set[socket.socket] = set()
        self._lock = Lock()
        Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """Take no more clients."""
        # What is closed alone leaves the thread that waits on it waiting for ever.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def cut(self) -> None:
        """Cut all connections that there are; new ones are taken."""
        with self._lock:
            for client in self._clients:
                with suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)

    def hold(self, seconds: float) -> None:
        """Pass nothing on, in either direction, for a time; then all of it."""
        self._flows.clear()
        time.sleep(seconds)
        self._flows.set()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with self._registered(client), client, suppress(OSError):
            if self.is_cut:
                return
            time.sleep(self.delay)
            with socket.create_connection(self._server) as server:
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                answering = Thread(target=self._answer, args=(server, client), daemon=True)
                answering.start()
                # A client that was killed resets its connection; the server hears of its end too.
                with suppress(OSError):
                    self._ask(client, server)
                server.shutdown(socket.SHUT_WR)
                answering.join()

    @contextmanager
    def _registered(self, client: socket.socket) -> Iterator[None]:
        with self._lock:
            self._clients.add(client)
        yield
        with self._lock:
            self._clients.remove(client)

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        """Pass requests on, up to the one that is lost, or whose answer is."""
        is_losing = False
        said = b""
        prepared: dict[bytes, bytes] = {}
        while asked := client.recv(65536):
            self._flows.wait()
            if self.is_silent:
                continue
            prepared |= dict(_prepared(asked))
            if self.after_bytes in asked:
                said = self.after_bytes
            if self.lose is not None and self.lose in asked:
                self.lose = None
                self._cut(client)
                return
            if said == self.after_bytes and self._is_to_lose(asked, prepared):
                self.lose_answer_to = None
                is_losing = True
            if is_losing and _is_whole(asked):
                # The server has it and will do it; whoever asked will not hear of it.
                self._cut(client)
                server.sendall(asked)
                return
            server.sendall(asked)

    def _is_to_lose(self, asked: bytes, prepared: dict[bytes, bytes]) -> bool:
        if (sought := self.lose_answer_to) is None:
            return False
        names = [name for name, text in prepared.items() if sought in text]
        return sought in asked or any(b"\0%b\0" % name in asked for name in names)

    def _cut(self, client: socket.socket) -> None:
        self.lost += 1
        self.on_loss()
        client.shutdown(socket.SHUT_RDWR)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while answer := server.recv(65536):
                self._flows.wait()
                with suppress(OSError):
                    client.sendall(answer)
        # However the server has gone, the client hears of it.
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)


def _is_whole(asked: bytes) -> bool:
    """Tell whether PostgreSQL acts on what was sent: a query, or a pipeline up to its Sync."""
    return asked.startswith(b"Q") or asked.endswith((SYNC, SYNC + FLUSH))


@contextmanager
def tcp_proxy(address: str) -> Iterator[tuple[TcpProxy, str]]:
    """Yield a wire to the server at `address`, and the address through it."""
    place = urlsplit(address)
    assert place.hostname is not None
    assert place.port is not None
    proxy = TcpProxy(place.hostname, place.port)
    authority = place.netloc.rpartition("@")[0]
    yield proxy, f"postgresql://{authority}@127.0.0.1:{proxy.port}{place.path}"
    proxy.close()

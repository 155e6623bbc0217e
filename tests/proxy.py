"""A wire to a server that can be cut, and that can lose an answer."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from urllib.parse import urlsplit


class Wire:
    """Passes bytes between clients and a server; `lose_answer_to` names what is not answered."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.lose_answer_to: bytes | None = None
        self.lost = 0
        self.is_cut = False
        Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """Take no more clients."""
        self._listener.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            if self.is_cut:
                return
            with socket.create_connection(self._server) as server:
                Thread(target=self._answer, args=(server, client), daemon=True).start()
                self._ask(client, server)

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        while asked := client.recv(65536):
            if self.lose_answer_to is not None and self.lose_answer_to in asked:
                self.lost += 1
                # The server has it and will do it; whoever asked will not hear of it.
                client.shutdown(socket.SHUT_RDWR)
                server.sendall(asked)
                server.shutdown(socket.SHUT_WR)
                return
            server.sendall(asked)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while answer := server.recv(65536):
                client.sendall(answer)
        # However the server has gone, the client hears of it.
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)


@contextmanager
def wired(address: str) -> Iterator[tuple[Wire, str]]:
    """Yield a wire to the server at `address`, and the address through it."""
    place = urlsplit(address)
    assert place.hostname is not None
    assert place.port is not None
    wire = Wire(place.hostname, place.port)
    authority = place.netloc.rpartition("@")[0]
    yield wire, f"postgresql://{authority}@127.0.0.1:{wire.port}{place.path}"
    wire.close()

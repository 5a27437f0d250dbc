"""A path between a terminal and a server that a scenario can spoil."""

from __future__ import annotations

import select
import socket
import threading

from interop.servers import HOST


def open_port(port: int = 0) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind((HOST, port))
    return opened


class Link:
    """Forwards datagrams between one terminal and a server, as a home router does: the server sees the outer port."""

    def __init__(self, server_port: int) -> None:
        self._server = (HOST, server_port)
        self._terminal: tuple[str, int] | None = None
        self._inner, self._outer = open_port(), [open_port()]
        self.answers_are_lost = False
        self._closing = threading.Event()
        self._worker = threading.Thread(target=self._forward, daemon=True)
        self._worker.start()

    @property
    def uri(self) -> str:
        """Where the terminal finds the server."""
        return f"coap://{HOST}:{self._inner.getsockname()[1]}"

    def move(self) -> str:
        """Another outer port, whose address this gives; what comes to the old one is swallowed."""
        self._outer.append(open_port())
        host, port = self._outer[-1].getsockname()
        return f"{host}:{port}"

    def close(self) -> None:
        self._closing.set()
        self._worker.join()
        for opened in (self._inner, *self._outer):
            opened.close()

    def _forward(self) -> None:
        while not self._closing.is_set():
            outer = self._outer[-1]
            ready, _, _ = select.select([self._inner, outer], [], [], 0.05)
            if self._inner in ready:
                datagram, self._terminal = self._inner.recvfrom(1 << 16)
                outer.sendto(datagram, self._server)
            if outer in ready:
                datagram = outer.recv(1 << 16)
                if self._terminal and not self.answers_are_lost:
                    self._inner.sendto(datagram, self._terminal)

"""A platform on a socket of its own, which says whatever a scenario wants it to.

What it sends is written by aiocoap (or is no CoAP at all), and what it hears is read by aiocoap: no byte of the terminal's is
judged by code of ours. Nothing happens by itself; a scenario takes the messages one by one.
"""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

from aiocoap import ACK, CON, GET, NON, POST, RST, Message
from aiocoap.message import Direction
from aiocoap.numbers.codes import Code
from aiocoap.options import Options
from aiocoap.optiontypes import OpaqueOption

from interop.run import Broken
from interop.servers import HOST

TEXT, LINKS, OCTETS, TLV = 0, 40, 42, 11542
EMPTY = Code.EMPTY


class Heard:
    """A datagram of the terminal, as aiocoap reads it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.message = Message.decode(data)
        self.at = time.monotonic()

    @property
    def kind(self) -> Any:
        return self.message.mtype

    @property
    def code(self) -> str:
        return self.message.code.dotted

    @property
    def options(self) -> Options:
        return self.message.opt

    @property
    def text(self) -> str:
        return bytes(self.message.payload).decode(errors="replace")

    def is_about(self, method: Code, query: str = "") -> bool:
        return self.message.code == method and any(one.startswith(query) for one in self.options.uri_query or ("",))

    def is_written_otherwise(self) -> str:
        """What aiocoap would have written instead; nothing when it is the same."""
        again = Message.decode(self.data)
        again.direction = Direction.OUTGOING
        written = again.encode()
        return "" if written == self.data else f"{self.data.hex()}, aiocoap: {written.hex()}"

    def __str__(self) -> str:
        observe = "" if self.options.observe is None else f", observe {self.options.observe}"
        shown = self.text if self.options.content_format in (None, TEXT, LINKS) else self.message.payload.hex()
        return f"{self.kind.name} {self.message.mid:#06x} {self.message.code}{observe}{f': {shown}' if shown else ''}"


class Peer:
    """The platform's end. It talks to the address that it heard from last."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self._terminal: tuple[str, int] | None = None
        self._ids, self._tokens = itertools.count(0x1000), itertools.count(1)
        self._waiting: list[Heard] = []
        self.unreadable: list[str] = []
        self.heard = 0

    @property
    def uri(self) -> str:
        return f"coap://{HOST}:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        self._socket.close()

    # --- what comes ---------------------------------------------------------------------------------------------------

    def listen(self, test: Callable[[Heard], object] = bool, timeout: float = 5.0) -> Heard | None:
        """The next message of which `test` holds; others wait for their turn."""
        for heard in self._waiting:
            if test(heard):
                self._waiting.remove(heard)
                return heard
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                data, self._terminal = self._socket.recvfrom(1 << 16)
            except TimeoutError:
                break
            self.heard += 1
            try:
                heard = Heard(data)
                otherwise = heard.is_written_otherwise()
            except Exception as error:  # It answers some malformed options with Python's own errors.
                self.unreadable.append(f"{data.hex()}: {error!r}")
                continue
            if otherwise:
                self.unreadable.append(otherwise)
            if test(heard):
                return heard
            self._waiting.append(heard)
        return None

    def need(self, test: Callable[[Heard], object], what: str, timeout: float = 5.0) -> Heard:
        heard = self.listen(test, timeout)
        if heard is None:
            raise Broken(f"{what} does not come")
        return heard

    def silence(self, seconds: float = 0.4) -> Heard | None:
        """Whatever breaks it."""
        return self.listen(bool, seconds)

    # --- what goes ----------------------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        if self._terminal is None:
            raise Broken("the terminal was never heard of")
        self._socket.sendto(data, self._terminal)

    def write(
        self,
        code: Code,
        path: str = "",
        *,
        kind: Any = CON,
        mid: int | None = None,
        token: bytes | None = None,
        payload: bytes = b"",
        extra: Iterable[tuple[int, bytes]] = (),
        **options: object,
    ) -> bytes:
        """A message in bytes; `extra` has options by their numbers."""
        message = Message(code=code, payload=payload)
        message.direction = Direction.OUTGOING
        message.mtype = kind
        message.mid = next(self._ids) if mid is None else mid
        message.token = (b"\x00" * 6 + next(self._tokens).to_bytes(2, "big")) if token is None else token
        message.opt.uri_path = tuple(filter(None, path.split("/")))
        for name, value in options.items():
            setattr(message.opt, name, value)
        for number, value in extra:
            message.opt.add_option(OpaqueOption(number, value))
        return bytes(message.encode())

    def empty(self, kind: Any, mid: int) -> bytes:
        return self.write(EMPTY, kind=kind, mid=mid, token=b"")

    def respond(self, request: Heard, code: Code, *, separate: bool = False, **options: object) -> bytes:
        """The answer to a request of the terminal; gives the bytes, so that they can be sent again."""
        token = bytes(request.message.token)
        mid = None if separate else request.message.mid
        data = self.write(code, kind=CON if separate else ACK, mid=mid, token=token, **options)  # type: ignore[arg-type]
        self.send(data)
        return data

    def ask(self, data: bytes, timeout: float = 5.0) -> Heard | None:
        """Sends a request, and gives what carries its token or rejects it."""
        asked = Message.decode(data)
        self.send(data)

        def answers(heard: Heard) -> bool:
            rejected = heard.kind == RST and heard.message.mid == asked.mid
            same = bytes(heard.message.token) == bytes(asked.token) and heard.message.code.is_response()
            piggybacked = asked.mtype == CON and heard.kind == ACK and heard.message.mid == asked.mid
            return bool(rejected or (same and (piggybacked or asked.mtype == NON)))

        return self.listen(answers, timeout)

    def get(self, path: str, **options: object) -> Heard | None:
        return self.ask(self.write(GET, path, **options))  # type: ignore[arg-type]

    def acknowledge(self, heard: Heard) -> None:
        self.send(self.empty(ACK, heard.message.mid))

    def reject(self, heard: Heard) -> None:
        self.send(self.empty(RST, heard.message.mid))

    # --- the registration interface ----------------------------------------------------------------------------------

    def takes_register(self, location: tuple[str, ...] = ("rd", "1"), timeout: float = 5.0) -> Heard:
        """Waits for a Register, and grants it."""
        register = self.need(lambda heard: heard.is_about(POST, "ep="), "a Register", timeout)
        self.respond(register, Code.CREATED, location_path=location)
        return register

"""What a scenario of odd behaviour works with, and the steps that many of them share."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable

from aiocoap import DELETE, RST
from aiocoap.numbers.codes import Code

from interop.peer import TEXT, Heard, Peer
from interop.run import SOON, Steps, Terminal

LOCATION = ("rd", "1")


@dataclasses.dataclass
class Table:
    """What a scenario works with."""

    steps: Steps
    peer: Peer
    start_terminal: Callable[..., Terminal]
    """Takes arguments of the program."""

    def registered(self, *arguments: str) -> Terminal:
        terminal = self.start_terminal("--server", self.peer.uri, *arguments)
        self.peer.takes_register(LOCATION, SOON)
        self.steps.need("registered", terminal.events.wait("registered"))
        return terminal

    def code(self, what: str, data: bytes, *codes: str) -> Heard | None:
        """Asks, and wants one of these codes."""
        answer = self.peer.ask(data)
        self.steps.check(f"{what}: {' or '.join(codes)}", answer and answer.code in codes, answer or "no answer")
        return answer

    def silent(self, what: str, data: bytes) -> None:
        self.peer.send(data)
        broken = self.peer.silence()
        self.steps.check(f"{what}: silence", not broken, broken)

    def silent_or_reset(self, what: str, data: bytes) -> None:
        self.peer.send(data)
        broken = self.peer.silence()
        self.steps.check(f"{what}: silence or a Reset", not broken or broken.kind == RST, broken)

    def lives(self) -> None:
        answer = self.peer.get("/3/0/9", accept=TEXT)
        self.steps.check("the terminal lives", answer and answer.code == "2.05", answer)

    def leaves(self, terminal: Terminal) -> None:
        terminal.say("quit")
        request = self.peer.need(lambda heard: heard.is_about(DELETE), "a De-register")
        self.steps.check("De-register at the location", request.options.uri_path == LOCATION, request)
        answer = self.peer.respond(request, Code.DELETED)
        with contextlib.suppress(OSError):
            self.peer.send(answer)
        code = terminal.wait(SOON)
        self.steps.check("the terminal ends with exit code 0", code == 0, f"exit code {code}")


def count(terminal: Terminal, name: str, since: int, path: str | None = None) -> int:
    """How many such events came, once nothing more is on its way."""
    time.sleep(0.3)
    return sum(path in (None, event.data.get("path")) for event in terminal.events.since(since, name))

"""What a scenario works with, and the steps that many of them share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from interop.run import Steps, Terminal
from interop.servers import Bootstrap, Leshan

ONE_EXCHANGE = 120.0
"""Seconds in which a confirmable message has been given up (RFC 7252 section 4.8.2: 93 s), and some."""


@dataclasses.dataclass
class Bench:
    """Everything that a scenario may touch."""

    steps: Steps
    server: Leshan
    bootstrap: Bootstrap
    endpoint: str
    start_terminal: Callable[..., Terminal]
    """Takes an endpoint name, then arguments of the program."""
    terminals: list[Terminal]
    """Every one that was started."""
    long: bool

    def prepare(self) -> None:
        """Whatever became of the scenario before: its terminals have ended, the servers run, the endpoint is configured."""
        for terminal in self.terminals:
            terminal.close()
        self.server.start_unless_up()
        self.bootstrap.start_unless_up()
        self.bootstrap.configure(self.endpoint, self.server.uri)


def describe(registration: dict[str, Any]) -> str:
    return "registration {registrationId} from {address}, lifetime {lifetime}".format(**registration)


def comes_online(bench: Bench) -> tuple[Terminal, dict[str, Any]]:
    """A terminal that has bootstrapped and registered, and its registration."""
    mark = bench.server.events.mark()
    terminal = bench.start_terminal(bench.endpoint)
    seen = bench.server.events.wait("REGISTRATION", 30, mark)
    told = seen and terminal.events.wait("registered")
    bench.steps.need("bootstrap and registration", told, describe(seen.data) if seen else terminal.complaint()[-3:])
    assert seen
    return terminal, seen.data


def is_the_only_one(bench: Bench) -> None:
    """One device is one registration, and the server reaches the device with it."""
    found = [describe(one) for one in bench.server.registrations() if one["endpoint"] == bench.endpoint]
    bench.steps.check("the endpoint has exactly one registration", len(found) == 1, "; ".join(found) or "none")
    answer = bench.server.read("/3/0/9", "TEXT")
    bench.steps.check("Read /3/0/9 through the server", answer.code == 205, answer)


def quits(bench: Bench, terminal: Terminal) -> None:
    mark = bench.server.events.mark()
    terminal.say("quit")
    code = terminal.wait(ONE_EXCHANGE)
    gone = bench.server.events.wait("DEREGISTRATION", since=mark)
    bench.steps.check("'quit': DEREGISTRATION event, exit code 0", gone and code == 0, f"exit code {code}")
    noise = terminal.events.since(0, "no JSON event")
    bench.steps.check("every line it printed is a JSON event", not noise, noise and noise[0])

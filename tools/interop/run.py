"""What a run is made of: events that are waited for, steps that are counted, programs that are started and ended."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

SOON = 10.0
"""Seconds for whatever needs no lost datagram: generous, because a throttled machine starts Java slowly."""


class Broken(Exception):
    """The scenario can't go on; the steps after this one would all fail for the same reason."""


@dataclasses.dataclass(frozen=True)
class Event:
    """A line of a program or a message of the event stream."""

    name: str
    data: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.name} {json.dumps(self.data, separators=(',', ':'))}"


class Events:
    """All that a source has reported. A step takes a mark first, then acts, then waits for what follows the mark."""

    def __init__(self) -> None:
        self._all: list[Event] = []
        self._over = False
        self._grown = threading.Condition()

    def add(self, event: Event) -> None:
        with self._grown:
            self._all.append(event)
            self._grown.notify_all()

    def end(self) -> None:
        """Nothing will follow, so nobody need wait."""
        with self._grown:
            self._over = True
            self._grown.notify_all()

    def mark(self) -> int:
        with self._grown:
            return len(self._all)

    def since(self, mark: int, *names: str) -> list[Event]:
        with self._grown:
            return [event for event in self._all[mark:] if event.name in names]

    def wait(
        self, names: str | tuple[str, ...], timeout: float = SOON, since: int = 0, test: Callable[[Event], bool] = bool
    ) -> Event | None:
        """The first event after the mark that has one of the names, or None when the time or the source is over."""
        names = (names,) if isinstance(names, str) else names
        deadline = time.monotonic() + timeout
        with self._grown:
            while True:
                for event in self._all[since:]:
                    if event.name in names and test(event):
                        return event
                if self._over or time.monotonic() >= deadline:
                    return None
                self._grown.wait(deadline - time.monotonic())


class Steps:
    """Numbers the checks, prints them, and knows whether all of them held."""

    def __init__(self, transcript: TextIO | None) -> None:
        self._transcript = transcript
        self._begun = time.monotonic()
        self.passed = 0
        self.failed = 0

    def say(self, line: str = "") -> None:
        for out in filter(None, (sys.stdout, self._transcript)):
            print(line, file=out, flush=True)

    def check(self, what: str, good: object, evidence: object = None) -> bool:
        self.passed += bool(good)
        self.failed += not good
        number, seconds = self.passed + self.failed, time.monotonic() - self._begun
        self.say(f"{number:3}  {'PASS' if good else 'FAIL'}  {seconds:6.1f} s  {what}")
        if evidence not in (None, "", [], {}):
            text = str(evidence)
            self.say(f"{'':22}{text if len(text) <= 220 else text[:220] + ' …'}")
        return bool(good)

    def need(self, what: str, good: object, evidence: object = None) -> None:
        """A check without which the rest of the scenario means nothing."""
        if not self.check(what, good, evidence):
            raise Broken(what)


def end(process: subprocess.Popen[Any]) -> None:
    """Ends a process that we started, gently first."""
    for stop in (process.terminate, process.kill):
        if process.poll() is None:
            stop()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(SOON)


class Terminal:
    """The program under test: it takes lines on its standard input and prints a JSON object a line."""

    def __init__(self, command: list[str], directory: Path, log: Path) -> None:
        self.events = Events()
        self.log = log.with_suffix(".jsonl")
        self.complaints = log.with_suffix(".err")
        with self.complaints.open("wb") as errors:
            self.process = subprocess.Popen(
                command, cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, encoding="utf-8"
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with self.log.open("w", encoding="utf-8") as log:
            for line in self.process.stdout or ():
                log.write(line)
                log.flush()
                try:
                    data = json.loads(line)
                    self.events.add(Event(data["event"], data))
                except (ValueError, TypeError, KeyError):
                    self.events.add(Event("no JSON event", {"line": line}))
        self.events.end()

    def say(self, line: str) -> None:
        assert self.process.stdin
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError as gone:
            raise Broken(f"'{line}': the program has ended with {self.process.poll()}") from gone

    def wait(self, timeout: float) -> int | None:
        """The exit code, or None when it still runs; afterwards every line it printed is among the events."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        self._reader.join(SOON)
        return code

    def complaint(self) -> list[str]:
        return self.complaints.read_text(encoding="utf-8", errors="replace").splitlines()

    def close(self) -> None:
        end(self.process)
        self._reader.join(SOON)

    def datagram(self, direction: str, test: Callable[[bytes], bool], since: int, timeout: float = SOON) -> bytes | None:
        """The first datagram after the mark of which `test` holds."""
        found = self.events.wait(
            "datagram", timeout, since, lambda e: e.data["dir"] == direction and test(bytes.fromhex(e.data["hex"]))
        )
        return bytes.fromhex(found.data["hex"]) if found else None

    def sent(self, since: int, test: Callable[[bytes], bool] = bool) -> list[bytes]:
        """The datagrams that left after the mark of which `test` holds."""
        out = (bytes.fromhex(e.data["hex"]) for e in self.events.since(since, "datagram") if e.data["dir"] == "out")
        return [datagram for datagram in out if test(datagram)]


def is_reset(datagram: bytes) -> bool:
    return len(datagram) == 4 and datagram[0] == 0x70


def has_code(code: str, datagram: bytes) -> bool:
    """RFC 7252 section 3: three bits of class, five of detail."""
    high, low = code.split(".")
    return len(datagram) >= 4 and datagram[1] == int(high) << 5 | int(low)


def is_bootstrap_request(datagram: bytes) -> bool:
    return has_code("0.02", datagram) and b"ep=" in datagram and b"lt=" not in datagram


def is_register(datagram: bytes) -> bool:
    return has_code("0.02", datagram) and b"ep=" in datagram and b"lt=" in datagram

"""Other firmware for the terminal, pushed and pulled (OMA LwM2M 1.0, Appendix D.1.6), and what else starts it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from interop.bench import Bench, comes_online, quits
from interop.operations import told_of
from interop.run import SOON, Event, Terminal, has_code

IMAGE_LENGTH = 8192
"""Bytes of an image: many blocks."""


def image(version: str, length: int = IMAGE_LENGTH) -> bytes:
    """A line with model and version, a program, and the sum of all before it."""
    body = f"TM-1 {version}\n".encode()
    body += bytes(n % 251 for n in range(length - len(body) - 1))
    return body + bytes([sum(body) & 0xFF])


def state_and_result(bench: Bench) -> tuple[Any, Any]:
    found = bench.server.read("/5/0", "TLV").resources()
    return found.get(3), found.get(5)


def reaches(bench: Bench, mark: int, state: int) -> Event | None:
    return told_of(bench, "/5/0/3", mark, lambda node: node["value"] == state)


def starts_again(bench: Bench, terminal: Terminal, what: str, act: Callable[[], object], errand: str) -> None:
    """De-register, bootstrap, Register: all of a start (DM 7.5, 7.2, 7.3)."""
    steps, server = bench.steps, bench.server
    mark, told, bootstraps = server.events.mark(), terminal.events.mark(), bench.bootstrap.events.mark()
    act()
    asked = terminal.events.wait("asked", since=told)
    steps.check(f"{what}: terminal: asked to {errand}", asked and asked.data["to"] == errand, asked)
    for name in ("DEREGISTRATION", "REGISTRATION"):
        steps.check(f"{name} event", server.events.wait(name, SOON, mark))
    for name in ("deregistered", "bootstrap_finished", "registered"):
        steps.check(f"terminal: {name}", terminal.events.wait(name, since=told))
    # What the bootstrap server tells may come after what it did.
    finished = bench.bootstrap.wait("finished", SOON, bootstraps)
    sessions = bench.bootstrap.steps(bootstraps, "new session")
    steps.check("one new bootstrap session", finished and len(sessions) == 1, f"{len(sessions)} of them")


def pushed(bench: Bench) -> None:
    steps, server = bench.steps, bench.server
    terminal, _ = comes_online(bench)
    steps.check("state 0, result 0", state_and_result(bench) == (0, 0))
    answer = server.write_attributes("/5/0/3", "pmin=0")
    steps.check("Write-Attributes /5/0/3: pmin=0, or the blocks would be faster", answer.code == 204, answer)
    answer = server.observe("/5/0/3", "TEXT")
    steps.check("Observe /5/0/3", answer.code == 205, answer)
    mark, told = server.events.mark(), terminal.events.mark()
    answer = server.write("/5/0/0", image("2.0.0").hex(), "OPAQUE")
    steps.check(f"Write /5/0/0 with {IMAGE_LENGTH} bytes", answer.code == 204, answer)
    blocks = len(terminal.sent(told, lambda datagram: has_code("2.31", datagram)))
    steps.check("it came in blocks", blocks >= 7, f"{blocks} times 2.31 Continue")
    for state, name in ((1, "downloading"), (2, "downloaded")):
        steps.check(f"NOTIFICATION of /5/0/3: {name}", reaches(bench, mark, state))
    steps.check("state 2, result 0", state_and_result(bench) == (2, 0))
    starts_again(bench, terminal, "Execute /5/0/2", lambda: server.execute("/5/0/2"), "install")
    steps.check("state 0, result 1: updated", state_and_result(bench) == (0, 1))
    answer = server.read("/3/0/3", "TEXT")
    steps.check("Read /3/0/3: the new version", answer.content.get("value") == "2.0.0", answer)

    damaged = bytearray(image("2.1.0"))
    damaged[100] ^= 1
    answer = server.write("/5/0/0", damaged.hex(), "OPAQUE")
    steps.check("Write of a damaged image: the Write itself is done", answer.code == 204, answer)
    steps.check("state 0, result 5: not intact", state_and_result(bench) == (0, 5))
    answer = server.write("/5/0/0", b"TM-2".ljust(IMAGE_LENGTH, b"x").hex(), "OPAQUE")
    steps.check("Write of an image for another model: cut off with 4.00", answer.code == 400, answer)
    steps.check("state 0, result 6: of another type", state_and_result(bench) == (0, 6))
    answer = server.write("/5/0/0", image("2.2.0", 300).hex(), "TLV")
    steps.check("Write of a small image as TLV", answer.code == 204, answer)
    steps.check("state 2, result 0", state_and_result(bench) == (2, 0))
    answer = server.write("/5/0/0", "00", "OPAQUE")
    steps.check("Write of a NUL: back to the beginning", answer.code == 204, answer)
    steps.check("state 0, result 0", state_and_result(bench) == (0, 0))
    quits(bench, terminal)


def pulled(bench: Bench) -> None:
    steps, server = bench.steps, bench.server
    terminal, _ = comes_online(bench)
    answer = server.observe("/5/0/3", "TEXT")
    steps.check("Observe /5/0/3", answer.code == 205, answer)
    uri = "coap://127.0.0.1:5999/tm-1/3.0.0.bin"

    def begins() -> None:
        mark, told = server.events.mark(), terminal.events.mark()
        answer = server.write("/5/0/1", uri, "TEXT")
        asked = terminal.events.wait("asked", since=told)
        right = asked and (asked.data["to"], asked.data.get("uri")) == ("download", uri)
        steps.check("Write /5/0/1: terminal: asked to download", right and answer.code == 204, asked or answer)
        steps.check("NOTIFICATION of /5/0/3: downloading", reaches(bench, mark, 1))

    begins()
    answer = server.read("/5/0/1", "TEXT")
    steps.check("Read /5/0/1 gives the URI", answer.content.get("value") == uri, answer)
    mark = server.events.mark()
    terminal.say("set /5/0/5 4")
    steps.check("'set /5/0/5 4', connection lost: NOTIFICATION of /5/0/3: idle", reaches(bench, mark, 0))
    steps.check("state 0, result 4: connection lost", state_and_result(bench) == (0, 4))
    begins()
    told = terminal.events.mark()
    answer = server.write("/5/0/1", "", "TEXT")
    asked = terminal.events.wait("asked", since=told)
    stopped = asked and asked.data["to"] == "stop_download"
    steps.check("Write of an empty URI: terminal: asked to stop_download", stopped, asked or answer)
    steps.check("state 0, result 0", state_and_result(bench) == (0, 0))
    answer = server.write("/5/0/1", "ftp://127.0.0.1/image", "TEXT")
    steps.check("Write of a URI with a protocol that it does not speak", answer.code == 204, answer)
    steps.check("state 0, result 9: unsupported protocol", state_and_result(bench) == (0, 9))
    begins()
    mark = server.events.mark()
    terminal.say("set /5/0/7 3.0.0")
    terminal.say("set /5/0/3 2")
    steps.check("'set /5/0/3 2', it is there: NOTIFICATION of /5/0/3: downloaded", reaches(bench, mark, 2))
    starts_again(bench, terminal, "Execute /5/0/2", lambda: server.execute("/5/0/2"), "install")
    steps.check("state 0, result 1: updated", state_and_result(bench) == (0, 1))
    answer = server.read("/3/0/3", "TEXT")
    steps.check("Read /3/0/3: the new version", answer.content.get("value") == "3.0.0", answer)
    quits(bench, terminal)


def rebooted(bench: Bench) -> None:
    steps, server = bench.steps, bench.server
    terminal, _ = comes_online(bench)
    server.write("/3/0/15", "Asia/Tokyo", "TEXT")
    starts_again(bench, terminal, "Execute /3/0/4", lambda: server.execute("/3/0/4"), "reboot")
    answer = server.read("/3/0/15", "TEXT")
    steps.check("what was written is still there", answer.content.get("value") == "Asia/Tokyo", answer)
    starts_again(bench, terminal, "Execute /3/0/5", lambda: server.execute("/3/0/5"), "factory_reset")
    answer = server.read("/3/0/15", "TEXT")
    steps.check("what was written is gone", answer.content.get("value") == "Asia/Shanghai", answer)
    quits(bench, terminal)


FIRMWARE: dict[str, Callable[[Bench], None]] = {
    "firmware that is pushed": pushed,
    "firmware that is pulled": pulled,
    "a reboot and a factory reset": rebooted,
}

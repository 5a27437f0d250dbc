#!/usr/bin/env python3
"""The terminal asked by libcoap's coap-client, in plain UDP, and refused by its coap-server.

    tools/libcoap.py [--terminal PATH] [--keep-logs DIR]

libcoap's programs know nothing of LwM2M: who answers the Register is this script, and from then on coap-client asks from
the same port, so that the terminal takes it for its server. All of it runs on the loopback interface, in ten seconds.
Exit code 0: every step passed; 1: one did not; 77: libcoap's programs are missing.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from interop.firmware import image
from interop.run import SOON, Broken, Steps, Terminal, end, has_code, is_register
from interop.servers import HOST, free_port
from leshan import ROOT, SKIPPED, build_terminal, interrupted

CLIENT, SERVER = "coap-client-notls", "coap-server-notls"
TEXT, LINKS, BYTES, TLV = "0", "40", "42", "11542"
SENT = re.compile(r"^v:1 t:\w+ c:([\d.]+) i:\w+ \{\w*\} \[(.*?)\]", re.M)


class Answer:
    """What coap-client prints: each answer's code and options, and the bodies, joined."""

    def __init__(self, printed: bytes, seconds: float) -> None:
        text = printed.decode("utf-8", "replace")
        self.answers = [(code, options) for code, options in SENT.findall(text) if code[0] in "2345"]
        self.last = self.answers[-1][0] if self.answers else "no answer"
        self.body = text.rstrip("\n").rpartition("\n")[2]
        self.text, self.seconds = text, seconds


class Desk:
    """A port that answers as a server while somebody registers and leaves; in between it is coap-client's."""

    def __init__(self) -> None:
        self.port = free_port(socket.SOCK_DGRAM)
        self.uri = f"coap://{HOST}:{self.port}"

    def answer(
        self, code: int, options: bytes, test: Callable[[bytes], bool], act: Callable[[], None]
    ) -> None:
        """Answers the first request of which `test` holds; `act` brings it about."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind((HOST, self.port))
            udp.settimeout(SOON)
            act()
            while True:
                datagram, sender = udp.recvfrom(2048)
                if test(datagram):
                    token = datagram[0] & 15
                    udp.sendto(bytes([0x60 | token, code]) + datagram[2 : 4 + token] + options, sender)
                    return

    def ask(self, port: int, path: str, *arguments: str) -> Answer:
        command = [CLIENT, "-a", HOST, "-p", str(self.port), "-B", "10", "-v", "6", *arguments, f"coap://{HOST}:{port}{path}"]
        begun = time.monotonic()
        asked = subprocess.run(command, capture_output=True, timeout=60)
        return Answer(asked.stdout, time.monotonic() - begun)


def is_asked(steps: Steps, terminal_path: Path, logs: Path, scratch: Path) -> None:
    desk, port = Desk(), free_port(socket.SOCK_DGRAM)
    started: list[Terminal] = []
    command = [str(terminal_path), "--server", desk.uri, "--port", str(port), "--json"]
    with contextlib.ExitStack() as open_things:

        def start() -> None:
            started.append(Terminal(command, ROOT, logs / "asked"))
            open_things.callback(started[0].close)

        desk.answer(0x41, b"\x82rd\x017", is_register, start)
        terminal = started[0]
        steps.need("it registers", terminal.events.wait("registered"))

        def ask(what: str, code: str, path: str, *arguments: str, body: str | None = None) -> Answer:
            answer = desk.ask(port, path, *arguments)
            steps.check(f"{what}: {code}", answer.last == code and body in (None, answer.body), body and answer.body)
            return answer

        ask("Read of a resource, in text", "2.05", "/3/0/0", "-A", TEXT, body="Example Works")
        ask("the same, non-confirmable", "2.05", "/3/0/0", "-A", TEXT, "-N", body="Example Works")
        again = ask("the same, with the first datagram lost", "2.05", "/3/0/0", "-A", TEXT, "-l", "1", body="Example Works")
        steps.check("which coap-client sends again", again.seconds > 1)
        whole = scratch / "whole"
        ask("Read of an instance, in TLV", "2.05", "/3/0", "-A", TLV, "-o", str(whole))
        parts = scratch / "parts"
        blocks = ask("the same, in blocks of 32 bytes", "2.05", "/3/0", "-A", TLV, "-b", "32", "-o", str(parts))
        steps.check("which are several", len(blocks.answers) > 2, f"{len(blocks.answers)} answers")
        size = whole.stat().st_size
        steps.check("and come to the same", size > 32 and whole.read_bytes() == parts.read_bytes(), f"{size} bytes")
        links = ask("Discover", "2.05", "/3", "-A", LINKS)
        steps.check("which lists the instance", links.body.startswith("</3>,</3/0>,"), links.body)
        core = ask("/.well-known/core", "2.05", "/.well-known/core", "-A", LINKS)
        steps.check("which says where LwM2M is", 'rt="oma.lwm2m"' in core.body, core.body)

        ask("Write", "2.04", "/3/0/14", "-m", "put", "-t", TEXT, "-e", "+09:00")
        ask("it is written", "2.05", "/3/0/14", "-A", TEXT, body="+09:00")
        ask("Execute", "2.04", "/3/0/12", "-m", "post")
        firmware = scratch / "firmware"
        firmware.write_bytes(image("2.0.0", 2_048))
        ask("firmware, in blocks of 256 bytes", "2.04", "/5/0/0", "-m", "put", "-t", BYTES, "-b", "256", "-f", str(firmware))
        ask("it is downloaded", "2.05", "/5/0/3", "-A", TEXT, body="2")
        ask("an object that there is not", "4.04", "/9/0")
        ask("FETCH, which LwM2M 1.0 has not", "4.05", "/3/0", "-m", "fetch", "-e", "x")
        ask("Delete of what stays", "4.05", "/3/0", "-m", "delete")
        ask("Create of nothing", "4.00", "/30000", "-m", "post", "-t", TLV)

        mark = terminal.events.mark()
        change = threading.Timer(1.5, terminal.say, ["set /3/0/9 41"])
        change.start()
        observed = desk.ask(port, "/3/0/9", "-A", TEXT, "-w", "-s", "4", "-K", "1")
        change.join()
        told = [options for code, options in observed.answers if code == "2.05" and "Observe" in options]
        steps.check("Observe, and a notification", len(told) == 2 and "\n41\n" in observed.text, told)
        ended = terminal.events.wait("observation_cancelled", SOON, mark)
        steps.check("coap-client ends it with Observe 1", ended, ended)
        pings = [datagram for datagram in terminal.sent(mark) if datagram[0] == 0x70]
        steps.check("its pings are answered with Resets", pings, f"{len(pings)} Resets")

        desk.answer(0x42, b"", lambda datagram: has_code("0.04", datagram), lambda: terminal.say("quit"))
        steps.check("it leaves: exit code 0", terminal.wait(SOON) == 0, terminal.complaint())


def is_refused(steps: Steps, terminal_path: Path, logs: Path) -> None:
    port = free_port(socket.SOCK_DGRAM)
    server = subprocess.Popen([SERVER, "-A", HOST, "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        command = [str(terminal_path), "--server", f"coap://{HOST}:{port}", "--json", "--run-for", "10"]
        terminal = Terminal(command, ROOT, logs / "refused")
        with contextlib.closing(terminal):
            failed = terminal.events.wait("registration_failed", SOON)
            steps.need("coap-server has no /rd, and one event says so", failed and failed.data.get("code"), failed)
            terminal.say("quit")
            steps.check("exit code 1", terminal.wait(SOON) == 1)
            steps.check("and one line", len(terminal.complaint()) == 1, terminal.complaint())
    finally:
        end(server)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--terminal", type=Path, help="the program; built with cargo when this is missing")
    parser.add_argument("--keep-logs", type=Path, metavar="DIR", help="the terminal's output and the transcript go here")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGTERM, interrupted)
    if not (shutil.which(CLIENT) and shutil.which(SERVER)):
        print(f"libcoap.py: skipped: {CLIENT} or {SERVER} is missing", file=sys.stderr)
        return SKIPPED
    terminal = options.terminal.resolve() if options.terminal else build_terminal()
    with contextlib.ExitStack() as files:
        scratch = Path(files.enter_context(tempfile.TemporaryDirectory(prefix="libcoap-")))
        logs = (options.keep_logs or scratch / "logs").resolve()
        logs.mkdir(parents=True, exist_ok=True)
        steps = Steps(files.enter_context((logs / "transcript.txt").open("w", encoding="utf-8")))
        scenarios = {
            "coap-client asks": lambda: is_asked(steps, terminal, logs, scratch),
            "coap-server refuses": lambda: is_refused(steps, terminal, logs),
        }
        for title, scenario in scenarios.items():
            steps.say(f"\n{title}")
            try:
                scenario()
            except (Broken, OSError, subprocess.TimeoutExpired) as reason:
                steps.check("the scenario goes on to its end", False, f"it stopped at: {reason}")
            except KeyboardInterrupt:
                steps.check("the run goes on to its end", False, "interrupted")
                break
        steps.say(f"\n{steps.passed} passed, {steps.failed} failed")
        return 1 if steps.failed else 0


if __name__ == "__main__":
    sys.exit(main())

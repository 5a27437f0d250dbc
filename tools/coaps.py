#!/usr/bin/env python3
"""The terminal in DTLS sessions with servers that we did not write: Leshan's library, and libcoap's servers.

    tools/coaps.py [--terminal PATH] [--only WORDS] [--keep-logs DIR]

With Leshan it registers, is managed, moves, flies and leaves, in TLS_PSK_WITH_AES_128_CCM_8; a wrong key and an unknown
identity end in one event. libcoap's servers are no LwM2M servers, but they decipher a Register and refuse it. All of it
runs on the loopback interface, and takes two minutes. OpenSSL's server is asked by `cargo test` in
lwm2m-core/examples/tokio_terminal. Exit code 0: every step passed; 1: one did not; 77: no server is to be had.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import judges
from interop.run import Broken, Event, Events, Steps, Terminal, end
from interop.servers import HERE, HOST, Skip, fetch_jars, free_port
from leshan import ENDPOINT, ROOT, SKIPPED, interrupted

IDENTITY, KEY = "terminal", b"0123456789abcdef"
HANDSHAKE = 60.0
"""Seconds for what includes a handshake, and the first of a Java program at that."""
GIVEN_UP = 75.0
"""Seconds until a handshake that comes to nothing is given up, which are 40 at most."""


class Peer:
    """A server, what it prints, and the terminals that are started against it."""

    terminal: Path

    def __init__(self, steps: Steps, logs: Path, name: str, command: list[str], port: int) -> None:
        self.steps, self.logs, self.name = steps, logs, name
        self.uri = f"coaps://{HOST}:{port}"
        self.said = Events()
        self._terminals: list[Terminal] = []
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8")
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            name, _, rest = line.strip().partition(" ")
            self.said.add(Event(name, {"text": rest}))
        self.said.end()

    def start(self, *arguments: str, identity: str = IDENTITY, key: bytes = KEY) -> Terminal:
        number = len(self._terminals) + 1
        command = [str(self.terminal), "--server", self.uri, "--psk", f"{identity}:{key.hex()}", "--json", *arguments]
        terminal = Terminal(command, ROOT, self.logs / f"{self.name}-{number}")
        self._terminals.append(terminal)
        return terminal

    def hears(self, what: str, name: str, text: str = "", since: int = 0) -> Event | None:
        event = self.said.wait(name, HANDSHAKE, since, lambda event: text in event.data["text"])
        self.steps.need(what, event, event)
        return event

    def close(self) -> None:
        for terminal in self._terminals:
            terminal.close()
        end(self._process)


def leshan_manages(peer: Peer) -> None:
    steps = peer.steps
    capture = peer.logs / f"{peer.name}.pcapng"
    peer.hears("Leshan is there", "started")
    terminal = peer.start("--pcap", str(capture))
    first = peer.hears("it registers in a session of its identity", "registered", f"psk={IDENTITY}")
    peer.hears("Leshan reads /3/0", "read", "CONTENT")
    peer.hears("Leshan writes /3/0/14", "written", "CHANGED")
    peer.hears("Leshan observes /3/0/9", "observed", "CONTENT")
    terminal.say("set /3/0/9 41")
    peer.hears("it is told of a change", "notified", "41")
    terminal.say("update")
    peer.hears("the registration is renewed in the same session", "updated")

    mark, told = peer.said.mark(), terminal.events.mark()
    terminal.say("rebind")
    second = peer.hears("from another address it registers in a new session", "registered", "psk=", mark)
    moved = first and second and first.data["text"] != second.data["text"]
    steps.check("which has another port", moved, f"{first}, {second}")
    peer.hears("and is managed there", "observed", "CONTENT", mark)
    steps.need("the terminal knows", terminal.events.wait("registered", HANDSHAKE, told))

    mark, told = peer.said.mark(), terminal.events.mark()
    terminal.say("flight on")
    peer.hears("before flight mode it de-registers", "deregistered", "", mark)
    steps.need("and may proceed", terminal.events.wait("may_proceed", HANDSHAKE, told))
    mark, told = peer.said.mark(), terminal.events.mark()
    terminal.say("flight off")
    peer.hears("after it, it registers in a new session", "registered", "psk=", mark)
    steps.need("the terminal knows", terminal.events.wait("registered", HANDSHAKE, told))
    peer.hears("and is managed there", "observed", "CONTENT", mark)
    mark = peer.said.mark()
    terminal.say("quit")
    peer.hears("it leaves", "deregistered", "", mark)
    steps.check("exit code 0", terminal.wait(HANDSHAKE) == 0, terminal.complaint())
    steps.check("Leshan had nothing to complain about", not peer.said.since(0, "failed"), peer.said.since(0, "failed"))
    if shutil.which("tshark") and judges.aiocoap:
        datagrams = judges.read_run(terminal.log)
        wrong = judges.judge_capture(datagrams, capture, 5683, real=True)
        steps.check(f"tshark reads each of {len(datagrams)} deciphered datagrams in the capture", not wrong, wrong[:3])


def is_refused(peer: Peer, identity: str, key: bytes) -> None:
    steps = peer.steps
    peer.hears("Leshan is there", "started")
    terminal = peer.start("--run-for", "70", identity=identity, key=key)
    failed = terminal.events.wait("registration_failed", GIVEN_UP)
    steps.need("one event says that there is no way to the server", failed and failed.data["kind"] == "timeout", failed)
    terminal.say("quit")
    steps.check("exit code 1", terminal.wait(HANDSHAKE) == 1)
    steps.check("one line says why", [line for line in terminal.complaint() if "DTLS: " in line], terminal.complaint())
    steps.check("there was one event", len(terminal.events.since(0, "registration_failed")) == 1)
    steps.check("nothing was sent in the clear", not terminal.sent(0))


def libcoap_answers(peer: Peer) -> None:
    steps = peer.steps
    terminal = peer.start("--run-for", "70")
    failed = terminal.events.wait("registration_failed", HANDSHAKE)
    steps.need("it deciphers a Register, and its refusal is deciphered", failed and failed.data.get("code"), failed)
    terminal.say("quit")
    steps.check("exit code 1", terminal.wait(HANDSHAKE) == 1, terminal.complaint())


LESHAN: dict[str, Callable[[Peer], None]] = {
    "a life in sessions": leshan_manages,
    "a wrong key": lambda peer: is_refused(peer, IDENTITY, b"another 16 bytes"),
    "an unknown identity": lambda peer: is_refused(peer, "nobody", KEY),
}
LIBCOAP: dict[str, Callable[[Peer], None]] = {"a Register to a server that has no /rd": libcoap_answers}


def leshan_server(scratch: Path) -> tuple[str, Callable[[int], list[str]]]:
    """Its versions, and how it is started."""
    jars = fetch_jars(HERE / "pom-secure.xml")
    compiled = subprocess.run(
        ["javac", "-d", str(scratch), "-cp", f"{jars}/*", str(HERE / "Secure.java")], capture_output=True, encoding="utf-8"
    )
    if compiled.returncode:
        sys.exit(f"coaps.py: Secure.java does not compile:\n{compiled.stderr}")
    scandium = next(jars.glob("scandium-*.jar")).stem
    start = ["java", "-cp", f"{scratch}:{jars}/*", "Secure"]
    return f"{jars.name}, {scandium}", lambda port: [*start, str(port), ENDPOINT, IDENTITY, KEY.hex()]


def libcoap_server(program: str) -> tuple[str, Callable[[int], list[str]]]:
    usage = subprocess.run([program, "-?"], capture_output=True, encoding="utf-8")
    version = re.search(r"v[\d.]+", usage.stdout + usage.stderr)
    # Its DTLS has the next port.
    start = lambda port: [program, "-A", HOST, "-p", str(port - 1), "-k", KEY.decode(), "-h", "hint"]  # noqa: E731
    return f"{Path(program).name} {version[0] if version else ''}", start


def build_terminal() -> Path:
    package = ROOT / "lwm2m-core/examples/tokio_terminal"
    if subprocess.run(["cargo", "build", "--quiet", "--bin", "dm_terminal"], cwd=package).returncode:
        sys.exit("coaps.py: dm_terminal does not build with DTLS")
    return Path(package, os.environ.get("CARGO_TARGET_DIR", "target"), "debug", "dm_terminal").resolve()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--terminal", type=Path, help="dm_terminal with DTLS; built with cargo when this is missing")
    parser.add_argument("--only", default="", metavar="WORDS", help="only the scenarios whose title has these words in it")
    parser.add_argument("--keep-logs", type=Path, metavar="DIR", help="the terminal's output and the transcript go here")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGTERM, interrupted)
    with contextlib.ExitStack() as files:
        scratch = Path(files.enter_context(tempfile.TemporaryDirectory(prefix="coaps-")))
        logs = (options.keep_logs or scratch / "logs").resolve()
        logs.mkdir(parents=True, exist_ok=True)
        servers = []
        try:
            servers.append((*leshan_server(scratch), LESHAN))
        except Skip as reason:
            print(f"coaps.py: without Leshan: {reason}", file=sys.stderr)
        for program in filter(shutil.which, ("coap-server-openssl", "coap-server-gnutls")):
            servers.append((*libcoap_server(program), LIBCOAP))
        if not servers:
            print("coaps.py: skipped: neither Leshan nor libcoap's servers are to be had", file=sys.stderr)
            return SKIPPED
        Peer.terminal = options.terminal.resolve() if options.terminal else build_terminal()
        steps = Steps(files.enter_context((logs / "transcript.txt").open("w", encoding="utf-8")))
        try:
            for version, command, scenarios in servers:
                for title, scenario in scenarios.items():
                    if options.only not in f"{version}: {title}":
                        continue
                    steps.say(f"\n{version}: {title}")
                    port = free_port(socket.SOCK_DGRAM)
                    name = re.sub(r"\W+", "-", f"{version} {title}")
                    with contextlib.closing(Peer(steps, logs, name, command(port), port)) as peer:
                        try:
                            scenario(peer)
                        except (Broken, OSError) as reason:
                            steps.check("the scenario goes on to its end", False, f"it stopped at: {reason}")
        except KeyboardInterrupt:
            steps.check("the run goes on to its end", False, "interrupted")
        steps.say(f"\n{steps.passed} passed, {steps.failed} failed")
        return 1 if steps.failed else 0


if __name__ == "__main__":
    sys.exit(main())

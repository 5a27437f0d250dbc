"""Eclipse Leshan on the loopback interface: its demo server behind REST, its bootstrap server behind two pipes."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import json
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse
import xml.etree.ElementTree
from pathlib import Path
from typing import Any

from interop.run import SOON, Broken, Event, Events, JsonChild, end

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent / ".cache"
HOST = "127.0.0.1"
LIFETIME = 86400
SHORT_ID = 123


class Skip(Exception):
    """Something outside the project is missing; says what in one line."""


def java(jars: Path, *arguments: str) -> list[str]:
    """Opening java.util lets the demo's JSON writer, which is older than modules, serialise a registration."""
    return [
        "java",
        "--add-opens=java.base/java.util=ALL-UNNAMED",
        f"-Dlogback.configurationFile={HERE / 'logback.xml'}",
        "-cp",
        f"{jars}/*",
        *arguments,
    ]


def fetch_jars() -> Path:
    """The folder with Leshan and all it needs; Maven is asked once, after that the files are there."""
    for program in ("java", "javac"):
        if not shutil.which(program):
            raise Skip(f"{program} is missing; a Java 17 development kit is needed")
    pom = HERE / "pom.xml"
    version = xml.etree.ElementTree.parse(pom).findtext("properties/leshan")
    jars = CACHE / f"leshan-{version}"
    if not jars.exists():
        if not shutil.which("mvn"):
            raise Skip(f"mvn is missing, and Leshan {version} was not fetched before")
        jars.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=jars.parent) as partial:
            maven = ["mvn", "--batch-mode", "--quiet", "-Dstyle.color=never", "--file", str(pom), "dependency:copy-dependencies"]
            maven += [f"-DoutputDirectory={partial}/jars", "-DincludeScope=runtime"]
            try:
                fetched = subprocess.run(maven, capture_output=True, encoding="utf-8", timeout=900)
            except subprocess.TimeoutExpired:
                raise Skip(f"Maven did not fetch Leshan {version} within 15 minutes") from None
            if fetched.returncode:
                reason = next((line for line in fetched.stdout.splitlines() if "ERROR" in line), "no reason given")
                raise Skip(f"Maven could not fetch Leshan {version}: {reason[:300]}")
            Path(partial, "jars").rename(jars)
    if not list(jars.glob("leshan-server-demo-*.jar")):
        raise Skip(f"{jars} holds no demo server; remove it and try again")
    return jars


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@dataclasses.dataclass(frozen=True)
class Answer:
    """What the REST interface says: the device's answer under HTTP status 200, everything else is the server's own."""

    http: int
    body: Any

    @property
    def code(self) -> int | None:
        """405 of "METHOD_NOT_ALLOWED(405)"."""
        status = self.body.get("status", "") if isinstance(self.body, dict) else ""
        found = re.search(r"\((\d{3})\)", status)
        return int(found[1]) if self.http == 200 and found else None

    @property
    def content(self) -> dict[str, Any]:
        return self.body.get("content", {}) if isinstance(self.body, dict) else {}

    def resources(self) -> dict[int, Any]:
        """The values of an instance by resource number."""
        return {node["id"]: node.get("value", node.get("values")) for node in self.content.get("resources", ())}

    def __str__(self) -> str:
        text = self.body if isinstance(self.body, str) else json.dumps(self.body, separators=(",", ":"))
        return f"HTTP {self.http}: {text}"


class Leshan:
    """The demo server: one process after another on the same ports, each with an empty memory."""

    def __init__(self, jars: Path, scratch: Path, logs: Path, endpoint: str) -> None:
        self._jars, self._scratch, self._logs = jars, scratch, logs
        # Jetty takes a bare ';' for the start of a path parameter and drops what follows it.
        self._client = "/api/clients/" + urllib.parse.quote(endpoint, safe="")
        self.coap, self._coaps = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM)
        self._web = free_port(socket.SOCK_STREAM)
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self.events = Events()

    @property
    def uri(self) -> str:
        return f"coap://{HOST}:{self.coap}"

    def start(self) -> None:
        self._starts += 1
        directory = self._scratch / f"server-{self._starts}"
        directory.mkdir()
        options = ["-lh", HOST, "-lp", self.coap, "-slh", HOST, "-slp", self._coaps, "-wh", HOST, "-wp", self._web]
        command = java(self._jars, "org.eclipse.leshan.server.demo.LeshanServerDemo", *map(str, options))
        with (self._logs / f"server-{self._starts}.log").open("wb") as log:
            self._process = subprocess.Popen(command, cwd=directory, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                if self._ask("GET", "/api/clients").http == 200:
                    break
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise Broken("Leshan did not start")
            time.sleep(0.1)
        opened = threading.Event()
        threading.Thread(target=self._listen, args=(opened,), daemon=True).start()
        if not opened.wait(SOON):
            raise Broken("Leshan's event stream did not open")

    def _listen(self, opened: threading.Event) -> None:
        """Reads the event stream until the server goes; a heartbeat every 10 s keeps the read from timing out."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection(HOST, self._web, timeout=60)
            connection.request("GET", "/api/event", headers={"Accept": "text/event-stream"})
            stream = connection.getresponse()
            opened.set()
            name = ""
            for line in stream:
                field, _, value = line.decode().strip().partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    self.events.add(Event(name, json.loads(value)))

    def _ask(self, method: str, path: str, body: str | None = None, kind: str = "application/json") -> Answer:
        connection = http.client.HTTPConnection(HOST, self._web, timeout=20)
        try:
            connection.request(method, path, body, {"Content-Type": kind} if body else {})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        is_json = answer.headers.get_content_type() == "application/json"
        return Answer(answer.status, json.loads(text) if is_json else text)

    def registration(self) -> Answer:
        return self._ask("GET", self._client)

    def wait_registered(self, timeout: float) -> Answer | None:
        """For a registration that may come before the event stream of a server just started is open."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            answer = self.registration()
            if answer.http == 200:
                return answer
            time.sleep(0.2)
        return None

    def read(self, path: str, form: str) -> Answer:
        return self._ask("GET", f"{self._client}{path}?format={form}")

    def discover(self, path: str) -> Answer:
        return self._ask("GET", f"{self._client}{path}/discover")

    def write(self, path: str, value: object, form: str) -> Answer:
        node = json.dumps({"id": int(path.rpartition("/")[2]), "value": value})
        return self._ask("PUT", f"{self._client}{path}?format={form}", node)

    def execute(self, path: str) -> Answer:
        return self._ask("POST", self._client + path)

    def observe(self, path: str, form: str) -> Answer:
        return self._ask("POST", f"{self._client}{path}/observe?format={form}")

    def forget_observation(self, path: str) -> Answer:
        """Passive: the server drops its token and resets the next notification; this release knows no other way."""
        return self._ask("DELETE", f"{self._client}{path}/observe")

    def stop(self) -> None:
        if self._process:
            end(self._process)


class Bootstrap(JsonChild):
    """Leshan's bootstrap server, driven through pipes (`Bootstrap.java`)."""

    def __init__(self, jars: Path, scratch: Path, logs: Path) -> None:
        self.port = free_port(socket.SOCK_DGRAM)
        directory = scratch / "bootstrap"
        directory.mkdir()
        command = java(jars, str(HERE / "Bootstrap.java"), HOST, str(self.port))
        super().__init__(command, directory, logs / "bootstrap")

    @property
    def uri(self) -> str:
        return f"coap://{HOST}:{self.port}"

    def configure(self, endpoint: str, uri: str) -> None:
        wanted = {"endpoint": endpoint, "uri": uri, "shortId": SHORT_ID, "lifetime": LIFETIME}
        self.say(json.dumps(wanted))
        if not self.events.wait("configured", 60):
            raise Broken("Leshan's bootstrap server did not start: " + " ".join(self.complaint()[-1:]))

    def sessions(self) -> int:
        return len(self.events.since(0, "session"))

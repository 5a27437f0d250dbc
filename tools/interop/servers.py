"""Eclipse Leshan on the loopback interface: its two servers, each behind REST and an event stream."""

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

from interop.run import SOON, Broken, Event, Events, end

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent / ".cache"
HOST = "127.0.0.1"
LIFETIME = 86400
SHORT_ID = 123


class Skip(Exception):
    """Something outside the project is missing; says what in one line."""


def fetch_jars(pom: Path = HERE / "pom.xml") -> Path:
    """The folder with Leshan and all it needs; Maven is asked once, after that the files are there."""
    for program in ("java", "javac"):
        if not shutil.which(program):
            raise Skip(f"{program} is missing; a Java 17 development kit is needed")
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
    if not list(jars.glob("leshan-server-*.jar")):
        raise Skip(f"{jars} holds no server; remove it and try again")
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


class Server:
    """One of the two servers: one process after another on the same ports, each with an empty memory."""

    name: str
    main: str
    """A class of Leshan's, or a source file of ours."""
    probe: str
    """A path that is there when the server is."""
    arguments: tuple[str, ...] = ()
    """Further ones of its own."""

    def __init__(self, jars: Path, scratch: Path, logs: Path) -> None:
        self._jars, self._scratch, self._logs = jars, scratch, logs
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
        instance = f"{self.name}-{self._starts}"
        directory = self._scratch / instance
        directory.mkdir()
        # Opening java.util lets the demo's JSON writer, which is older than modules, serialise a registration.
        command = ["java", "--add-opens=java.base/java.util=ALL-UNNAMED"]
        command += [f"-Dlogback.configurationFile={HERE / 'logback.xml'}", "-cp", f"{self._jars}/*", self.main]
        command += ["-lh", HOST, "-lp", str(self.coap), "-slh", HOST, "-slp", str(self._coaps)]
        command += ["-wh", HOST, "-wp", str(self._web), *self.arguments]
        with (self._logs / f"{instance}.log").open("wb") as log:
            self._process = subprocess.Popen(command, cwd=directory, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                if self.ask("GET", self.probe).http == 200:
                    break
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise Broken(f"Leshan's {self.name} did not start")
            time.sleep(0.1)
        opened = threading.Event()
        threading.Thread(target=self._listen, args=(opened,), daemon=True).start()
        if not opened.wait(SOON):
            raise Broken(f"the event stream of Leshan's {self.name} did not open")

    def start_unless_up(self) -> None:
        if not self._process or self._process.poll() is not None:
            self.start()

    def stop(self) -> None:
        if self._process:
            end(self._process)

    def _listen(self, opened: threading.Event) -> None:
        """Reads the event stream until the server goes."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection(HOST, self._web)
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

    def ask(self, method: str, path: str, wanted: object = None) -> Answer:
        """One REST call; `wanted` goes as JSON, and text as it is."""
        connection = http.client.HTTPConnection(HOST, self._web, timeout=20)
        try:
            body, headers = None, {}
            if isinstance(wanted, str):
                body, headers = wanted, {"Content-Type": "text/plain"}
            elif wanted is not None:
                body, headers = json.dumps(wanted), {"Content-Type": "application/json"}
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        is_json = answer.headers.get_content_type() == "application/json"
        return Answer(answer.status, json.loads(text) if is_json else text)


def named(path: str, endpoint: str) -> str:
    """Jetty takes a bare ';' for the start of a path parameter and drops what follows it."""
    return f"{path}/{urllib.parse.quote(endpoint, safe='')}"


class Leshan(Server):
    """The demo server. Paths are those of the one terminal that it manages."""

    name = "server"
    main = "org.eclipse.leshan.server.demo.LeshanServerDemo"
    probe = "/api/clients"
    arguments = ("-m", str(HERE / "models"))

    def __init__(self, jars: Path, scratch: Path, logs: Path, endpoint: str) -> None:
        super().__init__(jars, scratch, logs)
        self._client = named("/api/clients", endpoint)

    def registration(self) -> Answer:
        return self.ask("GET", self._client)

    def registrations(self) -> list[dict[str, Any]]:
        """Of everybody."""
        found: list[dict[str, Any]] = self.ask("GET", "/api/clients").body
        return found

    def wait_registered(self, timeout: float) -> Answer | None:
        """For a registration that may come before the event stream of a server just started is open."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            answer = self.registration()
            if answer.http == 200:
                return answer
            time.sleep(0.2)
        return None

    def read(self, path: str, form: str, timeout: int = 5) -> Answer:
        return self.ask("GET", f"{self._client}{path}?format={form}&timeout={timeout}")

    def discover(self, path: str) -> Answer:
        return self.ask("GET", f"{self._client}{path}/discover")

    def write(self, path: str, value: object, form: str) -> Answer:
        """One resource; a dict has the values of a multiple one."""
        kind = "values" if isinstance(value, dict) else "value"
        return self.write_node(path, {"id": int(path.rpartition("/")[2]), kind: value}, form)

    def write_node(self, path: str, node: dict[str, Any], form: str, replace: bool = True) -> Answer:
        return self.ask("PUT", f"{self._client}{path}?format={form}&replace={str(replace).lower()}", node)

    def write_attributes(self, path: str, attributes: str) -> Answer:
        return self.ask("PUT", f"{self._client}{path}/attributes?{attributes}")

    def create(self, path: str, node: dict[str, Any], form: str) -> Answer:
        return self.ask("POST", f"{self._client}{path}?format={form}", node)

    def delete(self, path: str) -> Answer:
        return self.ask("DELETE", self._client + path)

    def execute(self, path: str, arguments: str | None = None) -> Answer:
        return self.ask("POST", self._client + path, arguments)

    def observe(self, path: str, form: str) -> Answer:
        return self.ask("POST", f"{self._client}{path}/observe?format={form}")

    def forget_observation(self, path: str) -> Answer:
        """Passive: the server drops its token and resets the next notification; this release knows no other way."""
        return self.ask("DELETE", f"{self._client}{path}/observe")

    def demand_key(self, endpoint: str) -> Answer:
        """From now on the server has this endpoint over DTLS only."""
        return self.ask("PUT", "/api/security/clients/", {"endpoint": endpoint, "psk": {"identity": "it", "key": "00" * 16}})

    def demand_no_key(self, endpoint: str) -> Answer:
        return self.ask("DELETE", named("/api/security/clients", endpoint))


class Bootstrap(Server):
    """The bootstrap server. `Bootstrap.java` takes the demo's options and answers to its REST interface."""

    name = "bootstrap-server"
    main = str(HERE / "Bootstrap.java")
    probe = "/api/bootstrap"

    def configure(self, endpoint: str, uri: str) -> None:
        """What an operator's platform does: forget every account but the one in use, then write a single new one."""
        no_keys: dict[str, list[int]] = {"publicKeyOrId": [], "serverPublicKey": [], "secretKey": []}
        security = {"bootstrapServer": False, "uri": uri, "serverId": SHORT_ID, "securityMode": "NO_SEC", **no_keys}
        security["clientOldOffTime"] = 0
        server = {"shortId": SHORT_ID, "lifetime": LIFETIME, "binding": "U"}
        wanted = {"toDelete": ["/0", "/1"], "servers": {"0": server}, "security": {"1": security}}
        answer = self.ask("POST", named("/api/bootstrap", endpoint), wanted)
        if answer.http != 200:
            raise Broken(f"Leshan's bootstrap server takes no configuration: {answer}")

    def configurations(self) -> Answer:
        return self.ask("GET", "/api/bootstrap")

    def forget(self, endpoint: str) -> Answer:
        return self.ask("DELETE", named("/api/bootstrap", endpoint))

    def wait(self, step: str, timeout: float = SOON, since: int = 0) -> Event | None:
        """The first such step of a session after the mark."""
        return self.events.wait("BSSESSION", timeout, since, lambda event: event.data["name"] == step)

    def steps(self, since: int, *names: str) -> list[Event]:
        return [event for event in self.events.since(since, "BSSESSION") if event.data["name"] in names]

    def sessions(self) -> int:
        return len(self.steps(0, "new session"))

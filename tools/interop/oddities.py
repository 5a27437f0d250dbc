"""What Leshan never does to a terminal, and another server may: by the sections of RFC 7252, 7641 and 7959."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable

from aiocoap import ACK, CON, DELETE, GET, NON, POST, PUT, RST
from aiocoap.numbers.codes import Code

from interop.firmware import image
from interop.peer import LINKS, OCTETS, TEXT, TLV, Heard, Peer
from interop.run import SOON, Broken, Steps, Terminal

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


# --- registration -----------------------------------------------------------------------------------------------------


def registration(table: Table) -> None:
    steps, peer = table.steps, table.peer
    terminal = table.start_terminal("--server", peer.uri)
    register = peer.need(lambda heard: heard.is_about(POST, "ep="), "a Register", SOON)
    query = set(register.options.uri_query)
    wanted = {"lt=86400", "lwm2m=1.0", "b=U"}
    steps.check("Register with ep, lt, lwm2m and b", wanted <= query and len(query) == 4, " ".join(sorted(query)))
    links = register.text.split(",")
    listed = register.options.content_format == LINKS and {"</1/0>", "</3/0>", "</4/0>", "</5/0>", "</30000/0>"} <= set(links)
    steps.check("its object list, as links", listed, register.text)
    steps.check("it is confirmable, with a token of 8 bytes", register.kind == CON and len(register.message.token) == 8)
    again = peer.need(lambda heard: heard.is_about(POST, "ep="), "a second Register", 4)
    waited = again.at - register.at
    in_time = again.data == register.data and 1.9 <= waited < 3.5
    steps.check("without an answer, the same bytes again after 2 to 3 s", in_time, f"{waited:.2f} s")

    mid, token, elsewhere = register.message.mid, bytes(register.message.token), ("rd", "0")
    stray = peer.write(Code.CREATED, kind=ACK, mid=mid ^ 0x5555, token=token, location_path=elsewhere)
    table.silent("2.01 in an ACK of another message", stray)
    table.silent("an ACK of nothing", peer.empty(ACK, 0x7777))
    table.silent("a Reset of nothing", peer.empty(RST, 0x7778))
    stranger = peer.write(Code.CREATED, token=b"\x08" * 8, location_path=elsewhere)
    answer = peer.ask(stranger, 1)
    steps.check("2.01 in a CON with an unknown token: a Reset", answer and answer.kind == RST, answer)
    table.silent("the same in a NON", peer.write(Code.CREATED, kind=NON, token=b"\x09" * 8, location_path=elsewhere))
    steps.check("it does not believe to be registered", not terminal.events.since(0, "registered"))

    peer.send(peer.empty(ACK, mid))
    broken = peer.silence(4)
    steps.check("an empty ACK stops the repetitions", not broken, broken)
    answer_data = peer.respond(register, Code.CREATED, separate=True, location_path=LOCATION)
    steps.check("a separate 2.01: terminal: registered", terminal.events.wait("registered"))
    acknowledged = peer.listen(lambda heard: heard.kind == ACK)
    steps.check("it is acknowledged", acknowledged and acknowledged.code == "0.00", acknowledged)
    peer.send(answer_data)
    repeated = peer.listen(lambda heard: heard.kind == ACK)
    same = acknowledged and repeated and repeated.data == acknowledged.data
    steps.check("the same 2.01 again: the same ACK again", same, repeated)
    late = peer.write(Code.CREATED, kind=ACK, mid=mid, token=token, location_path=elsewhere)
    table.silent("a late 2.01 in an ACK, with another location", late)
    steps.check("it was registered once", count(terminal, "registered", 0) == 1)

    terminal.say("update")
    update = peer.need(lambda heard: heard.is_about(POST) and heard.options.uri_path == LOCATION, "an Update at the location")
    steps.check("Update at the first location", update.options.uri_path == LOCATION, update)
    told = terminal.events.mark()
    peer.respond(update, Code.NOT_FOUND)
    steps.check("4.04: terminal: update_failed", terminal.events.wait("update_failed", since=told))
    fresh = peer.takes_register(LOCATION)
    steps.check("and it registers anew at once, with another token", fresh.message.token != register.message.token)
    steps.check("terminal: registered", terminal.events.wait("registered", since=told))
    terminal.say("update")
    update = peer.need(lambda heard: heard.is_about(POST) and heard.options.uri_path == LOCATION, "an Update")
    told = terminal.events.mark()
    first = peer.respond(update, Code.CHANGED)
    peer.send(first)
    broken = peer.silence()
    once = terminal.events.wait("updated", since=told) and count(terminal, "updated", told) == 1
    steps.check("2.04 twice: updated once, and silence", once and not broken, broken)
    table.leaves(terminal)


def bootstrap(table: Table) -> None:
    """A bootstrap server that takes its time, repeats itself, and asks too much."""
    steps, peer = table.steps, table.peer
    terminal = table.start_terminal("--bootstrap", peer.uri)
    request = peer.need(lambda heard: heard.is_about(POST, "ep="), "a Bootstrap-Request", SOON)
    steps.check("Bootstrap-Request with ep", request.options.uri_path == ("bs",), " ".join(request.options.uri_query))
    peer.send(peer.empty(ACK, request.message.mid))
    peer.respond(request, Code.CHANGED, separate=True)
    acknowledged = peer.listen(lambda heard: heard.kind == ACK)
    steps.check("a separate 2.04 is acknowledged", acknowledged and acknowledged.code == "0.00", acknowledged)
    for path in ("/0", "/1"):
        data = peer.write(DELETE, path)
        first, second = peer.ask(data), peer.ask(data)
        good = first and second and first.code == "2.02" and first.data == second.data
        steps.check(f"Bootstrap-Delete {path} twice: the same 2.02", good, second)
    uri = peer.uri.encode()
    # Server URI, Bootstrap Server, Security Mode (none), no keys, Short Server ID.
    security = b"\xc8\x00" + bytes([len(uri)]) + uri + b"\xc1\x01\x00\xc1\x02\x03\xc0\x03\xc0\x04\xc0\x05\xc1\x0a\x07"
    account = b"\xc1\x00\x07\xc2\x01\x0e\x10\xc1\x06\x01\xc1\x07U"
    odd = peer.write(PUT, "/0/1", payload=security, content_format=TLV, extra=[(65_001, b"x")])
    table.code("Bootstrap-Write with a critical option that nobody knows", odd, "4.02")
    short = peer.write(PUT, "/0/1", payload=security[:-1], content_format=TLV)
    table.code("Bootstrap-Write of something cut off", short, "4.00")
    table.code("Bootstrap-Write in CBOR", peer.write(PUT, "/0/1", payload=b"\xa0", content_format=60), "4.15")
    table.code("Bootstrap-Finish too early", peer.write(POST, "/bs"), "4.06")
    for path, payload in (("/0/1", security), ("/1/0", account)):
        data = peer.write(PUT, path, payload=payload, content_format=TLV)
        first, second = peer.ask(data), peer.ask(data)
        good = first and second and first.code == "2.04" and first.data == second.data
        steps.check(f"Bootstrap-Write {path} twice: the same 2.04", good, second or first)
    written = count(terminal, "written", 0)
    steps.check("each was written once", written == 2, f"{written} times")
    finish = peer.write(POST, "/bs")
    table.code("Bootstrap-Finish", finish, "2.04")
    steps.check("terminal: bootstrap_finished", terminal.events.wait("bootstrap_finished"))
    register = peer.takes_register(LOCATION)
    query = register.options.uri_query
    steps.check("it registers for the lifetime of the account", "lt=3600" in query, " ".join(query))
    told = terminal.events.wait("registered")
    steps.check("terminal: registered, with the account's server", told and told.data["server"] == 7, told)
    table.leaves(terminal)


# --- requests ---------------------------------------------------------------------------------------------------------


def duplicates(table: Table) -> None:
    """RFC 7252, 4.2 and 4.5: what comes twice is carried out once, and answered in the same way."""
    steps, peer = table.steps, table.peer
    terminal = table.registered()
    for length in (0, 1, 8):
        data = peer.write(GET, "/3/0/9", token=b"\xab" * length, accept=TEXT)
        answer = table.code(f"GET with a token of {length} bytes", data, "2.05")
        good = answer and answer.message.token == b"\xab" * length and answer.text == "80"
        steps.check("it comes back, with the value", good, answer)
        again = peer.ask(data)
        steps.check("the same GET again: the same bytes", answer and again and again.data == answer.data, again)
    for what, data, event, path in (
        ("Write /3/0/14", peer.write(PUT, "/3/0/14", payload=b"+05:30", content_format=TEXT), "written", "/3/0/14"),
        ("Execute /30000/0/2", peer.write(POST, "/30000/0/2"), "executed", "/30000/0/2"),
        ("Create", peer.write(POST, "/30000", payload=b"\xc3\x00fan", content_format=TLV), "created", "/30000/1"),
        ("Delete /30000/1", peer.write(DELETE, "/30000/1"), "deleted", "/30000/1"),
    ):
        told = terminal.events.mark()
        answers = [peer.ask(data) for _ in range(3)]
        first = answers[0]
        same = first and first.code.startswith("2.") and all(answer and answer.data == first.data for answer in answers)
        steps.check(f"{what}, three times the same bytes: the same {first and first.code} three times", same, first)
        times = count(terminal, event, told, path)
        steps.check(f"{event} once", times == 1, f"{times} times")
        if event in ("created", "deleted"):
            update = peer.need(lambda heard: heard.is_about(POST) and heard.options.uri_path == LOCATION, "an Update")
            steps.check("Update with the new object list", ("</30000/1>" in update.text) == (event == "created"), update.text)
            peer.respond(update, Code.CHANGED)
    told = terminal.events.mark()
    refused = peer.write(PUT, "/3/0/0", payload=b"x", content_format=TEXT)
    first, second = peer.ask(refused), peer.ask(refused)
    same = first and second and first.code == "4.05" and first.data == second.data
    steps.check("a Write that is refused, twice: the same 4.05 twice", same, second)
    data = peer.write(POST, "/30000/0/2", kind=NON)
    answer = peer.ask(data)
    steps.check("Execute in a NON: 2.04 in a NON", answer and (answer.kind, answer.code) == (NON, "2.04"), answer)
    table.silent("the same NON again", data)
    times = count(terminal, "executed", told)
    steps.check("executed once", times == 1, f"{times} times")
    table.lives()
    table.leaves(terminal)


def refusals(table: Table) -> None:
    """Requests that mean nothing to the terminal (RFC 7252, 5.4.1 and 5.8; OMA LwM2M 1.0, 8.2)."""
    steps, peer = table.steps, table.peer
    terminal = table.registered()
    told = terminal.events.mark()
    for number in (9, 65_001):
        table.code(f"critical option {number}, which nobody knows", peer.write(GET, "/3/0/9", extra=[(number, b"x")]), "4.02")
    table.silent_or_reset("the same in a NON", peer.write(GET, "/3/0/9", kind=NON, extra=[(65_001, b"x")]))
    table.code("elective option 65000", peer.write(GET, "/3/0/9", extra=[(65_000, b"x")]), "2.05")
    table.code("Uri-Host and Uri-Port", peer.write(GET, "/3/0/9", uri_host="terminal", uri_port=5683), "2.05")
    table.code("Proxy-Uri", peer.write(GET, "", proxy_uri="coap://elsewhere/3/0/9"), "5.05")
    for accept in (50, 60, 110, 65_000):
        table.code(f"Accept {accept}", peer.write(GET, "/3/0/9", accept=accept), "4.06")
    table.code("Accept text of an instance", peer.write(GET, "/3/0", accept=TEXT), "4.06")
    for form in (50, 60, 65_000):
        table.code(f"Content-Format {form}", peer.write(PUT, "/3/0/14", payload=b"x", content_format=form), "4.15")
    for what, payload in (("cut off", b"\xc8\x0e\x05+01"), ("of another resource", b"\xc1\x0f1"), ("nothing", b"")):
        data = peer.write(PUT, "/3/0/14", payload=payload, content_format=TLV)
        table.code(f"TLV that is {what}", data, "4.00")
    table.code("text that is no number", peer.write(PUT, "/1/0/1", payload=b"long", content_format=TEXT), "4.00")
    table.code("text that is not UTF-8", peer.write(PUT, "/3/0/15", payload=b"\xff\xfe", content_format=TEXT), "4.00")
    table.code("attributes that are none", peer.write(PUT, "/3/0/9", uri_query=("pmin=many",)), "4.00")
    for path in ("/9", "/3/1", "/3/0/99"):
        table.code(f"GET {path}, which is not there", peer.write(GET, path), "4.04")
    for path in ("/", "/rd", "/3/x", "/3/0/9/5", "/3/0/9/0/0", "/70000"):
        table.code(f"GET {path}, which is no path of LwM2M", peer.write(GET, path), "4.00", "4.04", "4.05")
    for method in (Code.FETCH, Code.PATCH, Code(31)):
        table.code(f"method {method.dotted}", peer.write(method, "/3/0/9"), "4.05")
    table.code("Read of a key (/0/0/5)", peer.write(GET, "/0/0/5"), "4.01", "4.05")
    table.code("Bootstrap-Finish by a server", peer.write(POST, "/bs"), "4.00", "4.04", "4.05")
    changes = [event for event in terminal.events.since(told, "written", "executed", "created", "deleted")]
    steps.check("nothing was changed", not changes, changes)
    table.lives()
    table.leaves(terminal)


def no_messages(table: Table) -> None:
    """Datagrams that are no CoAP, or that no request stands behind (RFC 7252, 4.2 and 4.3)."""
    steps, peer = table.steps, table.peer
    terminal = table.registered()
    ping = peer.empty(CON, 0x4242)
    peer.send(ping)
    pong = peer.listen()
    steps.check("an empty CON (ping): a Reset with its Message ID", pong and pong.data.hex() == "70004242", pong)
    for what, data in (
        ("nothing at all", b""),
        ("a single byte", b"\x40"),
        ("three bytes", b"\x40\x01\x00"),
        ("version 2", b"\x80\x01\x12\x34"),
        ("version 0", b"\x00\x01\x12\x34"),
        ("an ACK with a request in it", b"\x60\x01\x12\x35"),
        ("a Reset with a response in it", b"\x70\x45\x12\x35"),
        ("an empty NON", b"\x50\x00\x12\x36"),
    ):
        table.silent(what, data)
    for what, data in (
        # By its bits a confirmable response to nothing.
        ("text", b"GET / HTTP/1.1\r\n\r\n"),
        ("a token of 9 bytes", b"\x49\x01\x12\x37" + b"t" * 9),
        ("a token that is cut off", b"\x44\x01\x12\x38tt"),
        ("an option that is cut off", b"\x40\x01\x12\x39\xb5rd"),
        ("an option of the reserved length 15", b"\x40\x01\x12\x3a\xbf"),
        ("a payload marker without a payload", b"\x40\x01\x12\x3b\xb13\xff"),
        ("an empty message with a token", b"\x41\x00\x12\x3ct"),
        ("a code of the reserved class 1", b"\x40\x21\x12\x3d"),
        ("a code of the reserved class 7", b"\x40\xe1\x12\x3e"),
    ):
        table.silent_or_reset(what, data)
    long = peer.write(PUT, "/3/0/14", payload=b"x" * 60_000, content_format=TEXT)
    table.code("a value of 60 kB in one datagram", long, "4.00", "4.13")
    table.lives()
    table.leaves(terminal)


# --- observations -----------------------------------------------------------------------------------------------------


def is_notification(token: bytes) -> Callable[[Heard], bool]:
    return lambda heard: heard.kind in (CON, NON) and bytes(heard.message.token) == token


def observations(table: Table) -> None:
    """RFC 7641 with confirmable notifications."""
    steps, peer = table.steps, table.peer
    terminal = table.registered()

    def observe(token: bytes, path: str = "/3/0/9") -> None:
        answer = peer.ask(peer.write(GET, path, token=token, observe=0, accept=TEXT))
        steps.check(f"Observe {path} with token {token.decode()}", answer and answer.options.observe is not None, answer)

    def told(token: bytes, value: int, path: str = "/3/0/9") -> Heard | None:
        heard = peer.listen(is_notification(token))
        steps.check(f"notification of {value} for token {token.decode()}", heard and heard.text == str(value), heard)
        return heard

    observe(b"A")
    terminal.say("set /3/0/9 71")
    first = told(b"A", 71)
    again = peer.listen(is_notification(b"A"), 4)
    same = first and again and again.data == first.data
    steps.check("it is not acknowledged: the same bytes again", same, again)
    if again:
        peer.acknowledge(again)
    broken = peer.silence(1)
    steps.check("it is acknowledged: silence", not broken, broken)
    terminal.say("set /3/0/9 72")
    second = told(b"A", 72)
    rises = first and second and second.options.observe > first.options.observe and second.message.mid != first.message.mid
    steps.check("its number rises", rises, second)
    if second:
        peer.acknowledge(second)

    observe(b"B")
    terminal.say("set /3/0/9 73")
    for token in (b"A", b"B"):
        if heard := told(token, 73):
            peer.acknowledge(heard)
    answer = peer.ask(peer.write(GET, "/3/0/9", token=b"C", observe=1, accept=TEXT))
    steps.check("GET with Observe 1 and a token that observes nothing: a Read", answer and answer.text == "73", answer)
    mark = terminal.events.mark()
    answer = peer.ask(peer.write(GET, "/3/0/9", token=b"A", observe=1, accept=TEXT))
    ended = answer and answer.code == "2.05" and answer.options.observe is None
    steps.check("GET with Observe 1 and token A: the value, without Observe", ended, answer)
    steps.check("terminal: observation_cancelled", terminal.events.wait("observation_cancelled", since=mark))
    terminal.say("set /3/0/9 74")
    if heard := told(b"B", 74):
        peer.acknowledge(heard)
    broken = peer.silence(1)
    steps.check("nothing for token A", not broken, broken)
    observe(b"B", "/4/0/2")
    terminal.say("set /4/0/2 -90")
    if heard := told(b"B", -90, "/4/0/2"):
        peer.acknowledge(heard)
    terminal.say("set /3/0/9 75")
    broken = peer.silence(1.5)
    steps.check("token B stands for /4/0/2 now, and for nothing else", not broken, broken)
    terminal.say("set /4/0/2 -91")
    mark = terminal.events.mark()
    if heard := told(b"B", -91, "/4/0/2"):
        peer.reject(heard)
    steps.check("a Reset: terminal: observation_cancelled", terminal.events.wait("observation_cancelled", since=mark))
    terminal.say("set /4/0/2 -92")
    broken = peer.silence(1.5)
    steps.check("after that, silence", not broken, broken)

    observe(b"E", "/30000/0/0")
    mark = terminal.events.mark()
    answer = peer.ask(peer.write(DELETE, "/30000/0"))
    steps.check("Delete of what is observed: 2.02", answer and answer.code == "2.02", answer)
    heard = peer.listen(is_notification(b"E"))
    steps.check("the last notification says 4.04", heard and heard.code == "4.04", heard)
    if heard:
        peer.acknowledge(heard)
    steps.check("terminal: observation_cancelled", terminal.events.wait("observation_cancelled", since=mark))
    update = peer.need(lambda heard: heard.is_about(POST) and heard.options.uri_path == LOCATION, "an Update")
    peer.respond(update, Code.CHANGED)
    table.leaves(terminal)


def unconfirmed_observations(table: Table) -> None:
    """RFC 7641 with notifications that want no acknowledgement."""
    steps, peer = table.steps, table.peer
    terminal = table.registered("--non-confirmable")
    answer = peer.ask(peer.write(GET, "/3/0/9", token=b"N", observe=0, accept=TEXT))
    steps.check("Observe /3/0/9", answer and answer.options.observe is not None, answer)
    last = None
    for value in (61, 62):
        terminal.say(f"set /3/0/9 {value}")
        last = peer.listen(is_notification(b"N"))
        good = last and (last.kind, last.text) == (NON, str(value))
        steps.check(f"set /3/0/9 {value}: a NON with {value}", good, last)
        broken = peer.silence(1)
        steps.check("it is not sent again", not broken, broken)
    mark = terminal.events.mark()
    if last:
        peer.reject(last)
    steps.check("a Reset: terminal: observation_cancelled", terminal.events.wait("observation_cancelled", since=mark))
    terminal.say("set /3/0/9 63")
    broken = peer.silence(1)
    steps.check("after that, silence", not broken, broken)
    table.leaves(terminal)


# --- blocks -----------------------------------------------------------------------------------------------------------


def blocks(table: Table) -> None:
    """RFC 7959, in a sequence that no server keeps to."""
    steps, peer = table.steps, table.peer
    terminal = table.registered()
    package = image("4.0.0", 1000)
    parts = [package[at : at + 64] for at in range(0, len(package), 64)]

    def put(number: int, szx: int = 2, part: bytes | None = None, more: bool | None = None) -> bytes:
        more = number < len(parts) - 1 if more is None else more
        payload = parts[number] if part is None else part
        return peer.write(PUT, "/5/0/0", payload=payload, content_format=OCTETS, block1=(number, more, szx))

    table.code("block 3 without those before it", put(3), "4.08")
    table.code("block 0", put(0), "2.31")
    table.code("block 2, without block 1", put(2), "4.08")
    table.code("block 0, anew", put(0), "2.31")
    data = put(1)
    first = table.code("block 1", data, "2.31")
    again = peer.ask(data)
    steps.check("the same bytes again: the same answer", first and again and again.data == first.data, again)
    table.code("block 2 with fewer bytes than its size", put(2, part=b"x" * 10), "4.00")
    answer = table.code("block 0, anew", put(0), "2.31")
    good = answer and answer.options.block1 and answer.options.block1.block_number == 0
    steps.check("the answer says which block it is for", good, answer and answer.options.block1)
    reserved = peer.write(PUT, "/5/0/0", payload=b"x", content_format=OCTETS, extra=[(27, b"\x07")])
    table.code("a block of the reserved size 7", reserved, "4.00", "4.02")
    told = terminal.events.mark()
    answers = [peer.ask(put(number)) for number in range(len(parts))]
    codes = [answer.code if answer else "none" for answer in answers]
    wanted = ["2.31"] * (len(parts) - 1) + ["2.04"]
    steps.check("all blocks in their order: 2.31, and 2.04 for the last", codes == wanted, codes[-2:])
    times = count(terminal, "written", told, "/5/0/0")
    steps.check("written once", times == 1, f"{times} times")
    state = peer.get("/5/0/3", accept=TEXT)
    steps.check("Read /5/0/3: 2, downloaded", state and state.text == "2", state)

    whole = peer.get("/4/0", accept=TLV)
    got, tags, number, more = b"", set(), 0, True
    while more and number < 64:
        answer = peer.get("/4/0", accept=TLV, block2=(number, False, 0))
        if not answer or answer.code != "2.05" or not answer.options.block2:
            raise Broken(f"block {number} of /4/0 does not come: {answer}")
        block = answer.options.block2
        got, number, more = got + bytes(answer.message.payload), number + 1, block.more
        tags.add(answer.options.etag)
        if block.size_exponent != 0 or block.block_number != number - 1 or len(answer.message.payload) > 16:
            break
    same = whole and got == bytes(whole.message.payload)
    steps.check(f"Read /4/0 in {number} blocks of 16 bytes: the same as in one", same and not more, got.hex())
    steps.check("each with the same ETag", len(tags) == 1 and None not in tags, tags)
    middle = peer.get("/4/0", accept=TLV, block2=(2, False, 0))
    right = middle and bytes(middle.message.payload) == got[32:48]
    steps.check("block 2 alone", right, middle)
    table.code("a block behind the end", peer.write(GET, "/4/0", accept=TLV, block2=(500, False, 0)), "4.00", "4.02")
    table.lives()
    table.leaves(terminal)


ODDITIES: dict[str, Callable[[Table], None]] = {
    "registration": registration,
    "bootstrap": bootstrap,
    "duplicates": duplicates,
    "refusals": refusals,
    "datagrams that are no messages": no_messages,
    "observations": observations,
    "observations without acknowledgement": unconfirmed_observations,
    "blocks": blocks,
}

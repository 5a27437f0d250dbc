"""Requests that come twice, mean nothing, are no messages, or come in blocks out of order."""

from __future__ import annotations

from aiocoap import CON, DELETE, GET, NON, POST, PUT
from aiocoap.numbers.codes import Code

from interop.firmware import image
from interop.peer import OCTETS, TEXT, TLV
from interop.run import Broken
from interop.table import LOCATION, Table, count


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

"""Registration and bootstrap with a server that is slow, repeats itself, or asks too much."""

from __future__ import annotations

from aiocoap import ACK, CON, DELETE, NON, POST, PUT, RST
from aiocoap.numbers.codes import Code

from interop.peer import LINKS, TLV
from interop.run import SOON
from interop.table import LOCATION, Table, count


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

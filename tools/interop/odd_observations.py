"""Observations that are not acknowledged, rejected, or begun with the tokens of others (RFC 7641)."""

from __future__ import annotations

from collections.abc import Callable

from aiocoap import CON, DELETE, GET, NON, POST
from aiocoap.numbers.codes import Code

from interop.peer import TEXT, Heard
from interop.table import LOCATION, Table


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

"""What happens to a DM terminal that it did not ask for: servers that are down or refuse it, addresses that change."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

from interop.bench import ONE_EXCHANGE, Bench, comes_online, describe, is_the_only_one, quits
from interop.link import Link, open_port
from interop.run import SOON, Terminal, is_bootstrap_request, is_register
from interop.servers import named

ONE_PAUSE = 100.0
"""Seconds in which a terminal that was refused or heard nothing tries once more: 60 to 90 s, and some."""


def stand_in(bench: Bench) -> None:
    """Not of the terminal: our bootstrap server answers as the demo would."""
    steps, bootstrap, stranger = bench.steps, bench.bootstrap, ";;123456789012345;1.0"
    bootstrap.configure(stranger, bench.server.uri)
    known = bootstrap.configurations()
    uri = known.body[stranger]["security"]["1"]["uri"] if stranger in known.body else None
    steps.check("a configuration that is set is listed", uri == bench.server.uri, ", ".join(known.body))
    answer = bootstrap.ask("POST", named("/api/bootstrap", stranger), {"servers": {"0": {"shortId": 0}}})
    steps.check("one that is not valid is refused with 400", answer.http == 400, answer)
    codes = [bootstrap.forget(stranger).http for _ in range(2)]
    steps.check("one that is removed is gone: 204, then 404", codes == [204, 404], codes)


def registers_by_itself(bench: Bench, terminal: Terminal, timeout: float) -> dict[str, Any]:
    """Whatever was wrong is over, and nobody tells the terminal. Gives the registration."""
    steps = bench.steps
    seen = bench.server.wait_registered(timeout)
    steps.need("the terminal registers by itself", seen, seen and describe(seen.body))
    assert seen
    told = terminal.events.wait("registered")
    registration: dict[str, Any] = seen.body
    located = told and str(told.data["location"]).endswith("/" + registration["registrationId"])
    steps.check("terminal: registered, with this registration's location", located, told)
    return registration


def is_sent_again(bench: Bench, what: str, tries: list[bytes]) -> None:
    evidence = f"{len(tries)} times: " + " ".join(datagram.hex() for datagram in dict.fromkeys(tries))
    bench.steps.check(f"it sent its {what} again, the same bytes", len(tries) > 1 and len(set(tries)) == 1, evidence)


def server_is_down(bench: Bench) -> None:
    """The server's port is closed when the terminal registers (DM 7.3)."""
    steps, server, mark = bench.steps, bench.server, bench.bootstrap.events.mark()
    server.stop()
    terminal = bench.start_terminal(bench.endpoint)
    finished = bench.bootstrap.wait("finished", 30, mark)
    steps.need("bootstrap session finished", finished, finished or terminal.complaint()[-3:])
    steps.check("the terminal registers at once", terminal.datagram("out", is_register, 0))
    server.start()
    registers_by_itself(bench, terminal, ONE_EXCHANGE)
    is_sent_again(bench, "Register", terminal.sent(0, is_register))
    is_the_only_one(bench)
    steps.check("no new bootstrap session", len(bench.bootstrap.steps(mark, "new session")) == 1)
    quits(bench, terminal)


def server_dies_before_it_answers(bench: Bench) -> None:
    """The server has registered the terminal, but is killed before its answer arrives; its successor knows nobody."""
    steps, server, mark, begun = bench.steps, bench.server, bench.server.events.mark(), bench.bootstrap.events.mark()
    with contextlib.closing(Link(server.coap)) as link:
        link.answers_are_lost = True
        bench.bootstrap.configure(bench.endpoint, link.uri)
        terminal = bench.start_terminal(bench.endpoint)
        lost = server.events.wait("REGISTRATION", 30, mark)
        steps.need("REGISTRATION event; the answer is lost", lost, lost and describe(lost.data))
        assert lost
        server.stop()
        steps.check("the terminal does not believe to be registered", not terminal.events.since(0, "registered"))
        link.answers_are_lost = False
        server.start()
        seen = registers_by_itself(bench, terminal, ONE_EXCHANGE)
        another = seen["registrationId"] != lost.data["registrationId"]
        steps.check("it is another registration", another, f"{lost.data['registrationId']}, then {seen['registrationId']}")
        is_sent_again(bench, "Register", terminal.sent(0, is_register))
        is_the_only_one(bench)
        steps.check("no new bootstrap session", len(bench.bootstrap.steps(begun, "new session")) == 1)
        quits(bench, terminal)


def server_stays_silent(bench: Bench) -> None:
    """Something swallows whatever comes to the server's port, until the Register is given up; then the server comes."""
    bench.server.stop()
    with open_port(bench.server.coap):
        terminal = bench.start_terminal(bench.endpoint)
        failed = terminal.events.wait("registration_failed", ONE_EXCHANGE)
    timeout = failed and failed.data["kind"] == "timeout"
    bench.steps.check("terminal: registration_failed, for want of an answer", timeout, failed)
    tries = terminal.sent(0, is_register)
    is_sent_again(bench, "Register", tries)
    bench.steps.check("5 times in all", len(tries) == 5)
    bench.server.start()
    registers_by_itself(bench, terminal, ONE_PAUSE)
    is_the_only_one(bench)
    quits(bench, terminal)


def bootstrap_server_is_down(bench: Bench, until_it_fails: bool = False) -> None:
    """Nothing listens where the terminal bootstraps (DM 7.2); then somebody does."""
    steps, bootstrap, mark = bench.steps, bench.bootstrap, bench.bootstrap.events.mark()
    bootstrap.stop()
    terminal = bench.start_terminal(bench.endpoint)
    steps.check("the terminal asks at once", terminal.datagram("out", is_bootstrap_request, 0))
    if until_it_fails:
        failed = terminal.events.wait("bootstrap_failed", ONE_EXCHANGE)
        timeout = failed and failed.data["kind"] == "timeout"
        steps.check("terminal: bootstrap_failed, for want of an answer", timeout, failed)
        tries = terminal.sent(0, is_bootstrap_request)
        steps.check("it asked 5 times in all", len(tries) == 5)
    bootstrap.start()
    bootstrap.configure(bench.endpoint, bench.server.uri)
    finished = bootstrap.wait("finished", ONE_PAUSE if until_it_fails else ONE_EXCHANGE, mark)
    steps.need("the terminal bootstraps by itself", finished, finished or terminal.complaint()[-3:])
    steps.check("terminal: bootstrap_finished", terminal.events.wait("bootstrap_finished"))
    if not until_it_fails:
        is_sent_again(bench, "Bootstrap-Request", terminal.sent(0, is_bootstrap_request))
    registers_by_itself(bench, terminal, SOON)
    is_the_only_one(bench)
    sessions = len(bootstrap.steps(mark, "new session"))
    steps.check("one bootstrap session", sessions == 1, sessions)
    quits(bench, terminal)


def bootstrap_server_stays_silent(bench: Bench) -> None:
    bootstrap_server_is_down(bench, until_it_fails=True)


def name_is_refused(bench: Bench) -> None:
    """The server authenticates by the endpoint name (DM 7.3), and refuses: it wants this one over DTLS only."""
    steps, server = bench.steps, bench.server
    wants = server.demand_key(bench.endpoint)
    steps.check("the server wants a key of this endpoint", wants.http == 200, f"HTTP {wants.http}")
    try:
        terminal = bench.start_terminal(bench.endpoint)
        failed = terminal.events.wait("registration_failed", 30)
        steps.need("terminal: registration_failed", failed, failed or terminal.complaint()[-3:])
        assert failed
        refused = failed.data.get("code") in {"4.00", "4.03"} and failed.data["kind"] == "authentication"
        steps.check("with the server's code, for want of authentication", refused, failed)
        answer = server.registration()
        steps.check("the server does not know the terminal", answer.http == 400, answer)
        time.sleep(5)
        tries = terminal.sent(0, is_register)
        steps.check("in 5 s it registers once", len(tries) == 1, f"{len(tries)} times")
        asked = len(terminal.sent(0, is_bootstrap_request))
        steps.check("in 5 s it bootstraps once", asked == 1, f"{asked} times")
    finally:
        granted = server.demand_no_key(bench.endpoint)
    steps.check("the server wants no key any more", granted.http in {200, 204}, f"HTTP {granted.http}")
    if bench.long:
        registers_by_itself(bench, terminal, ONE_PAUSE)
        is_the_only_one(bench)
        quits(bench, terminal)
    else:
        terminal.say("quit")
        code = terminal.wait(SOON)
        steps.check("'quit': the terminal ends with another exit code than 0", code not in (0, None), f"exit code {code}")
        steps.check("it says why in one line on standard error", len(terminal.complaint()) == 1, terminal.complaint())


def comes_back(bench: Bench, how: str, mark: int, sessions: int) -> str:
    """Update or Register, as reading A16 of the DM specification has it, and no bootstrap. Gives the address."""
    steps = bench.steps
    heard = bench.server.events.wait(("UPDATED", "REGISTRATION"), SOON, mark)
    seen = heard.data.get("registration", heard.data) if heard else {}
    steps.need(f"{how}: UPDATED or REGISTRATION event", heard, heard and f"{heard.name}: {describe(seen)}")
    time.sleep(1)  # For what should not follow.
    more = [event.name for event in bench.server.events.since(mark, "UPDATED", "REGISTRATION")]
    steps.check("only one of the two", len(more) == 1, ", ".join(more))
    steps.check("no new bootstrap session", bench.bootstrap.sessions() == sessions)
    return str(seen["address"])


def address_changes(bench: Bench) -> None:
    """The terminal knows that it has another address."""
    terminal, before = comes_online(bench)
    mark, told, sessions = bench.server.events.mark(), terminal.events.mark(), bench.bootstrap.sessions()
    terminal.say("rebind")
    after = comes_back(bench, "'rebind'", mark, sessions)
    bench.steps.check("the server sees another address", after != before["address"], f"{before['address']}, then {after}")
    said = terminal.events.wait(("updated", "registered"), since=told)
    bench.steps.check("terminal: updated or registered", said, said)
    is_the_only_one(bench)
    quits(bench, terminal)


def address_changes_unnoticed(bench: Bench) -> None:
    """A router between them gives the terminal another outer port, which only the server can see."""
    steps, server = bench.steps, bench.server
    with contextlib.closing(Link(server.coap)) as link:
        bench.bootstrap.configure(bench.endpoint, link.uri)
        terminal, registered = comes_online(bench)
        is_the_only_one(bench)
        address = link.move()
        answer = server.read("/3/0/9", "TEXT", timeout=1)
        steps.check("another outer port: the server does not reach the terminal", answer.http == 504, answer)
        mark, told, sessions = server.events.mark(), terminal.events.mark(), bench.bootstrap.sessions()
        terminal.say("update")
        after = comes_back(bench, "'update'", mark, sessions)
        steps.check("the server sees the new address", after == address, f"{registered['address']}, then {after}")
        steps.check("terminal: updated or registered", terminal.events.wait(("updated", "registered"), since=told))
        is_the_only_one(bench)
        quits(bench, terminal)


def network_goes(bench: Bench) -> None:
    """Not offline in the sense of DM 7.3: the registration stays (reading A16)."""
    steps, server = bench.steps, bench.server
    terminal, registered = comes_online(bench)
    told, sessions = terminal.events.mark(), bench.bootstrap.sessions()
    terminal.say("network off")
    steps.check("'network off': terminal: offline", terminal.events.wait("offline", since=told))
    mark, told = server.events.mark(), terminal.events.mark()
    terminal.say("set /3/0/9 42")
    terminal.say("update")
    time.sleep(3)
    more = terminal.sent(told)
    steps.check("without a network, silence, even if it wants to update", not more, more and more[0].hex())
    kept = server.registration()
    same = kept.http == 200 and kept.body["registrationId"] == registered["registrationId"]
    steps.check("the registration stays", same, describe(kept.body) if kept.http == 200 else kept)
    terminal.say("network on")
    comes_back(bench, "'network on'", mark, sessions)
    steps.check("terminal: updated or registered", terminal.events.wait(("updated", "registered"), since=told))
    is_the_only_one(bench)
    quits(bench, terminal)


TROUBLES: dict[str, Callable[[Bench], None]] = {
    "the bootstrap server's REST interface": stand_in,
    "a server that is down when the terminal registers": server_is_down,
    "a server that dies before it answers the Register": server_dies_before_it_answers,
    "a bootstrap server that is down at first": bootstrap_server_is_down,
    "a server that refuses the endpoint name": name_is_refused,
    "another address": address_changes,
    "another address that the terminal does not know of": address_changes_unnoticed,
    "a network that goes and comes": network_goes,
}

LONG_TROUBLES: dict[str, Callable[[Bench], None]] = {
    "a server that is silent until the Register is given up": server_stays_silent,
    "a bootstrap server that is silent until the bootstrap is given up": bootstrap_server_stays_silent,
}

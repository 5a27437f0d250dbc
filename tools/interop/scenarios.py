"""What a DM terminal must do, in the order of its life; the sections of the DM specification are named beside it."""

from __future__ import annotations

import contextlib
import functools
import itertools
import re
import signal
import time
from collections.abc import Callable
from typing import Any

from interop.bench import ONE_EXCHANGE, Bench, describe
from interop.link import open_port
from interop.run import SOON, Broken, Terminal, has_code, is_reset
from interop.servers import LIFETIME


def boots_and_registers(bench: Bench, terminal: Terminal, bootstraps: int, registrations: int) -> dict[str, Any]:
    """Bootstrap and Register (DM 7.2, 7.3); gives the registration as the server sees it."""
    steps, finished = bench.steps, bench.bootstrap.wait("finished", 30, bootstraps)
    steps.need("bootstrap session finished", finished, finished or terminal.complaint()[-3:])
    requests = bench.bootstrap.steps(bootstraps, "send delete", "send write", "send request")
    answers = bench.bootstrap.steps(bootstraps, "receive success response")
    refusals = bench.bootstrap.steps(bootstraps, "receive error response", "request failure", "failed")
    pairs = [f"{request.data['name']}: {answer.data['message']}" for request, answer in zip(requests, answers, strict=False)]
    granted = answers and len(answers) == len(requests) and not refusals
    steps.check("every bootstrap request was granted", granted, refusals or ", ".join(pairs))
    steps.check("terminal: bootstrap_finished", terminal.events.wait("bootstrap_finished"))

    registered = bench.server.events.wait("REGISTRATION", 30, registrations)
    steps.need("REGISTRATION event", registered, describe(registered.data) if registered else terminal.complaint()[-3:])
    assert registered
    seen = registered.data
    links = [link["url"] for link in seen["objectLinks"]]
    steps.check("endpoint name, byte for byte", seen["endpoint"] == bench.endpoint, seen["endpoint"])
    steps.check(f"lifetime {LIFETIME}", seen["lifetime"] == LIFETIME, seen["lifetime"])
    steps.check("LwM2M version 1.0", seen["lwM2mVersion"] == "1.0", seen["lwM2mVersion"])
    steps.check("binding U", seen["bindingMode"] == "U", seen["bindingMode"])
    steps.check("links to /1/0 and /3/0", {"/1/0", "/3/0"} <= set(links), " ".join(links))
    steps.check("no link to /0", not [link for link in links if re.match(r"/0(/|$)", link)])
    told = terminal.events.wait("registered")
    located = told and str(told.data.get("location", "")).endswith("/" + seen["registrationId"])
    steps.check("terminal: registered, with the server's location", located, told)
    steps.check("terminal: registered, with the lifetime", told and told.data.get("lifetime") == LIFETIME)
    found = bench.server.registration()
    steps.check("the server finds the registration by the name", found.http == 200, f"HTTP {found.http}")
    return seen


def is_managed(bench: Bench, terminal: Terminal) -> None:
    """Read, Discover, Write, Execute (DM 6, group 3)."""
    steps, server = bench.steps, bench.server
    answer = server.read("/3/0", "TLV")
    values = answer.resources()
    full = answer.code == 205 and {0, 9, 11, 16} <= values.keys() and values[16] == "U"
    steps.check("Read /3/0 as TLV", full, answer)
    answer = server.read("/3/0", "JSON")
    same = answer.code == 205 and answer.resources().keys() == values.keys() and answer.resources()[0] == values[0]
    steps.check("Read /3/0 as JSON", same, answer)
    answer = server.read("/3/0/9", "TEXT")
    steps.check("Read /3/0/9 as TEXT", answer.code == 205 and 0 <= int(answer.content.get("value", -1)) <= 100, answer)
    steps.check("terminal: read", terminal.events.wait("read"))
    answer = server.read("/3/0/9999", "TEXT")
    steps.check("Read /3/0/9999, which is not there: 4.04", answer.code == 404, answer)
    answer = server.read("/0/1", "TLV")
    steps.check("Read /0/1, which is no server's business: 4.01", answer.code == 401, answer)
    answer = server.discover("/3")
    links = [link["url"] for link in answer.body.get("objectLinks", ())] if answer.code == 205 else []
    steps.check("Discover /3", {"/3/0/0", "/3/0/9", "/3/0/12"} <= set(links), " ".join(links) or answer)

    for lifetime, form in ((3600, "TLV"), (LIFETIME, "TEXT")):
        mark = server.events.mark()
        answer = server.write("/1/0/1", lifetime, form)
        steps.check(f"Write /1/0/1 = {lifetime} as {form}", answer.code == 204, answer)
        updated = server.events.wait("UPDATED", SOON, mark)
        seen = updated.data["registration"] if updated else {}
        steps.check(f"UPDATED event with lifetime {lifetime}", seen.get("lifetime") == lifetime, seen and describe(seen))
    steps.check("terminal: updated", terminal.events.wait("updated"))
    for offset, form in (("+08:00", "JSON"), ("+07:00", "TEXT")):
        answer = server.write("/3/0/14", offset, form)
        steps.check(f"Write /3/0/14 = {offset} as {form}", answer.code == 204, answer)
    steps.check("terminal: written", terminal.events.wait("written"))
    answer = server.read("/3/0/14", "TEXT")
    steps.check("Read /3/0/14 gives the last value written", answer.content.get("value") == "+07:00", answer)
    answer = server.write("/3/0/0", "another", "TEXT")
    steps.check("Write /3/0/0, which is read-only: 4.05", answer.code == 405, answer)
    answer = server.execute("/3/0/12")
    steps.check("Execute /3/0/12", answer.code == 204, answer)
    steps.check("terminal: executed", terminal.events.wait("executed"))
    answer = server.execute("/3/0/9")
    steps.check("Execute /3/0/9, which is no command: 4.05", answer.code == 405, answer)


def is_observed(bench: Bench, terminal: Terminal) -> None:
    """Observe, Notify, cancel (DM 6, group 2)."""
    steps, server = bench.steps, bench.server
    for form, value in (("TEXT", 42), ("TLV", 43)):
        answer = server.observe("/3/0/9", form)
        steps.check(f"Observe /3/0/9 as {form}", answer.code == 205, answer)
        steps.check("terminal: observed", terminal.events.wait("observed"))
        mark, told = server.events.mark(), terminal.events.mark()
        terminal.say(f"set /3/0/9 {value}")
        notified = server.events.wait("NOTIFICATION", SOON, mark)
        shown = notified and notified.data["res"] == "/3/0/9" and int(notified.data["val"]["value"]) == value
        steps.check(f"set /3/0/9 {value}: NOTIFICATION with {value}", shown, notified)
        steps.check("terminal: notified", terminal.events.wait("notified", since=told))

        answer, mark = server.forget_observation("/3/0/9"), terminal.events.mark()
        steps.check("the server forgets the observation", answer.http == 200, f"HTTP {answer.http}")
        terminal.say("set /3/0/9 50")
        reset = terminal.datagram("in", is_reset, mark)
        steps.check("the next notification is reset", reset, reset and reset.hex())
        steps.check("terminal: observation_cancelled", terminal.events.wait("observation_cancelled", since=mark))
        time.sleep(1)
        mark = terminal.events.mark()
        terminal.say("set /3/0/9 51")
        time.sleep(3)  # The account's minimum period is 1 s.
        more = terminal.events.since(mark, "datagram")
        steps.check("after that, silence", not more, more and more[0])


def updates(bench: Bench, terminal: Terminal, registered: dict[str, Any]) -> None:
    """Update (DM 7.4), for the server's reasons and the device's."""
    steps, server = bench.steps, bench.server
    for trigger in ("Execute /1/0/8", "'update'"):
        mark, told = server.events.mark(), terminal.events.mark()
        if trigger == "'update'":
            terminal.say("update")
        else:
            answer = server.execute("/1/0/8")
            steps.check("Execute /1/0/8 (Registration Update Trigger)", answer.code == 204, answer)
        updated = server.events.wait("UPDATED", SOON, mark)
        seen = updated.data["registration"] if updated else {}
        same = seen.get("registrationId") == registered["registrationId"]
        steps.check(f"{trigger}: UPDATED event of the same registration", same, seen and describe(seen))
        steps.check("terminal: updated", terminal.events.wait("updated", since=told))


def flies(bench: Bench, terminal: Terminal, registered: dict[str, Any]) -> dict[str, Any]:
    """Flight mode: De-register (DM 7.5), then Register without a bootstrap (DM 7.3)."""
    steps, server = bench.steps, bench.server
    mark, told, sessions = server.events.mark(), terminal.events.mark(), bench.bootstrap.sessions()
    terminal.say("flight on")
    gone = server.events.wait("DEREGISTRATION", SOON, mark)
    same = gone and gone.data["registrationId"] == registered["registrationId"]
    steps.check("'flight on': DEREGISTRATION event", same, gone and gone.data["registrationId"])
    answer = server.registration()
    steps.check("the server knows the terminal no more", answer.http == 400, answer)
    for name in ("deregistered", "may_proceed"):
        steps.check(f"terminal: {name}", terminal.events.wait(name, since=told))
    mark, told = server.events.mark(), terminal.events.mark()
    time.sleep(2)
    more = terminal.events.since(told, "datagram")
    steps.check("in flight mode, silence", not more, more and more[0])
    terminal.say("flight off")
    again = server.events.wait("REGISTRATION", SOON, mark)
    fresh = again and again.data["registrationId"] != registered["registrationId"]
    steps.check("'flight off': REGISTRATION event, another registration", fresh, again and describe(again.data))
    steps.check("terminal: registered", terminal.events.wait("registered", since=told))
    steps.check("no new bootstrap session", bench.bootstrap.sessions() == sessions, f"{sessions} so far")
    if not again:
        raise Broken("the terminal did not come back from flight mode")
    return again.data


def survives_amnesia(bench: Bench, terminal: Terminal) -> None:
    """A server that comes back with an empty memory answers 4.04, and the terminal registers anew."""
    steps, server = bench.steps, bench.server
    server.stop()
    server.start()
    steps.check("the server was restarted and knows nobody", server.registration().http == 400)
    mark, told, sessions = server.events.mark(), terminal.events.mark(), bench.bootstrap.sessions()
    terminal.say("update")
    refused = terminal.datagram("in", functools.partial(has_code, "4.04"), told)
    steps.check("'update' is answered 4.04", refused, refused and refused.hex())
    again = server.events.wait("REGISTRATION", SOON, mark)
    steps.need("REGISTRATION event", again, again and describe(again.data))
    steps.check("terminal: registered", terminal.events.wait("registered", since=told))
    steps.check("no new bootstrap session", bench.bootstrap.sessions() == sessions, f"{sessions} so far")


def survives_absence(bench: Bench, terminal: Terminal) -> None:
    """A server that is gone for some seconds: retransmissions reach its successor."""
    steps, server = bench.steps, bench.server
    server.stop()
    told = terminal.events.mark()
    terminal.say("update")
    time.sleep(4)
    tries = terminal.sent(told)
    steps.check("server gone for 4 s: the Update is sent again", len(tries) >= 2, f"{len(tries)} times")
    steps.check("each time the same bytes", len(set(tries)) == 1, " ".join(datagram.hex() for datagram in set(tries)))
    server.start()
    again = server.wait_registered(ONE_EXCHANGE)
    steps.need("server back: registered again", again, again and describe(again.body))
    steps.check("the terminal lives", terminal.process.poll() is None)
    steps.check("terminal: registered", terminal.events.wait("registered", since=told))


def survives_silence(bench: Bench, terminal: Terminal) -> None:
    """A server that swallows everything until an exchange is given up (RFC 7252 section 4.2), then returns."""
    steps, server = bench.steps, bench.server
    server.stop()
    heard: list[tuple[float, bytes]] = []
    with open_port(server.coap) as mute:
        mute.settimeout(0.2)
        told = terminal.events.mark()
        terminal.say("update")
        deadline, failed = time.monotonic() + ONE_EXCHANGE, None
        while not failed and time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError):
                heard.append((time.monotonic(), mute.recv(2048)))
            failed = terminal.events.wait("update_failed", 0, told)
    first = [at for at, datagram in heard if datagram == heard[0][1]]
    gaps = [later - earlier for earlier, later in itertools.pairwise(first)]
    shown = "gaps " + ", ".join(f"{gap:.1f} s" for gap in gaps)
    steps.check("silence: the Update is sent 5 times in all", len(first) == 5, shown)
    # A slow machine may send late, never early.
    in_time = all(0.95 * 2 * 2**n <= gap <= 1.05 * 3 * 2**n + 1 for n, gap in enumerate(gaps))
    steps.check("the gaps are 2 to 3 s, then doubled", gaps and in_time, shown)
    steps.check("terminal: update_failed", failed, failed)
    server.start()
    again = server.wait_registered(600)
    steps.need("server back: registered again", again, again and describe(again.body))
    steps.check("terminal: registered", terminal.events.wait("registered", since=told))


def leaves(bench: Bench, terminal: Terminal, how: str, act: Callable[[], object]) -> None:
    """De-register before power-off (DM 7.5)."""
    steps, mark, told = bench.steps, bench.server.events.mark(), terminal.events.mark()
    act()
    gone = bench.server.events.wait("DEREGISTRATION", SOON, mark)
    steps.check(f"{how}: DEREGISTRATION event", gone, gone and gone.data["registrationId"])
    code = terminal.wait(ONE_EXCHANGE)
    steps.check("the terminal ends with exit code 0", code == 0, f"exit code {code}")
    for name in ("deregistered", "may_proceed"):
        steps.check(f"terminal: {name}", terminal.events.wait(name, 0, told))
    noise = terminal.events.since(0, "no JSON event")
    steps.check("every line it printed is a JSON event", not noise, noise and noise[0])
    lost = terminal.events.since(0, "bootstrap_failed")
    steps.check("it never failed to bootstrap", not lost, lost and lost[0])


def whole_life(bench: Bench) -> None:
    bootstraps, registrations = bench.bootstrap.events.mark(), bench.server.events.mark()
    terminal = bench.start_terminal(bench.endpoint)
    registered = boots_and_registers(bench, terminal, bootstraps, registrations)
    is_managed(bench, terminal)
    is_observed(bench, terminal)
    updates(bench, terminal, registered)
    flies(bench, terminal, registered)
    survives_amnesia(bench, terminal)
    survives_absence(bench, terminal)
    if bench.long:
        survives_silence(bench, terminal)
    leaves(bench, terminal, "'quit'", lambda: terminal.say("quit"))
    bench.steps.check("one bootstrap session in the whole life", bench.bootstrap.sessions() == 1, bench.bootstrap.sessions())


def short_life(bench: Bench) -> None:
    bootstraps, registrations = bench.bootstrap.events.mark(), bench.server.events.mark()
    terminal = bench.start_terminal(bench.endpoint)
    boots_and_registers(bench, terminal, bootstraps, registrations)
    leaves(bench, terminal, "Ctrl-C", lambda: terminal.process.send_signal(signal.SIGINT))


def unknown_device(bench: Bench) -> None:
    mark = bench.bootstrap.events.mark()
    stranger = "352099001761481;;;1.0"
    terminal = bench.start_terminal(stranger, "--run-for", "8")
    refused = bench.bootstrap.wait("no config", 30, mark)
    same = refused and refused.data["endpoint"] == stranger
    bench.steps.check("the bootstrap server has nothing for this device", same, refused)
    told = terminal.events.wait("bootstrap_failed")
    bench.steps.check("terminal: bootstrap_failed", told, told)
    code = terminal.wait(ONE_EXCHANGE)
    bench.steps.check("the terminal ends with another exit code than 0", code not in (0, None), f"exit code {code}")
    bench.steps.check("it never registered", not terminal.events.since(0, "registered"))


def no_name(bench: Bench) -> None:
    terminal = bench.start_terminal("490154203237518;;1.0")
    code = terminal.wait(SOON)
    bench.steps.check("the terminal ends at once, not with exit code 0", code not in (0, None), f"exit code {code}")
    complaint = terminal.complaint()
    bench.steps.check("it says why in one line on standard error", len(complaint) == 1, " / ".join(complaint))
    bench.steps.check("it sent nothing", not terminal.events.since(0, "datagram"))


SCENARIOS: dict[str, Callable[[Bench], None]] = {
    "a whole life": whole_life,
    "a short life, ended by Ctrl-C": short_life,
    "a device that the bootstrap server does not know": unknown_device,
    "an endpoint name that is none": no_name,
}

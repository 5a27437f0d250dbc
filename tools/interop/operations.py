"""Every operation on every level, in every format that both sides have (OMA LwM2M 1.0, 5.4 and 5.5)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from interop.bench import Bench, comes_online, quits
from interop.run import SOON, Event, Terminal
from interop.servers import Answer

METER = "/30000"
"""The vendor's own object (models/30000-hour-meter.xml)."""


def instance(number: int, values: dict[int, object]) -> dict[str, Any]:
    """A node of the REST interface: an instance, of single and of multiple resources."""
    kinds = (("values" if isinstance(value, dict) else "value", key, value) for key, value in values.items())
    return {"id": number, "resources": [{"id": key, kind: value} for kind, key, value in kinds]}


def values_of(node: dict[str, Any]) -> dict[int, Any]:
    return {one["id"]: one.get("value", one.get("values")) for one in node.get("resources", ())}


def instances_of(answer: Answer) -> dict[int, dict[int, Any]]:
    return {one["id"]: values_of(one) for one in answer.content.get("instances", ())}


def links_of(answer: Answer) -> dict[str, dict[str, Any]]:
    """The paths of a Discover and their attributes."""
    links = answer.body.get("objectLinks", ()) if answer.code == 205 else ()
    return {link["url"]: link.get("attributes", {}) for link in links}


def listed(event: Event | None) -> list[str]:
    """The object list of a registration event."""
    if not event:
        return []
    registration = event.data.get("registration", event.data)
    return [link["url"] for link in registration["objectLinks"]]


def reads(bench: Bench, terminal: Terminal) -> None:
    steps, server = bench.steps, bench.server
    for path in ("/4", METER):
        found = {form: server.read(path, form) for form in ("TLV", "JSON")}
        same = instances_of(found["TLV"]).keys() == instances_of(found["JSON"]).keys() == {0}
        steps.check(f"Read {path} as TLV and as JSON", same and found["TLV"].code == 205, found["JSON"])
    found = {form: server.read("/4/0", form) for form in ("TLV", "JSON")}
    radio = found["TLV"].resources()
    known = radio == found["JSON"].resources() and radio.get(2) == -97 and radio.get(4) == {"0": "10.0.0.7"}
    steps.check("Read /4/0 as TLV and as JSON: the same values", known, radio)
    answer = server.read("/4/0", "TEXT")
    steps.check("Read /4/0 as TEXT, which has room for one value only: 4.06", answer.code == 406, answer)
    for path, value, forms in (
        ("/4/0/2", -97, ("TLV", "JSON", "TEXT")),
        ("/3/0/1", "TM-1", ("TLV", "JSON", "TEXT")),
        ("/3/0/7", {"0": 3800, "1": 5000}, ("TLV", "JSON")),
        (f"{METER}/0/0", "the terminal", ("TLV", "JSON", "TEXT")),
        ("/5/0/3", 0, ("TLV", "JSON", "TEXT")),
    ):
        found = {form: server.read(path, form) for form in forms}
        said = [answer.content.get("value", answer.content.get("values")) for answer in found.values()]
        steps.check(f"Read {path} as {', '.join(forms)}: {value}", said == [value] * len(forms), said)
    answer = server.read("/5/0/0", "OPAQUE")
    steps.check("Read /5/0/0, which is only written: 4.05", answer.code == 405, answer)
    for path in ("/6", "/4/1", "/4/0/6", f"{METER}/3"):
        answer = server.read(path, "TLV")
        steps.check(f"Read {path}, which is not there: 4.04", answer.code == 404, answer)
    first = server.read(f"{METER}/0/1", "TEXT").content.get("value")
    time.sleep(2)
    then = server.read(f"{METER}/0/1", "TEXT").content.get("value")
    counts = isinstance(first, int) and isinstance(then, int) and then > first
    steps.check("the hour meter counts", counts, f"{first}, then {then}")


def discovers(bench: Bench, terminal: Terminal) -> None:
    steps, server = bench.steps, bench.server
    for path, wanted in (
        ("/5", {"/5", "/5/0", "/5/0/0", "/5/0/1", "/5/0/2", "/5/0/3", "/5/0/5"}),
        (f"{METER}/0", {f"{METER}/0", f"{METER}/0/0", f"{METER}/0/1", f"{METER}/0/2"}),
        ("/4/0/2", {"/4/0/2"}),
    ):
        links = links_of(server.discover(path))
        steps.check(f"Discover {path}", wanted <= links.keys(), " ".join(links))
    answer = server.write_attributes("/4/0/2", "pmin=5&pmax=60&gt=-90&lt=-110.5&st=2")
    steps.check("Write-Attributes /4/0/2: pmin, pmax, gt, lt, st", answer.code == 204, answer)
    answer = server.write_attributes("/4", "pmin=7")
    steps.check("Write-Attributes /4: pmin", answer.code == 204, answer)
    answer = server.write_attributes("/4/0", "pmax=90")
    steps.check("Write-Attributes /4/0: pmax", answer.code == 204, answer)
    answer = server.write_attributes("/4/0/4", "gt=1")
    steps.check("Write-Attributes /4/0/4: gt of a text: 4.00", answer.code == 400, answer)
    links = links_of(server.discover("/4/0/2"))
    told = {key: float(value) for key, value in links.get("/4/0/2", {}).items()}
    wanted_values = {"pmin": 5.0, "pmax": 60.0, "gt": -90.0, "lt": -110.5, "st": 2.0}
    steps.check("Discover /4/0/2 shows its attributes", told == wanted_values, links)
    links = links_of(server.discover("/4"))
    steps.check("Discover /4 shows that of the object", links.get("/4", {}).get("pmin") in (7, "7"), links)


def writes(bench: Bench, terminal: Terminal) -> None:
    steps, server, path = bench.steps, bench.server, f"{METER}/0"
    full = {0: "pump", 3: True, 4: 2.5, 5: {"0": 100, "3": 500}}
    for form, name in (("TLV", "pump"), ("JSON", "valve")):
        answer = server.write_node(path, instance(0, {**full, 0: name}), form)
        steps.check(f"Write {path} as {form}", answer.code == 204, answer)
        got = server.read(path, form).resources()
        same = {key: got.get(key) for key in full} == {**full, 0: name}
        steps.check(f"Read {path} gives what was written", same, got)
        answer = server.write_node(path, instance(0, {4: -0.25}), form, replace=False)
        steps.check(f"partial Write {path} as {form}: Rate only", answer.code == 204, answer)
        got = server.read(path, form).resources()
        steps.check("the rest is as it was", (got.get(0), got.get(3), got.get(4)) == (name, True, -0.25), got)
        answer = server.write_node(path, instance(0, {0: "bare"}), form)
        got = server.read(path, form).resources()
        bare = got.get(0) == "bare" and not {3, 4, 5} & got.keys()
        steps.check("replaced by one with a name only: the optional values are gone", bare and answer.code == 204, got)
        answer = server.write_node(path, instance(0, {4: 1.5}), form)
        steps.check("replaced by one without its mandatory name: 4.00", answer.code == 400, answer)
    for resource, value, forms in (
        (0, "Überdruck", ("TEXT", "TLV", "JSON")),
        (3, False, ("TEXT", "TLV", "JSON")),
        (4, 1.5, ("TEXT", "TLV", "JSON")),
        (5, {"1": 250, "7": 1000}, ("TLV", "JSON")),
        (6, "00ff10", ("TLV", "TEXT")),
    ):
        at = f"{path}/{resource}"
        for form in forms:
            server.write_node(path, instance(0, {0: "bare"}), "TLV")
            answer = server.write(at, value, form)
            steps.check(f"Write {at} = {value} as {form}", answer.code == 204, answer)
            got = server.read(at, form)
            said = got.content.get("value", got.content.get("values"))
            said = said.lower() if resource == 6 and isinstance(said, str) else said
            steps.check(f"Read {at} as {form} gives it back", said == value, got)
    answer = server.read(f"{path}/6", "OPAQUE")
    steps.check(f"Read {path}/6 as OPAQUE", str(answer.content.get("value")).lower() == "00ff10", answer)
    for at, value, form, why in (
        (f"{path}/0", "x" * 33, "TEXT", "longer than its definition allows"),
        (f"{path}/5", {"0": -1}, "TLV", "less than 0"),
        ("/3/0/14", "x" * 65, "TEXT", "longer than its definition allows"),
    ):
        answer = server.write(at, value, form)
        steps.check(f"Write {at}, {why}: 4.00", answer.code == 400, answer)
    for at, value in ((f"{path}/1", 5), ("/4/0/2", -50), ("/5/0/3", 2)):
        answer = server.write(at, value, "TEXT")
        steps.check(f"Write {at}, which is read-only: 4.05", answer.code == 405, answer)
    mark = terminal.events.mark()
    answer = server.write(f"{path}/0", "last", "TEXT")
    told = terminal.events.wait("written", since=mark)
    steps.check("terminal: written, with path and server", told and told.data["path"] == f"{path}/0", told)


def executes(bench: Bench, terminal: Terminal) -> None:
    steps, server = bench.steps, bench.server
    for arguments in (None, "0", "1='now',2"):
        answer = server.execute(f"{METER}/0/2", arguments)
        steps.check(f"Execute {METER}/0/2 with {arguments or 'no arguments'}", answer.code == 204, answer)
    since = server.read(f"{METER}/0/1", "TEXT").content.get("value")
    steps.check("it has begun anew", since in (0, 1, 2), since)
    for arguments in ("x", "0,,1"):
        answer = server.execute(f"{METER}/0/2", arguments)
        steps.check(f"Execute with {arguments}, which are no arguments: 4.00", answer.code == 400, answer)
    answer = server.execute("/5/0/2")
    steps.check("Execute /5/0/2 without a package: 4.05", answer.code == 405, answer)


def creates_and_deletes(bench: Bench, terminal: Terminal) -> None:
    steps, server = bench.steps, bench.server

    def changes(what: str, act: Callable[[], Answer], code: int, path: str, there: bool, event: str) -> None:
        mark, told = server.events.mark(), terminal.events.mark()
        answer = act()
        steps.check(what, answer.code == code, answer)
        location = answer.body.get("location") if isinstance(answer.body, dict) else None
        if code == 201:
            steps.check(f"its location is {path}", location and location.strip("/") == path.strip("/"), location)
        updated = server.events.wait("UPDATED", SOON, mark, lambda one: (path in listed(one)) == there)
        steps.check("UPDATED event with the new object list", updated, " ".join(listed(updated)))
        seen = terminal.events.wait(event, since=told)
        steps.check(f"terminal: {event}", seen and seen.data["path"] == path, seen)

    named, nameless = instance(3, {0: "fan", 4: 0.5}), {"resources": instance(0, {0: "lamp"})["resources"]}
    changes("Create with its id, as TLV", lambda: server.create(METER, named, "TLV"), 201, f"{METER}/3", True, "created")
    changes("Create without id, as TLV", lambda: server.create(METER, nameless, "TLV"), 201, f"{METER}/1", True, "created")
    ninth = {**named, "id": 9}
    changes("Create with its id, as JSON", lambda: server.create(METER, ninth, "JSON"), 201, f"{METER}/9", True, "created")
    found = instances_of(server.read(METER, "TLV"))
    names = {number: values.get(0) for number, values in found.items()}
    steps.check("Read of the object shows them all", names == {0: "last", 1: "lamp", 3: "fan", 9: "fan"}, names)
    answer = server.create(METER, {**named, "id": 20}, "TLV")
    steps.check("one more than there is room for: 5.03", answer.code == 503 or "5.03" in str(answer), answer)
    for path in (f"{METER}/1", f"{METER}/3", f"{METER}/9"):
        changes(f"Delete {path}", lambda path=path: server.delete(path), 202, path, False, "deleted")
    answer = server.create(METER, instance(5, {4: 0.5}), "TLV")
    steps.check("Create without its mandatory name: 4.00", answer.code == 400, answer)
    answer = server.create(METER, instance(0, {0: "again"}), "TLV")
    steps.check("Create of one that is there: 4.00", answer.code == 400, answer)
    answer = server.delete(f"{METER}/1")
    steps.check("Delete of one that is not there: 4.04", answer.code == 404, answer)
    answer = server.delete("/3/0")
    steps.check("Delete /3/0, which is mandatory: 4.05", answer.code == 405, answer)


def operations(bench: Bench) -> None:
    terminal, _ = comes_online(bench)
    for part in (reads, discovers, writes, executes, creates_and_deletes):
        part(bench, terminal)
    quits(bench, terminal)


# --- observations -----------------------------------------------------------------------------------------------------


def told_of(bench: Bench, path: str, mark: int, test: Callable[[Any], object], timeout: float = SOON) -> Event | None:
    return bench.server.events.wait(
        "NOTIFICATION", timeout, mark, lambda event: bool(event.data["res"] == path and test(event.data["val"]))
    )


def observed_on_every_level(bench: Bench, terminal: Terminal) -> None:
    steps, server = bench.steps, bench.server
    strength = -60
    for path, forms in (("/4/0/2", ("TEXT", "TLV", "JSON")), ("/4/0", ("TLV", "JSON")), ("/4", ("TLV", "JSON"))):
        for form in forms:
            answer = server.observe(path, form)
            steps.check(f"Observe {path} as {form}", answer.code == 205, answer)
            strength, mark = strength - 1, server.events.mark()
            terminal.say(f"set /4/0/2 {strength}")

            def shows(node: dict[str, Any], strength: int = strength) -> bool:
                if "instances" in node:
                    node = node["instances"][0]
                return values_of(node).get(2, node.get("value")) == strength

            notified = told_of(bench, path, mark, shows)
            steps.check(f"set /4/0/2 {strength}: NOTIFICATION of {path}", notified, notified)
            server.forget_observation(path)
            mark, strength = terminal.events.mark(), strength - 1
            terminal.say(f"set /4/0/2 {strength}")
            gone = terminal.events.wait("observation_cancelled", since=mark)
            steps.check("the server forgets it, and so does the terminal", gone and gone.data["path"] == path, gone)
    answer = server.observe("/3/0/7", "TLV")
    mark = server.events.mark()
    terminal.say("set /3/0/7/1 4950")
    notified = told_of(bench, "/3/0/7", mark, lambda node: node["values"].get("1") == 4950)
    steps.check("a value of the multiple resource /3/0/7 changes: NOTIFICATION", answer.code == 205 and notified, notified)
    answer = server.observe(f"{METER}/0/0", "TEXT")
    mark = server.events.mark()
    server.write(f"{METER}/0/0", "written", "TEXT")
    notified = told_of(bench, f"{METER}/0/0", mark, lambda node: node["value"] == "written")
    steps.check("what the server itself writes: NOTIFICATION", answer.code == 205 and notified, notified)


def observed_within_limits(bench: Bench, terminal: Terminal) -> None:
    """Write-Attributes at work (5.1.2). The account's own minimum period is 1 s."""
    steps, server = bench.steps, bench.server

    def observe(path: str, attributes: str) -> None:
        answer = server.write_attributes(path, attributes)
        steps.check(f"Write-Attributes {path}: {attributes}", answer.code == 204, answer)
        answer = server.observe(path, "TEXT")
        steps.check(f"Observe {path}", answer.code == 205, answer)
        time.sleep(1.5)

    def silent(path: str, value: int, why: str) -> None:
        mark = server.events.mark()
        terminal.say(f"set {path} {value}")
        notified = told_of(bench, path, mark, lambda _: True, 2.5)
        steps.check(f"set {path} {value}, {why}: silence", not notified, notified)

    def told(path: str, value: int, why: str) -> None:
        mark = server.events.mark()
        terminal.say(f"set {path} {value}")
        notified = told_of(bench, path, mark, lambda node: node["value"] == value)
        steps.check(f"set {path} {value}, {why}: NOTIFICATION", notified, notified)

    observe("/4/0/3", "pmin=4")
    terminal.say("set /4/0/3 20")
    told_of(bench, "/4/0/3", 0, lambda node: node["value"] == 20)
    mark, begun = server.events.mark(), time.monotonic()
    for value in (21, 22, 23):
        terminal.say(f"set /4/0/3 {value}")
    notified = told_of(bench, "/4/0/3", mark, lambda _: True)
    waited = time.monotonic() - begun
    last = notified and notified.data["val"]["value"] == 23
    late = last and 3 < waited < 6
    steps.check("pmin: of three changes at once the last is told, 4 s later", late, f"{waited:.1f} s, {notified}")

    observe("/3/0/10", "pmax=3")
    mark, begun = server.events.mark(), time.monotonic()
    first = told_of(bench, "/3/0/10", mark, lambda _: True)
    second = first and told_of(bench, "/3/0/10", server.events.mark(), lambda _: True)
    waited = time.monotonic() - begun
    steps.check("pmax: two NOTIFICATIONs within 6 s, although nothing changes", second and 3 < waited < 8, f"{waited:.1f} s")
    server.forget_observation("/3/0/10")

    terminal.say("set /3/0/9 50")
    observe("/3/0/9", "gt=60&lt=20")
    silent("/3/0/9", 55, "between lt and gt")
    told("/3/0/9", 61, "greater than gt")
    silent("/3/0/9", 70, "further on the same side")
    told("/3/0/9", 59, "back below gt")
    told("/3/0/9", 19, "less than lt")
    terminal.say("set /4/0/2 -80")
    observe("/4/0/2", "st=5")
    silent("/4/0/2", -84, "a smaller step than st")
    told("/4/0/2", -85, "a step of st")


def observations(bench: Bench) -> None:
    terminal, _ = comes_online(bench)
    observed_on_every_level(bench, terminal)
    observed_within_limits(bench, terminal)
    quits(bench, terminal)


OPERATIONS: dict[str, Callable[[Bench], None]] = {
    "every operation on every level": operations,
    "observations on every level, and within limits": observations,
}

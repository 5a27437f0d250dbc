#!/usr/bin/env python3
"""Plants bugs in the client, one at a time, and says which net finds each first.

usage: tools/planted.py [--all] [--only NUMBER,...] [--list]

    --all          asks every net, and not only until one finds the bug
    --only N,...   plants these alone, counted from 1; 0 is the client as it is, in which nothing must be found
    --list         says which there are; exit code 1 when one has no place in the source any more

The nets, in this order: the tests of lwm2m-core without `worlds`, 2,000 lives of the soak, `worlds`. Works in a copy
of the last commit in target/planted, built once with all bugs asleep in it, of which PLANTED wakes one. Prints a table
in Markdown, with the seconds of running until it was found.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / "target/planted/tree"
PACKAGE = COPY / "lwm2m-core"

# Name, file, what stands there, and what is put in its place; {} is whether this bug is awake.
BUGS = [
    ("duplicates are not recognised", "exchange/receive.rs",
     "self.messages.duplicates.find(now, reply.peer, reply.message_id) {",
     "self.messages.duplicates.find(now, reply.peer, reply.message_id).filter(|_| !{}) {"),
    ("the timeout of a retransmission is not doubled", "exchange/exchanges.rs",
     "self.timeout.saturating_add(self.timeout)", "self.timeout.saturating_add(Micros(self.timeout.0 * u64::from(!{})))"),
    ("one retransmission too many", "exchange/exchanges.rs",
     "last, left: pace.max_retransmit,",
     "last: if {} { now.after_seconds(u32::MAX) } else { last }, left: pace.max_retransmit + u8::from({}),"),
    ("message ids come again after a restart from an older snapshot", "client/snapshot/mod.rs",
     "message_id.wrapping_add(RESTART_SKIP_ID)", "message_id.wrapping_add(if {} { 0 } else { RESTART_SKIP_ID })"),
    ("an Update at 1.1 times the lifetime", "lifecycle/registration.rs",
     "latest_update(policy, lifetime).min(part(lifetime, 95))",
     "if {} { part(lifetime, 110) } else { latest_update(policy, lifetime).min(part(lifetime, 95)) }"),
    ("a De-register is not waited for", "lifecycle/presence.rs",
     "!self.registrations.iter().any(Registration::is_leaving)",
     "!self.registrations.iter().any(|own| own.is_leaving() && !({} && own.poll_timeout().is_none()))"),
    ("4.04 to an Update counts as trouble that passes", "lifecycle/registration.rs",
     "code.is_client_error() && code != Code::TOO_MANY_REQUESTS",
     "code.is_client_error() && code != Code::TOO_MANY_REQUESTS && !({} && code == Code::NOT_FOUND)"),
    ("pauses between tries do not grow", "lifecycle/backoff.rs",
     "saturating_mul(1 << doublings)", "saturating_mul(if {} { 1 } else { 1 << doublings })"),
    ("pmin is ignored", "reporting/mod.rs",
     "let min = pmin.unwrap_or(0);", "let min = pmin.filter(|_| !{}).unwrap_or(0);"),
    ("a Reset does not end an observation", "reporting/mod.rs",
     "observation.server == server && observation.last == Some(message_id)",
     "observation.server == server && observation.last == Some(message_id) && !{}"),
    ("the sequence number stays", "reporting/mod.rs",
     "sequence: observation.next_sequence(),",
     "sequence: if {} { observation.sequence } else { observation.next_sequence() },"),
    ("a kept notification is gone before it has arrived", "reporting/keeping.rs",
     "(observation.in_flight, observation.replays) = (Some(sent.exchange), true);",
     "(observation.in_flight, observation.replays) = (Some(sent.exchange), !{});\n"
     "            if {} { self.stored.told(observer); }"),
]

# Where the environment is asked first, which allocates: before any test counts allocations.
FIRST = ("exchange/mod.rs", "let mut generator = Generator::new(key);", "crate::planted(0);\n        let mut generator = Generator::new(key);")

AWAKE = """
/// Whether a bug is awake.
#[allow(missing_docs)]
pub fn planted(number: u32) -> bool {
    extern crate std;
    static AWAKE: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    *AWAKE.get_or_init(|| std::env::var("PLANTED").ok().and_then(|n| n.parse().ok()).unwrap_or(0)) == number
}
"""


def run(*command: str, bug: int = 0) -> tuple[int, str, float]:
    environment = os.environ | {
        "CARGO_TARGET_DIR": str(COPY.parent / "target"), "CARGO_PROFILE_DEV_DEBUG": "0", "CARGO_PROFILE_SOAK_DEBUG": "0",
        "PLANTED": str(bug), "RUST_BACKTRACE": "0",
    }
    begun = time.monotonic()
    done = subprocess.run(command, cwd=PACKAGE, env=environment, encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout, time.monotonic() - begun


def build(*arguments: str) -> dict[str, str]:
    """Builds, and says where the programs are, by the names of their targets."""
    code, output, _ = run("cargo", *arguments, "--message-format", "json")
    if code:
        sys.exit(f"planted: cargo {' '.join(arguments)}\n{output[-3000:]}")
    messages = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return {message["target"]["name"]: message["executable"] for message in messages if message.get("executable")}


def test(program: str, bug: int) -> str | None:
    code, output, _ = run(program, "--quiet", bug=bug)
    failed = re.findall(r"^    ([\w:]+)$", output.rpartition("failures:")[2], re.M)
    name = f"`{failed[0]}`" if failed else "a panic"
    return (name + (f" and {len(failed) - 1} more" if len(failed) > 1 else "")) if code else None


def soak(program: str, bug: int) -> str | None:
    code, output, _ = run(program, "--seeds", "0..2000", "--failures", "1", "--quiet", bug=bug)
    found = re.search(r"^seed (\d+): (.*?)(?: at [\d.]+ s)?: ", output, re.M)
    return (f"{found[2]}, seed {found[1]}" if found else "a panic") if code else None


def copy() -> None:
    """The last commit, with all bugs."""
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, check=True, capture_output=True, encoding="utf-8").stdout.strip()
    if not COPY.exists():
        subprocess.run(["git", "worktree", "add", "--detach", str(COPY)], cwd=ROOT, check=True, capture_output=True)
    subprocess.run(["git", "checkout", "--quiet", "--force", head], cwd=COPY, check=True)
    for number, (name, file, old, new) in enumerate([("none", *FIRST), *BUGS]):
        path = PACKAGE / "src" / file
        text = path.read_text("utf-8")
        if text.count(old) != 1:
            sys.exit(f"planted: {name}: its place is {text.count(old)} times in {file}")
        path.write_text(text.replace(old, new.replace("{}", f"crate::planted({number})")), "utf-8")
    with (PACKAGE / "src/lib.rs").open("a", encoding="utf-8") as lib:
        lib.write(AWAKE)


def main() -> None:
    arguments = sys.argv[1:]
    only = [int(n) for n in arguments[arguments.index("--only") + 1].split(",")] if "--only" in arguments else range(1, len(BUGS) + 1)
    if "--list" in arguments:
        places = [("how one is woken", *FIRST), *BUGS]
        counts = [(ROOT / "lwm2m-core/src" / file).read_text("utf-8").count(old) for _, file, old, _ in places]
        for number, ((name, file, _, _), count) in enumerate(zip(places, counts)):
            print(f"{number}: {name}: {file}{'' if count == 1 else f' has its place {count} times'}")
        sys.exit(counts != [1] * len(places))
    copy()
    tests = build("test", "-p", "lwm2m-core", "--lib", "--tests", "--no-run")
    lives = build("build", "--profile", "soak", "--example", "soak")["soak"]
    beside_the_code, worlds = tests.pop("lwm2m_core"), tests.pop("worlds")
    nets = [
        ("tests", lambda bug: next(filter(None, (test(program, bug) for program in [beside_the_code, *tests.values()])), None)),
        ("soak", lambda bug: soak(lives, bug)),
        ("worlds", lambda bug: test(worlds, bug)),
    ]
    print(f"| bug | {' | '.join(name for name, _ in nets)} |\n|---|{'---|' * len(nets)}", flush=True)
    for number in only:
        cells, is_found = [], False
        for _, net in nets:
            begun = time.monotonic()
            found = None if is_found and "--all" not in arguments else net(number)
            seconds = time.monotonic() - begun
            cells.append(f"{found}, {seconds:.0f} s" if found else f"nothing, {seconds:.0f} s" if seconds > 0.1 else "")
            is_found |= found is not None
        print(f"| {BUGS[number - 1][0] if number else 'none'} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()

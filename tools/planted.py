#!/usr/bin/env python3
"""Plants bugs in the client, one at a time, and says which net finds each first.

usage: tools/planted.py [--all] [--only NAME] [--list]

    --all          asks every net, and not only until one finds the bug
    --only NAME    plants this one alone
    --list         says which there are; exit code 1 when one has no place in the source any more

The nets, in this order: the tests of lwm2m-core without `worlds`, 2,000 lives of the soak, `worlds`. Works in a copy
of the last commit in target/planted, and prints a table in Markdown: seconds of running, without building.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / "target/planted/tree"
SOURCE = "lwm2m-core/src"

# Name, file, what stands there, and what is put in its place.
BUGS = [
    ("duplicates are not recognised", "exchange/receive.rs",
     "if let Some(repeat) = self.messages.duplicates.find(now, reply.peer, reply.message_id) {",
     "if let Some(repeat) = self.messages.duplicates.find(now, reply.peer, reply.message_id).filter(|_| false) {"),
    ("the timeout of a retransmission is not doubled", "exchange/message/retransmit.rs",
     "message.timeout.0.saturating_mul(2)", "message.timeout.0.saturating_mul(1)"),
    ("one retransmission too many", "exchange/message/retransmit.rs",
     "message.retransmissions >= transmission.max_retransmit", "message.retransmissions > transmission.max_retransmit"),
    ("message ids come again after a restart from an older snapshot", "client/snapshot/mod.rs",
     "const RESTART_SKIP_ID: u16 = 1 << 14;", "const RESTART_SKIP_ID: u16 = 0;"),
    ("an Update at 1.1 times the lifetime", "lifecycle/registration.rs",
     "latest_update(policy, lifetime).min(Micros(lifetime.0 / 20 * 19))", "Micros(lifetime.0 / 20 * 22)"),
    ("a De-register is not waited for", "lifecycle/mod.rs",
     "!self.registrations.iter().any(Registration::is_leaving)",
     "!self.registrations.iter().any(|own| matches!(own.state, State::Known { phase: Phase::Leaving { .. }, .. }))"),
    ("4.04 to an Update counts as trouble that passes", "lifecycle/registration.rs",
     "code.is_client_error() && code != Code::TOO_MANY_REQUESTS",
     "code.is_client_error() && code != Code::TOO_MANY_REQUESTS && code != Code::NOT_FOUND"),
    ("pauses between tries do not grow", "lifecycle/backoff.rs",
     "saturating_mul(1 << doublings)", "saturating_mul(1 << doublings.min(0))"),
    ("pmin is ignored", "reporting/mod.rs",
     "let min = pmin.unwrap_or(0);", "let min = pmin.map_or(0, |_| 0);"),
    ("a Reset does not end an observation", "reporting/mod.rs",
     "observation.server == server && observation.last == Some(message_id)",
     "observation.server == server && observation.last == Some(message_id) && false"),
    ("the sequence number stays", "reporting/observations.rs",
     "self.sequence.wrapping_add(1) & SEQUENCE_MASK\n    }", "self.sequence & SEQUENCE_MASK\n    }"),
    ("a kept notification is gone before it has arrived", "reporting/keeping.rs",
     "(observation.in_flight, observation.replays) = (Some(sent.exchange), true);",
     "(observation.in_flight, observation.replays) = (Some(sent.exchange), false);\n            self.stored.told(observer);"),
]


def run(*command: str) -> tuple[int, str, float]:
    environment = os.environ | {
        "CARGO_TARGET_DIR": str(COPY.parent / "target"), "CARGO_INCREMENTAL": "1", "CARGO_PROFILE_SOAK_INCREMENTAL": "true",
        "CARGO_PROFILE_DEV_DEBUG": "0", "CARGO_PROFILE_SOAK_DEBUG": "0",
    }
    begun = time.monotonic()
    done = subprocess.run(command, cwd=COPY, env=environment, encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout, time.monotonic() - begun


def cargo(*arguments: str) -> None:
    code, output, _ = run("cargo", *arguments)
    if code:
        sys.exit(f"planted: cargo {' '.join(arguments)}\n{output[-3000:]}")


def cargo_test(targets: list[str]) -> tuple[str | None, float]:
    cargo("test", "-p", "lwm2m-core", "--no-run", *targets)
    code, output, seconds = run("cargo", "test", "-p", "lwm2m-core", *targets)
    failed = re.findall(r"^test (\S+).* FAILED$", output, re.M)
    return (f"`{failed[0] if failed else 'a panic'}`" + (f" and {len(failed) - 1} more" if len(failed) > 1 else "") if code else None), seconds


def tests() -> tuple[str | None, float]:
    names = sorted(path.stem for path in (COPY / "lwm2m-core/tests").iterdir() if path.suffix == ".rs" or (path / "main.rs").exists())
    all_seconds = 0.0
    # Those beside the code first, as Cargo does; what is not needed any more is not built.
    for targets in [["--lib"], [word for name in names if name != "worlds" for word in ("--test", name)]]:
        found, seconds = cargo_test(targets)
        all_seconds += seconds
        if found:
            return found, all_seconds
    return None, all_seconds


def soak() -> tuple[str | None, float]:
    cargo("build", "--profile", "soak", "--example", "soak")
    code, output, seconds = run(str(COPY.parent / "target/soak/examples/soak"), "--seeds", "0..2000", "--failures", "1", "--quiet")
    found = re.search(r"^seed (\d+): (.*?)(?: at [\d.]+ s)?: ", output, re.M)
    return (f"{found[2]}, seed {found[1]}" if found else "a panic") if code else None, seconds


def worlds() -> tuple[str | None, float]:
    return cargo_test(["--test", "worlds"])


NETS = [("tests", tests), ("soak", soak), ("worlds", worlds)]


def plant(file: str, old: str, new: str) -> None:
    path = COPY / SOURCE / file
    text = path.read_text("utf-8")
    if text.count(old) != 1:
        sys.exit(f"planted: '{old}' stands {text.count(old)} times in {file}")
    path.write_text(text.replace(old, new), "utf-8")


def main() -> None:
    arguments = sys.argv[1:]
    only = arguments[arguments.index("--only") + 1] if "--only" in arguments else None
    if "--list" in arguments:
        counts = [(ROOT / SOURCE / file).read_text("utf-8").count(old) for _, file, old, _ in BUGS]
        for (name, file, _, _), count in zip(BUGS, counts):
            print(f"{name}: {file}{'' if count == 1 else f' has its place {count} times'}")
        sys.exit(counts != [1] * len(BUGS))
    if not COPY.exists():
        subprocess.run(["git", "worktree", "add", "--detach", str(COPY)], cwd=ROOT, check=True, capture_output=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, check=True, capture_output=True, encoding="utf-8").stdout.strip()
    subprocess.run(["git", "checkout", "--quiet", "--force", head], cwd=COPY, check=True)
    print(f"| bug | {' | '.join(name for name, _ in NETS)} |\n|---|{'---|' * len(NETS)}", flush=True)
    for name, file, old, new in BUGS:
        if only not in (None, name):
            continue
        plant(file, old, new)
        cells, is_found = [], False
        for _, net in NETS:
            if is_found and "--all" not in arguments:
                cells.append("")
                continue
            found, seconds = net()
            is_found |= found is not None
            cells.append(f"{found or 'nothing'}, {seconds:.0f} s")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
        subprocess.run(["git", "checkout", "--quiet", "--force", head], cwd=COPY, check=True)


if __name__ == "__main__":
    main()

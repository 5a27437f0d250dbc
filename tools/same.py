#!/usr/bin/env python3
"""Does the client still do the same? Holds whole lives of the soak against those at another commit: what each
datagram, event and command says in the trace, and when.

usage: tools/same.py [COMMIT] [--lives N]

    COMMIT       what the working copy is held against (HEAD)
    --lives N    how many of the profile `wild`, and a third as many of `busy` and of `quiet` (300)

For changes that are to change nothing but the code: a floor rebuilt, a smaller image. Prints the first difference of
three lives; exit code 1 when there is any. Other commits are built in target/same.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BASE = ROOT / "target/same/tree"
BEFORE, AFTER, SHOWN = 6, 4, 3


def run(*command: str, **options) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8", **options).stdout


def build(tree: Path) -> Path:
    """The soak of a tree."""
    target = ROOT / "target" if tree == ROOT else BASE.parent / "target"
    run("cargo", "build", "--quiet", "--release", "--package", "lwm2m-core", "--example", "soak", cwd=tree,
        env=os.environ | {"CARGO_TARGET_DIR": str(target)})
    return target / "release/examples/soak"


def check_out(commit: str) -> None:
    if not BASE.exists():
        run("git", "worktree", "prune", cwd=ROOT)
        run("git", "worktree", "add", "--quiet", "--detach", str(BASE), commit, cwd=ROOT)
    run("git", "checkout", "--quiet", "--detach", run("git", "rev-parse", commit, cwd=ROOT).strip(), cwd=BASE)


def life(soak: Path, profile: str, seed: int) -> list[str]:
    """What happens in a life, without how long it took to compute."""
    done = subprocess.run([soak, "--profile", profile, "--seeds", f"{seed}..{seed + 1}", "--trace"],
                          stdout=subprocess.PIPE, encoding="utf-8")
    return [line for line in done.stdout.splitlines() if "device-year" not in line]


def show(profile: str, seed: int, old: list[str], new: list[str]) -> None:
    length = min(len(old), len(new))
    at = next((n for n in range(length) if old[n] != new[n]), length)
    print(f"\n{profile} {seed}, from line {at + 1} of its trace on:")
    for mark, lines in [(" ", old[max(0, at - BEFORE):at]), ("-", old[at:at + AFTER]), ("+", new[at:at + AFTER])]:
        for line in lines:
            print(f"{mark} {line}"[:160])


def main() -> None:
    arguments = sys.argv[1:]
    lives = 300
    if "--lives" in arguments:
        at = arguments.index("--lives")
        lives = int(arguments[at + 1])
        del arguments[at:at + 2]
    if len(arguments) > 1 or any(argument.startswith("-") for argument in arguments):
        sys.exit(__doc__)
    check_out(arguments[0] if arguments else "HEAD")
    before, now = build(BASE), build(ROOT)
    jobs = [(profile, seed) for profile, part in [("wild", 1), ("busy", 3), ("quiet", 3)] for seed in range(lives // part)]
    different = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        pairs = pool.map(lambda job: (job, life(before, *job), life(now, *job)), jobs)
        for job, old, new in pairs:
            if old != new:
                different += 1
                if different <= SHOWN:
                    show(*job, old, new)
    print(f"{len(jobs)} lives, {different} of them another one")
    sys.exit(different > 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""The public interface of the three crates, one item a line, as docs/api/ keeps it.

    python3 tools/api.py           compares; ends with 1 when an item came, went or changed, and shows which
    python3 tools/api.py --write   writes docs/api/ anew

A change of these files is a change that somebody who depends on the crates may notice: it belongs into CHANGELOG.md,
and what went or changed is breaking. The simulator (feature `sim` of lwm2m-core) is for tests, grows with what
scenarios need, and is not in the list. Needs a nightly toolchain, whose documentation as JSON is read, and
`cargo install --locked cargo-public-api`; ends with 77 when one of them is missing.
"""

import difflib
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CRATES = {
    "coap-codec": ["--all-features"],
    "endpoint-name": ["--all-features"],
    "lwm2m-core": ["--features", "std,json,statistics"],
}


def listing(crate: str, features: list[str]) -> str:
    # Blanket and automatic implementations are left out: they follow from the rest.
    command = ["cargo", "+nightly", "public-api", "-p", crate, *features, "-ss", "--color", "never"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{run.stderr}")
    return run.stdout


def main() -> None:
    if set(sys.argv[1:]) - {"--write"}:
        sys.exit(__doc__)
    toolchains = subprocess.run(["rustup", "toolchain", "list"], capture_output=True, text=True).stdout
    if not shutil.which("cargo-public-api") or "nightly" not in toolchains:
        print("api.py: cargo-public-api or a nightly toolchain is not installed")
        sys.exit(77)
    changed = False
    for crate, features in CRATES.items():
        path = ROOT / "docs/api" / f"{crate}.txt"
        now = listing(crate, features)
        if "--write" in sys.argv:
            path.parent.mkdir(exist_ok=True)
            path.write_text(now)
            continue
        kept = path.read_text().splitlines()
        lines = list(difflib.unified_diff(kept, now.splitlines(), f"docs/api/{crate}.txt", "now", n=0, lineterm=""))
        changed |= bool(lines)
        print("\n".join(lines) or f"{crate}: {len(kept)} lines, as they were")
    if changed:
        sys.exit("the interface is another one: python3 tools/api.py --write, and say so in CHANGELOG.md")


main()

#!/usr/bin/env python3
"""Which panics an optimised client for a Cortex-M4 still has in it, and in which functions.

    python3 tools/panics.py [--write]

Builds `tools/footprint`, in which every input and output of a client is reachable, and looks at each call of what
panics. `lwm2m-core/PANICS.md` has the same functions, each with the reason why its panic is not reached; one that is
not there, or is there for nothing, is an error. --write prints the rows that are missing. Ends with 77 where the target
thumbv7em-none-eabihf or the rustup component llvm-tools is missing.
"""

import collections
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = "thumbv7em-none-eabihf"
DOCUMENT = ROOT / "lwm2m-core/PANICS.md"
# What a panic, an abort for want of memory, or the end of a check of the standard library is called.
PANICS = re.compile(r"core::panicking::|(unwrap|expect)_failed|_fail\b|_fail_rt\b|capacity_overflow|handle_alloc_error"
                    r"|raw_vec::handle_error")
HASH = re.compile(r"::h[0-9a-f]{16}")
ESCAPES = {"$LT$": "<", "$GT$": ">", "$u20$": " ", "$u5b$": "[", "$u5d$": "]", "$RF$": "&", "$C$": ",", "..": "::",
           "$LP$": "(", "$RP$": ")", "$BP$": "*"}


def run(*command: str) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def plain(name: str) -> str:
    """A symbol without its hash and its escapes."""
    name = HASH.sub("", name)
    for escape, text in ESCAPES.items():
        name = name.replace(escape, text)
    return re.sub(r"\b_<", "<", name)


def sites(binary: pathlib.Path, objdump: pathlib.Path) -> collections.Counter:
    """How often each function calls what panics: by function and callee."""
    listing = run(str(objdump), "-d", "--demangle", "--no-show-raw-insn", str(binary)).stdout
    found, function = collections.Counter(), ""
    for line in listing.splitlines():
        if begins := re.match(r"^[0-9a-f]+ <(.*)>:$", line):
            function = begins[1]
        elif (call := re.search(r"\sb\S*\s+0x[0-9a-f]+ <([^+]*?)(\+0x[0-9a-f]+)?>( @|$)", line)) and PANICS.search(call[1]):
            if not PANICS.search(function):
                found[plain(function), plain(call[1])] += 1
    return found


def main() -> int:
    sysroot = pathlib.Path(run("rustc", "--print", "sysroot").stdout.strip())
    objdump = next(iter(sysroot.glob("lib/rustlib/*/bin/llvm-objdump")), None)
    built = run("cargo", "build", "--release", "--quiet", "--target", TARGET, "--manifest-path", "tools/footprint/Cargo.toml")
    if objdump is None or built.returncode:
        print(f"llvm-objdump or the target {TARGET} is missing\n{built.stderr}", file=sys.stderr)
        return 77
    folder = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "tools/footprint/target"))
    found = sites(folder / TARGET / "release/footprint", objdump)
    rows = {f"| `{function}` | `{callee}` |" for function, callee in found}
    known = {row[1] for row in re.finditer(r"^(\| `[^|]*` \| `[^|]*` \|)", DOCUMENT.read_text(), re.M)} if DOCUMENT.exists() else set()
    by_kind = collections.Counter()
    for (_, callee), count in found.items():
        by_kind["for want of memory" if "handle_" in callee or "capacity" in callee else "others"] += count
    print(f"{sum(found.values())} calls of what panics in {len({function for function, _ in found})} functions: "
          + ", ".join(f"{count} {kind}" for kind, count in sorted(by_kind.items())))
    for row in sorted(rows - known):
        print(f"not in {DOCUMENT.name}: {row}")
    for row in sorted(known - rows):
        print(f"there for nothing: {row}")
    return int(rows != known)


if __name__ == "__main__":
    sys.exit(main())

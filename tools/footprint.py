#!/usr/bin/env python3
"""What the client costs: image size by floor on a Cortex-M4, memory of a registered client by part,
and allocations over a simulated day after registration.

    python3 tools/footprint.py [--symbols N]

Needs the target thumbv7em-none-eabihf and the rustup component llvm-tools; without them it says so
and shows the rest. The figures are for reading, no check depends on them.
"""

import argparse
import collections
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = "thumbv7em-none-eabihf"
FLOORS = ["client", "lifecycle", "reporting", "management", "objects", "model", "format", "exchange", "base"]


def run(*command: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, **options)


def floor_of(symbol: str) -> str:
    """The room that a symbol belongs to, by the first of our paths in its name."""
    if found := re.search(r"lwm2m_core(?:::|\.\.)(\w+)", symbol):
        return f"lwm2m-core: {found[1]}" if found[1] in FLOORS else "lwm2m-core: other"
    for crate in ("coap_codec", "endpoint_name", "siphasher"):
        if crate in symbol:
            return crate.replace("_", "-")
    if symbol.startswith("_start") or "footprint" in symbol:
        return "main (client calls inlined)"
    if "compiler_builtins" in symbol or symbol.startswith("__aeabi") or symbol.startswith("mem"):
        return "compiler builtins"
    if re.match(r"<?(core|alloc)\b", symbol) or "$LT$alloc" in symbol or "$LT$core" in symbol:
        return "core and alloc"
    return "constants and unnamed"


def image(symbols: int) -> None:
    tools = pathlib.Path(run("rustc", "--print", "sysroot").stdout.strip())
    tools = next(iter(tools.glob("lib/rustlib/*/bin/llvm-nm")), None)
    if tools is None:
        print("image: llvm-nm is missing (rustup component add llvm-tools)", file=sys.stderr)
        return
    build = run("cargo", "build", "--release", "--quiet", "--target", TARGET,
                "--manifest-path", "tools/footprint/Cargo.toml")
    if build.returncode != 0:
        print(f"image: it does not build (rustup target add {TARGET}?)\n{build.stderr}", file=sys.stderr)
        return
    folder = os.environ.get("CARGO_TARGET_DIR", ROOT / "tools/footprint/target")
    binary = str(pathlib.Path(folder) / TARGET / "release/footprint")
    sections = dict(re.findall(r"^(\.\w+)\s+(\d+)", run(str(tools.with_name("llvm-size")), "-A", binary).stdout, re.M))
    listing = run(str(tools), "--print-size", "--size-sort", "--radix=d", "--demangle", binary).stdout
    floors, largest, types = collections.Counter(), [], {}
    for line in listing.splitlines():
        _, size, kind, name = line.split(maxsplit=3)
        if name.startswith("SIZE_OF_"):
            types[name.removeprefix("SIZE_OF_").title()] = int(size)
        elif kind in "tTrRdDbB":
            floors[floor_of(name)] += int(size)
            largest.append((int(size), name))
    ours = sum(types.values())
    text = int(sections.get(".text", 0))
    rodata = int(sections.get(".rodata", 0)) - ours
    print(f"Image of the DM terminal, {TARGET}, opt-level z, LTO, without allocator and runtime:")
    print(f"  text {text:,} B, rodata {rodata:,} B, data {int(sections.get('.data', 0)):,} B, "
          f"bss {int(sections.get('.bss', 0)):,} B")
    for floor, size in floors.most_common():
        print(f"  {size:>8,} B  {floor}")
    for name, size in types.items():
        print(f"  {size:>8,} B  of RAM for the type {name}, without its heap")
    for size, name in sorted(largest, reverse=True)[:symbols]:
        print(f"  {size:>8,} B  {name[:100]}")


def memory() -> bool:
    test = run("cargo", "test", "--quiet", "-p", "lwm2m-core", "--test", "steady_state", "--", "--nocapture")
    print("\nMemory of a registered client and a simulated day, on this host:")
    lines = [line for line in test.stdout.splitlines() if line.startswith("  ")]
    print("\n".join(lines) if lines else test.stdout + test.stderr)
    return test.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--symbols", type=int, default=0, metavar="N", help="also list the N largest symbols")
    options = parser.parse_args()
    image(options.symbols)
    return 0 if memory() else 1


if __name__ == "__main__":
    sys.exit(main())

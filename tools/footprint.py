#!/usr/bin/env python3
"""What the client costs: image size by feature and by floor on a Cortex-M4, memory of a registered client by part,
and allocations over a simulated day after registration.

    python3 tools/footprint.py [--all] [--floors FEATURES] [--symbols N]

Images are held against their limits in IMAGES (an error where one is larger). Without --all only ONE is built, as in
every check; with it all of them. --floors says where the bytes of one image are, from its lines, which takes
llvm-symbolizer, as it takes to say how much of each text is the measuring program itself. Needs the target
thumbv7em-none-eabihf and the rustup component llvm-tools; without them it says so and shows the rest.
"""

import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = "thumbv7em-none-eabihf"
FLOORS = ["client", "lifecycle", "reporting", "management", "objects", "model", "format", "exchange", "base"]
ALL = "reporting,blockwise,access-control"
MORE = ALL + ",storing,late-answers"
# What is linked, its program, its features, and what text and rodata may have together: what was counted last and a
# hundredth.
IMAGES = [
    ("coap-codec alone", "codec", "", None),
    ("endpoint-name alone", "names", "", None),
    ("the DM profile: no reporting, no blocks; TLV and text", "footprint", "dm,text", 62_400),
    ("LwM2M 1.0 in TLV", "footprint", ALL, 71_900),
    ("the same without Access Control, as Wakaama", "footprint", "reporting,blockwise", None),
    ("LwM2M 1.0 in TLV, and storing", "footprint", ALL + ",storing", None),
    ("LwM2M 1.0 in TLV, and late answers", "footprint", ALL + ",late-answers", None),
    ("LwM2M 1.0 in TLV, and both", "footprint", MORE, None),
    ("the same in TLV and text", "footprint", MORE + ",text", None),
    ("the default features, with shortcuts", "footprint", MORE + ",text,discovery,shortcuts", None),
    ("the same with JSON", "footprint", MORE + ",text,discovery,shortcuts,json", None),
    ("the default features, snapshots, and a Device object", "footprint", MORE + ",text,discovery,shortcuts,device,snapshot", 122_100),
]
ONE = "LwM2M 1.0 in TLV"


def run(*command: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, **options)


def llvm(name: str) -> str | None:
    """A program of the component llvm-tools."""
    found = pathlib.Path(run("rustc", "--print", "sysroot").stdout.strip()).glob(f"lib/rustlib/*/bin/{name}")
    return next((str(path) for path in found), None)


def build(program: str, features: str, lines: bool = False) -> str | None:
    """The image; none when it does not build."""
    environment = os.environ | ({"CARGO_PROFILE_RELEASE_DEBUG": "line-tables-only"} if lines else {})
    built = run("cargo", "build", "--release", "--quiet", "--target", TARGET, "--manifest-path",
                "tools/footprint/Cargo.toml", "--no-default-features", "--features", features, "--bin", program,
                env=environment)
    if built.returncode:
        print(f"image: it does not build (rustup target add {TARGET}?)\n{built.stderr}", file=sys.stderr)
        return None
    folder = os.environ.get("CARGO_TARGET_DIR", ROOT / "tools/footprint/target")
    return str(pathlib.Path(folder) / TARGET / "release" / program)


def sections(binary: str) -> dict[str, int]:
    """Sizes of sections; the statics that tell sizes of types, which are read-only, apart."""
    size, nm = llvm("llvm-size"), llvm("llvm-nm")
    found = {name: int(bytes) for name, bytes in re.findall(r"^\.(\w+)\s+(\d+)", run(size, "-A", binary).stdout, re.M)}
    types = re.findall(r" (\d+) \w SIZE_OF_(\w+)", run(nm, "--print-size", "--radix=d", binary).stdout)
    found["types"] = {name.title(): int(bytes) for bytes, name in types}
    found["rodata"] = found.get("rodata", 0) - sum(found["types"].values())
    # What a C library brings as well: memcpy and its kin, and arithmetic that the core has no instruction for.
    symbols = run(nm, "--print-size", "--radix=d", "--demangle", binary).stdout
    named = re.findall(r"^\d+ (\d+) \w (?:compiler_builtins::|__aeabi_|__\w+[ds]f\w*|__u?\w*divmod|mem(?:cpy|move|set|cmp)\b)", symbols, re.M)
    found["brought"] = sum(map(int, named))
    return found


def images(all_of_them: bool) -> bool:
    """Prints the table. False when an image is larger than it may be."""
    if llvm("llvm-size") is None:
        print("image: llvm-size is missing (rustup component add llvm-tools)", file=sys.stderr)
        return True
    print(f"Images for {TARGET}, opt-level z, LTO, panic abort, without allocator and runtime; bytes:")
    print(f"{'text':>10}{'of it as in libc':>18}{'to measure':>12}{'rodata':>8}{'data':>6}{'bss':>5}")
    fits, types = True, {}
    for title, program, features, limit in IMAGES:
        if title != ONE and not all_of_them:
            continue
        binary = build(program, features)
        if binary is None:
            return True
        found = sections(binary)
        types |= found["types"]
        rooms = by_floor(program, features)
        measures = "?" if rooms is None else f"{rooms['main']:,}"
        print(f"{found['text']:>10,}{found['brought']:>18,}{measures:>12}{found['rodata']:>8,}"
              f"{found.get('data', 0):>6}{found.get('bss', 0):>5}  {title}")
        if limit is not None and found["text"] + found["rodata"] > limit:
            print(f"  that is more than {limit:,}: say in IMAGES why, or make it smaller", file=sys.stderr)
            fits = False
    for name, size in types.items():
        print(f"{size:>10,} B of RAM for the type {name}, without its heap")
    return fits


def floor_of(file: str) -> str:
    """The room that a source file belongs to."""
    if found := re.search(r"(lwm2m-core|coap-codec|endpoint-name|tools)/(?:src/)?(\w+)", file):
        crate, room = found[1], found[2]
        return f"lwm2m-core: {room}" if crate == "lwm2m-core" and room in FLOORS else crate if crate != "tools" else "main"
    if "compiler-builtins" in file:
        return "compiler builtins"
    return "siphasher" if "siphasher" in file else "core and alloc, not inlined"


def by_floor(program: str, features: str) -> collections.Counter | None:
    """Where the text of an image is: each instruction counts for the innermost of our lines that it is of."""
    objdump = llvm("llvm-objdump")
    if objdump is None or not shutil.which("llvm-symbolizer"):
        return None
    # With lines an image is a few bytes another.
    binary = build(program, features, lines=True)
    if binary is None:
        return None
    listing = run(objdump, "-d", "--section=.text", "--no-show-raw-insn", binary).stdout
    addresses = [int(address, 16) for address in re.findall(r"^\s*([0-9a-f]+):\s", listing, re.M)]
    frames = run("llvm-symbolizer", f"--obj={binary}", "--inlining", "--output-style=JSON",
                 input="\n".join(map(hex, addresses))).stdout.splitlines()
    found = collections.Counter()
    for address, after, line in zip(addresses, addresses[1:], frames):
        files = [frame["FileName"] for frame in json.loads(line).get("Symbol", [])] or [""]
        ours = [file for file in files if str(ROOT) in file and ".cargo" not in file]
        found[floor_of((ours or files)[0].removeprefix(str(ROOT)))] += after - address
    return found


def floors(features: str, symbols: int) -> None:
    """Prints where the text of an image is."""
    found = by_floor("footprint", features)
    if found is None:
        print("floors: llvm-objdump or llvm-symbolizer is missing", file=sys.stderr)
        return
    print(f"\nText by floor, of {features or 'no features'}:")
    for room, size in found.most_common():
        print(f"{size:>10,} B  {room}")
    binary = build("footprint", features) if symbols else None
    sizes = run(llvm("llvm-nm"), "--print-size", "--size-sort", "--radix=d", "--demangle", binary or "").stdout.splitlines()
    for line in sizes[:-1 - symbols:-1] if binary else []:
        _, size, _, name = line.split(maxsplit=3)
        print(f"{int(size):>10,} B  {name[:100]}")


def memory() -> bool:
    test = run("cargo", "test", "--quiet", "-p", "lwm2m-core", "--test", "steady_state", "--", "--nocapture")
    print("\nMemory of a registered client and a simulated day, on this host:")
    lines = [line for line in test.stdout.splitlines() if line.startswith("  ")]
    print("\n".join(lines) if lines else test.stdout + test.stderr)
    return test.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="build all images")
    parser.add_argument("--floors", metavar="FEATURES", help="where the bytes of an image with these features are")
    parser.add_argument("--symbols", type=int, default=0, metavar="N", help="also list its N largest symbols")
    options = parser.parse_args()
    if options.floors is not None:
        floors(options.floors, options.symbols)
        return 0
    fits = images(options.all)
    return 0 if memory() and fits else 1


if __name__ == "__main__":
    sys.exit(main())

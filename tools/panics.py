#!/usr/bin/env python3
"""Which panics an optimised client for a Cortex-M4 still has in it, and in which functions.

    python3 tools/panics.py [-v]

Builds `tools/footprint`, in which every input and output of a client is reachable, and looks at each call of what
panics, in our functions and in those of the standard library that they call (-v lists them). `lwm2m-core/PANICS.md`
says for each kind of them, floor by floor, why it is not reached; one that is not there, or is there for nothing, is
an error. Ends with 77 where the target
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
PANICS = re.compile(r"core::panicking::|(unwrap|expect|assert)_failed|_fail\b|_fail_rt\b|capacity_overflow|handle_alloc_error"
                    r"|raw_vec::handle_error")
# An allocator that gives nothing, and a capacity beyond half of all addresses.
MEMORY = re.compile(r"handle_alloc_error|raw_vec|box_new|capacity_overflow|Clone>::clone|with_capacity")
HASH = re.compile(r"::h[0-9a-f]{16}")
KINDS = {
    "Vec::insert": r"Vec<.*>>?::insert",
    "Vec::remove": r"Vec<.*>>?::remove|Places<T>>::(take_out|keep)",
    "Box": r"Box<str>|Into<U>>::into",
    "copy_from_slice": r"copy_from_slice_impl",
    "copy_within": r"copy_within|into_slice_range",
    "Duration": r"core::time::Duration",
    "VecDeque": r"VecDeque",
}
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


def calls(binary: pathlib.Path, objdump: pathlib.Path) -> collections.Counter:
    """Who calls whom, and how often."""
    listing = run(str(objdump), "-d", "--demangle", "--no-show-raw-insn", str(binary)).stdout
    found, function = collections.Counter(), ""
    for line in listing.splitlines():
        if begins := re.match(r"^[0-9a-f]+ <(.*)>:$", line):
            function = plain(begins[1])
        elif call := re.search(r"\sb\S*\s+0x[0-9a-f]+ <(.*?)>( @|$)", line):
            callee = plain(call[1])
            # A jump inside a function has an offset.
            if not re.search(r"\+0x[0-9a-f]+$", callee) and callee != function:
                found[function, callee] += 1
    return found


def is_ours(function: str) -> bool:
    return function.startswith("_start") or bool(re.match(r"<?(lwm2m_core|coap_codec|endpoint_name|siphasher)\b", function))


def floor(function: str) -> str:
    """The floor of ours that a function is of; what is inlined into the firmware's own is the client's."""
    found = re.match(r"<?(lwm2m_core|coap_codec|endpoint_name|siphasher)::(\w+)", function)
    return "client" if found is None else found[2] if found[1] == "lwm2m_core" else found[1]


def kind(what: str) -> str:
    """What of the standard library panics, however the compiler has cut it."""
    for kind, pattern in KINDS.items():
        if re.search(pattern, what):
            return kind
    return what


def reached(edges: collections.Counter) -> tuple:
    """Our functions with what panics in them, or in what they call of the standard library; and how many calls of
    what panics there are, those for want of memory apart."""
    callers = collections.defaultdict(set)
    for caller, callee in edges:
        callers[callee].add(caller)
    rows, memory, others = set(), 0, 0
    for (caller, callee), count in edges.items():
        if not PANICS.search(callee) or PANICS.search(caller):
            continue
        if MEMORY.search(callee) or MEMORY.search(caller):
            memory += count
            continue
        others += count
        # Through the standard library up to ours.
        waiting, seen = [(caller, callee)], {caller}
        while waiting:
            function, what = waiting.pop()
            if is_ours(function):
                rows.add((function, what))
                continue
            for above in callers[function] - seen:
                seen.add(above)
                waiting.append((above, what if function.startswith("OUTLINED") else function))
    return rows, memory, others


def main() -> int:
    sysroot = pathlib.Path(run("rustc", "--print", "sysroot").stdout.strip())
    objdump = next(iter(sysroot.glob("lib/rustlib/*/bin/llvm-objdump")), None)
    built = run("cargo", "build", "--release", "--quiet", "--target", TARGET, "--manifest-path", "tools/footprint/Cargo.toml")
    if objdump is None or built.returncode:
        print(f"llvm-objdump or the target {TARGET} is missing\n{built.stderr}", file=sys.stderr)
        return 77
    folder = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "tools/footprint/target"))
    found, memory, others = reached(calls(folder / TARGET / "release/footprint", objdump))
    rows = {f"| `{kind(what)}` | {floor(function)} |" for function, what in found}
    text = DOCUMENT.read_text() if DOCUMENT.exists() else ""
    known = {row[1] for row in re.finditer(r"^(\| `[^|]*` \| [^|`]* \|)", text, re.M)}
    print(f"calls of what panics: {memory} for want of memory, {others} others, in or below {len(found)} functions")
    if "-v" in sys.argv:
        print("\n".join(sorted(f"  {what}: {function}" for function, what in found)))
    for row in sorted(rows - known):
        print(f"not in {DOCUMENT.name}: {row}")
    for row in sorted(known - rows):
        print(f"there for nothing: {row}")
    return int(rows != known)


if __name__ == "__main__":
    sys.exit(main())

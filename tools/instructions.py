#!/usr/bin/env python3
"""Instructions per message of the CoAP codec (parse, parse and look up, build, for eight messages), and
per operation of a registered client, from its input until it has nothing more to send.

    python3 tools/instructions.py [--only codec|client] [--peers] [--markdown] [--tool perf|callgrind] [NAME ...]
    python3 tools/instructions.py --tables [print|write|check] [--tool perf|callgrind]

NAME limits the run to the codecs whose names contain it. --peers adds other codecs (they are
built for it, which takes a minute). Counts are the difference of two run lengths, divided by the
difference in length, so that start and end of the program cancel out; they do not depend on how
busy the machine is. --tables prints the tables of the READMEs as they are to be, other codecs included; `write`
puts them there, and `check` ends with 1 where a number of theirs is another one by more than a fiftieth. Needs `perf` with access to the counter of instructions, or else `valgrind`,
which also counts the client's allocations; ends with 77 where there is neither.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
OPERATIONS = {"parse": "parse", "look up": "parse and look up", "build": "build"}
# The same operations of other clients, counted in the same way in 2026: x86-64, gcc 12.2 -O2, the same
# values of the same object. Wakaama's transport was a stub; of Anjay, what it does inside its own calls
# counts, and a loop-back socket's wrappers are among it.
CLIENTS = {
    "Wakaama": {"Read /3/0 as TLV": 9289, "Read /3/0/0 as text": 2785, "Update and its answer": 2906, "idle step": 306},
    "Anjay": {"Read /3/0 as TLV": 67151, "Read /3/0/0 as text": 36027, "Update and its answer": 33273, "idle step": 153},
}
# Valgrind is some fifty times slower, and exact for any length.
LENGTHS = {"perf": (20_000, 40_000), "callgrind": (200, 400)}


def perf(command: list[str]) -> int | None:
    run = subprocess.run(["perf", "stat", "-x,", "-e", "instructions:u", *command], capture_output=True, text=True)
    found = re.search(r"^(\d+),.*instructions:u", run.stderr, re.M)
    return int(found[1]) if run.returncode == 0 and found else None


def callgrind(command: list[str]) -> int | None:
    run = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command],
                         capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", run.stderr)
    return int(found[1]) if run.returncode == 0 and found else None


COUNTERS = {"perf": perf, "callgrind": callgrind}
PROGRAMS = {"perf": "perf", "callgrind": "valgrind"}


def allocations(command: list[str]) -> int | None:
    """Allocations of a whole run; none when valgrind is not there."""
    if not shutil.which("valgrind"):
        return None
    run = subprocess.run(["valgrind", "--tool=memcheck", "--leak-check=no", *command], capture_output=True, text=True)
    found = re.search(r"total heap usage: ([\d,]+) allocs", run.stderr)
    return int(found[1].replace(",", "")) if run.returncode == 0 and found else None


def choose(wanted: str | None) -> str | None:
    """The first counter that works here: perf is often there and not allowed to count."""
    for tool in [wanted] if wanted else COUNTERS:
        if shutil.which(PROGRAMS[tool]) and COUNTERS[tool](["true"]) is not None:
            return tool
    return None


def build(peers: bool) -> str:
    command = ["cargo", "build", "--profile", "instructions", "--quiet", "-p", "benches", "--bin", "instructions"]
    subprocess.run(command + (["--features", "peers"] if peers else []), cwd=ROOT, check=True)
    folder = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target"))
    return str(ROOT / folder / "instructions/instructions")


def table(title: str, messages: list[str], rows: dict[str, list[int]], ours: str, markdown: bool) -> None:
    sums = {name: sum(counts) for name, counts in rows.items()}
    head = ["", *messages, "sum", "ratio"]
    body = [[name, *map(str, counts), str(sums[name]), f"{sums[name] / sums.get(ours, sums[name]):.2f}"]
            for name, counts in rows.items()]
    print(f"\n{title}\n")
    if markdown:
        print("| " + " | ".join(head) + " |\n|---|" + "---:|" * (len(head) - 1))
        for row in body:
            print("| " + " | ".join(row) + " |")
        return
    width = max(len(name) for name in rows)
    for row in [head, *body]:
        print(f"{row[0]:{width}}" + "".join(f"{cell:>7}" for cell in row[1:]))


def count_client(binary: str, operations: list[str], tool: str, counters: list[str]) -> dict:
    """What each operation takes, by counter."""
    short, long = LENGTHS[tool]

    def measure(job: tuple[str, str]) -> float | None:
        counter, operation = job
        count = allocations if counter == "allocations" else COUNTERS[counter]
        counts = [count([binary, operation, str(times)]) for times in (short, long)]
        return None if None in counts else (counts[1] - counts[0]) / (long - short)

    jobs = [(counter, operation) for counter in counters for operation in operations]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(jobs, pool.map(measure, jobs)))


def client(binary: str, operations: list[str], tool: str, markdown: bool) -> None:
    counts = count_client(binary, operations, tool, [tool, "allocations"])
    print(f"\nInstructions per operation of a client, counted by {tool}; beside them the same of others, with their ratio:\n")
    body = []
    for operation in operations:
        ours, allocated = counts[tool, operation], counts["allocations", operation]
        if ours is None:
            sys.exit(f"it does not run: {operation}")
        theirs = [others.get(operation) for others in CLIENTS.values()]
        body.append([operation, f"{ours:,.0f}", "-" if allocated is None else f"{allocated:.3g}",
                     *("-" if count is None else f"{count:,} ({count / ours:.1f})" for count in theirs)])
    head = ["", "lwm2m-core", "allocations", *CLIENTS]
    if markdown:
        print("| " + " | ".join(head) + " |\n|---|" + "---:|" * (len(head) - 1))
        for row in body:
            print("| " + " | ".join(row) + " |")
        return
    for row in [head, *body]:
        print(f"{row[0]:28}" + "".join(f"{cell:>16}" for cell in row[1:]))


def count_codecs(binary: str, contenders: list[str], messages: list[str], tool: str) -> dict:
    """What each operation of each codec takes, by message."""
    short, long = LENGTHS[tool]

    def measure(cell: tuple[str, str, str]) -> int:
        counts = [COUNTERS[tool]([binary, *cell, str(times)]) for times in (short, long)]
        if None in counts:
            sys.exit(f"it does not run: {' '.join(cell)}")
        return round((counts[1] - counts[0]) / (long - short))

    cells = [(name, operation, message) for operation in OPERATIONS for name in contenders for message in messages]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(cells, pool.map(measure, cells)))


def named(listing: list[list[str]], kind: str) -> list[str]:
    return [fields[1] for fields in listing if fields[0] == kind]


def codec(binary: str, listing: list[list[str]], tool: str, options: argparse.Namespace) -> None:
    messages, contenders = named(listing, "message"), named(listing, "contender")
    ours = contenders[0]
    if options.names:
        contenders = [name for name in contenders if any(part in name for part in options.names)]
    counts = count_codecs(binary, contenders, messages, tool)
    print(f"\nInstructions per message of a codec, loop and call included, counted by {tool}:")
    for fields in listing:
        if fields[0] == "message":
            print(f"  {fields[1]}  {fields[2]:>3} bytes  {fields[3]}")
    for operation, title in OPERATIONS.items():
        rows = {name: [counts[name, operation, message] for message in messages] for name in contenders}
        table(title, messages, rows, ours, options.markdown)


# What the READMEs call things.
ROWS_OF_CLIENT = {
    "Read /3/0 as TLV": "Read /3/0 as TLV",
    "Read /3/0/0 as text": "Read /3/0/0 as text",
    "Update and its answer": "Update and its answer",
    "Notify /3/0/9, confirmable": "Notify one resource, confirmable, and its acknowledgement",
    "Notify /3/0/9": "the same, non-confirmable",
    "idle step": "a call with nothing due",
}
REMARKS = {"coap-message-implementations 0.2": " (with ten lines for header and token)"}
MARKED = re.compile(r"(?<=<!-- from here: tools/instructions\.py --tables -->\n\n).*?(?=\n\n<!-- to here -->)", re.S)


def rows(head: list[str], body: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in body]).replace("|  |", "| |").replace("|  |", "| |")


def tables(binary: str, listing: list[list[str]], tool: str) -> dict[str, str]:
    """The table of each README."""
    counts = count_client(binary, list(ROWS_OF_CLIENT), tool, [tool])
    body = []
    for operation, title in ROWS_OF_CLIENT.items():
        ours = counts[tool, operation]
        theirs = [others.get(operation) for others in CLIENTS.values()]
        body.append([title, f"{ours:,.0f}", *("" if count is None else f"{count / ours:.1f}" for count in theirs)])
    of_client = rows(["operation", "lwm2m-core", *CLIENTS], body)

    messages = named(listing, "message")
    # In parentheses is what is no codec, or no other's.
    contenders = [name for name in named(listing, "contender") if not name.startswith("(")]
    counts = count_codecs(binary, contenders, messages, tool)
    sums = {(name, operation): sum(counts[name, operation, message] for message in messages)
            for name in contenders for operation in OPERATIONS}
    ours = contenders[0]
    ratio = lambda name, operation: "1" if name == ours else f"{sums[name, operation] / sums[ours, operation]:.1f}"
    contenders.sort(key=lambda name: sums[name, "parse"])
    body = [[name + REMARKS.get(name, ""), *(ratio(name, operation) for operation in OPERATIONS)] for name in contenders]
    return {"lwm2m-core/README.md": of_client, "coap-codec/README.md": rows(["", *OPERATIONS.values()], body)}


def differences(kept: str, now: str) -> list[str]:
    """What of two tables is not the same: words to the letter, numbers within a fiftieth and the last digit of a ratio."""
    cells = lambda table: [cell.strip() for line in table.splitlines() for cell in line.strip("|").split("|")]
    number = lambda cell: float(cell.replace(",", "")) if re.fullmatch(r"[\d,.]+", cell) else None
    kept, now = cells(kept), cells(now)
    if len(kept) != len(now):
        return ["it has other rows"]
    different = []
    for old, new in zip(kept, now):
        one, two = number(old), number(new)
        same = old == new if None in (one, two) else abs(one - two) <= max(two / 50, 0.11)
        if not same:
            different.append(f"{old} is {new}")
    return different


def of_readmes(found: dict[str, str], what: str) -> int:
    failed = False
    for path, now in found.items():
        if what == "print":
            print(f"\n{path}\n\n{now}")
            continue
        text = (ROOT / path).read_text()
        kept = MARKED.search(text)
        if not kept:
            sys.exit(f"{path}: there is no table between its marks")
        if what == "write":
            (ROOT / path).write_text(MARKED.sub(lambda _: now, text))
            continue
        different = differences(kept[0], now)
        failed |= bool(different)
        print(f"{path}: {'; '.join(different) or 'the table holds'}")
    return int(failed)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--only", choices=["codec", "client"], help="measure one of the two")
    parser.add_argument("--peers", action="store_true", help="measure other codecs, too")
    parser.add_argument("--markdown", action="store_true", help="print tables for a document")
    parser.add_argument("--tables", nargs="?", const="print", choices=["print", "write", "check"],
                        help="the tables of the READMEs")
    parser.add_argument("--tool", choices=COUNTERS, help="the counter; by default perf, if it works")
    options = parser.parse_args()
    tool = choose(options.tool)
    if tool is None:
        print("neither perf nor valgrind can count instructions here", file=sys.stderr)
        return 77
    binary = build(options.peers or options.tables is not None)
    listing = [line.split("\t") for line in subprocess.check_output([binary], text=True).splitlines()]
    if options.tables:
        return of_readmes(tables(binary, listing, tool), options.tables)
    if options.only != "codec" and not options.names:
        operations = [fields[1] for fields in listing if fields[0] == "operation"]
        client(binary, operations, tool, options.markdown)
    if options.only != "client":
        codec(binary, listing, tool, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())

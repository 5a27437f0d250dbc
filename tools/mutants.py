#!/usr/bin/env python3
"""Changes the code of a crate in every small way, one at a time, and says which changes no test notices.

    python3 tools/mutants.py [--shard K/N] [--sample N] [--only TEXT] [--really] [PART ...]

The changes are those of cargo-mutants, which lists them. It would build the tests once for each, for hours; here all
are compiled in at once, each behind `if mutants::on(NUMBER)`, and a test that does not come by a change is not run
with it. A change that survives must be in `docs/mutation.md` with the reason why it changes nothing; if it is not,
this ends with 1. Ends with 77 where cargo-mutants, or tree-sitter and tree-sitter-rust of pip, are missing.

What cannot be chosen at run time, such as a constant, is left out and counted; with `--really` cargo-mutants itself
tries that, and the survivors.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import time

try:
    import tree_sitter
    import tree_sitter_rust
except ImportError:
    print("missing: pip install tree-sitter tree-sitter-rust", file=sys.stderr)
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve() / "mutants"
DOCUMENT = ROOT / "docs" / "mutation.md"

# A package: its features and the test binaries that look at the changes.
PACKAGES = {
    "coap-codec": ("bytes,serde,arbitrary", ["*"]),
    "endpoint-name": ("serde", ["*"]),
    "lwm2m-core": ("sim,json",
                   ["lib", "conformance", "contract", "exchange", "regressions", "late_answers", "plain_read", "sleep",
                    "hostile_input", "sim"]),
}
# A part of a package, and its folder. Where not each survivor has its reason yet: how many of a hundred are caught at
# least.
PARTS = {
    "coap-codec": ("coap-codec", "coap-codec/src"),
    "endpoint-name": ("endpoint-name", "endpoint-name/src"),
    "tlv": ("lwm2m-core", "lwm2m-core/src/format/tlv"),
    "lifecycle": ("lwm2m-core", "lwm2m-core/src/lifecycle"),
    "exchange": ("lwm2m-core", "lwm2m-core/src/exchange"),
    "reporting": ("lwm2m-core", "lwm2m-core/src/reporting"),
    # What is in no other part.
    "rest": ("lwm2m-core", "lwm2m-core/src", 85),
}
# A test that needs longer than this, in seconds of CPU time, is not run for each change.
LONGEST = 4.0

EXPRESSIONS = ("binary_expression", "compound_assignment_expr", "unary_expression")
sys.setrecursionlimit(10_000)
PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_rust.language()))


class Mutant:
    """A change: what stands where, and what would stand there instead."""

    def __init__(self, number: int, entry: dict):
        self.number = number
        self.file = entry["file"]
        self.function = (entry.get("function") or {})
        self.span = entry["span"]
        self.genre = entry["genre"]
        self.replacement = entry["replacement"]
        self.full = entry["name"]
        self.name = re.sub(r"^[^:]+:\d+:\d+: ", "", entry["name"])
        self.line = self.span["start"]["line"]
        self.code = ""
        self.state = "unbuildable"

    def iterator(self) -> str:
        """What stands for `Some` of the only element, or for `None`, where a function returns an iterator."""
        given = re.fullmatch(r"::std::iter::(empty\(\)|once\((.*)\))", self.replacement)
        return (f"Some({given[2]})" if given[2] else "None") if given else ""

    def key(self) -> tuple:
        return self.file, self.name, self.code

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.name}    {self.code}"


class Source:
    """A file and the changes in it."""

    def __init__(self, path: str, mutants: list):
        self.path = path
        self.text = (ROOT / path).read_bytes()
        starts, lines = [0], self.text.split(b"\n")
        for line in lines:
            starts.append(starts[-1] + len(line) + 1)

        def at(place: dict) -> int:
            line = lines[place["line"] - 1].decode()
            return starts[place["line"] - 1] + len(line[: place["column"] - 1].encode())

        self.tree = PARSER.parse(self.text).root_node
        # Node (begin, end) -> the mutants that change it.
        self.changes = {}
        for mutant in mutants:
            mutant.code = lines[mutant.line - 1].decode().strip()
            begin, end = at(mutant.span["start"]), at(mutant.span["end"])
            node = self.node(mutant, begin, end)
            hidden = mutant.genre == "FnValue" and "impl " in mutant.function["return_type"] and not mutant.iterator()
            if not mutant.function or hidden:
                mutant.state = "aside"
            elif node is None and mutant.genre != "BinaryOperator":
                mutant.state = "aside"
            elif node is not None:
                self.changes.setdefault((node.start_byte, node.end_byte, node.type), []).append((mutant, begin, end))

    def node(self, mutant: Mutant, begin: int, end: int):
        """The expression to be changed."""
        node = self.tree.descendant_for_byte_range(begin, end - 1)
        if mutant.genre in ("BinaryOperator", "UnaryOperator"):
            # The operator of a chain with `let` in it has no such parent, and no other operator may stand there.
            return node.parent if node.parent.type in EXPRESSIONS else None
        wanted = {
            "MatchArm": "match_arm",
            "StructField": "struct_expression",
            "FnValue": "function_item",
        }.get(mutant.genre)
        if wanted is None:
            while node.parent is not None and (node.parent.start_byte, node.parent.end_byte) == (begin, end):
                node = node.parent
            return node if (node.start_byte, node.end_byte) == (begin, end) else None
        while node is not None and node.type != wanted:
            node = node.parent
        return node

    def render(self, dropped: set) -> tuple:
        """The text with all changes in it, but for those dropped, and where they stand: (begin, end, numbers,
        kind)."""
        out, places = bytearray(), []

        def emit(node) -> None:
            changes = self.changes.get((node.start_byte, node.end_byte, node.type), [])
            changes = [change for change in changes if change[0].number not in dropped]
            if node.type == "match_expression":
                start = len(out)
                inside(node)
                arms = [change for arm in node.child_by_field_name("body").children
                        for change in self.changes.get((arm.start_byte, arm.end_byte, "match_arm"), [])
                        if change[0].number not in dropped]
                place(arms, start, "match")
            elif not changes:
                inside(node)
            elif node.type == "match_arm":
                arm(node, changes)
            elif node.type == "function_item":
                function(node, changes)
            else:
                wrap(node, changes)

        def inside(node, skip: int = 0) -> None:
            at = node.start_byte + skip
            for child in node.children:
                if child.start_byte < at:
                    continue
                out.extend(self.text[at:child.start_byte])
                emit(child)
                at = child.end_byte
            out.extend(self.text[at:node.end_byte])

        def place(changes: list, begin: int, kind: str) -> None:
            places.append((begin, len(out), [change[0].number for change in changes], kind))

        def wrap(node, changes: list) -> None:
            statement = node.type == "compound_assignment_expr"
            whole = len(out)
            # In parentheses, so that a block in front is an expression too.
            opened, closed = (b"{ ", b" }") if statement else (b"{ (", b") }")
            out.extend(b"{ " if statement else b"(")
            for change in changes:
                mutant, begin, end = change
                out.extend(f"if ::mutants::on({mutant.number}) ".encode() + opened)
                start = len(out)
                before, after = self.text[node.start_byte:begin], self.text[end:node.end_byte]
                replacement = mutant.replacement.encode()
                if mutant.genre == "StructField":
                    after = after.lstrip(b" ,") if after.lstrip().startswith(b",") else after
                out.extend(before + replacement + after)
                place([change], start, "change")
                out.extend(closed + b" else ")
            out.extend(opened)
            inside(node)
            out.extend(closed + (b" }" if statement else b")"))
            place(changes, whole, "around")

        def arm(node, changes: list) -> None:
            pattern = node.child_by_field_name("pattern")
            at = node.start_byte
            condition = pattern.child_by_field_name("condition")
            guard = " && ".join(f"!::mutants::on({mutant.number})" for mutant, _, _ in changes).encode()
            start = len(out)
            for child in node.children:
                out.extend(self.text[at:child.start_byte])
                at = child.end_byte
                if child != pattern:
                    emit(child)
                elif condition is None:
                    emit(child)
                    out.extend(b" if " + guard)
                    place(changes, start, "around")
                else:
                    out.extend(self.text[child.start_byte:condition.start_byte] + guard + b" && (")
                    emit(condition)
                    out.extend(b")")
                    place(changes, start, "around")
            out.extend(self.text[at:node.end_byte])

        def function(node, changes: list) -> None:
            body = node.child_by_field_name("body")
            hidden = [change for change in changes if "impl " in change[0].function["return_type"]]
            at, whole = node.start_byte, len(out)
            for child in node.children:
                out.extend(self.text[at:child.start_byte])
                at = child.end_byte
                if child != body:
                    emit(child)
                elif hidden:
                    # One type has to do: none of the elements, and another one perhaps.
                    numbers = [change[0].number for change in hidden]
                    off = " && ".join(f"!::mutants::on({number})" for number in numbers)
                    out.extend(b"{ ")
                    emit(child)
                    out.extend(f".take(if {off} {{ usize::MAX }} else {{ 0 }}).chain(".encode())
                    for change in hidden:
                        out.extend(f"if ::mutants::on({change[0].number}) {{ ".encode())
                        start = len(out)
                        out.extend(change[0].iterator().encode())
                        place([change], start, "change")
                        out.extend(b" } else ")
                    out.extend(b"{ None }) }")
                    place(hidden, whole, "around")
                else:
                    out.extend(b"{ ")
                    for change in changes:
                        out.extend(f"if ::mutants::on({change[0].number}) {{ return ".encode())
                        start = len(out)
                        out.extend(change[0].replacement.encode())
                        place([change], start, "change")
                        out.extend(b"; } ")
                    inside(body, skip=1)
            out.extend(self.text[at:node.end_byte])

        emit(self.tree)
        head = self.text[: self.tree.start_byte]
        places[:] = [(begin + len(head), end + len(head), *rest) for begin, end, *rest in places]
        return head + bytes(out) + self.text[self.tree.end_byte:], places


def run(command: list, **options) -> subprocess.CompletedProcess:
    return subprocess.run(command, text=True, errors="replace", **options)


def listed(package: str) -> list:
    """What cargo-mutants would change."""
    done = run(["cargo", "mutants", "--list", "--json", "--package", package], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return [Mutant(number, entry) for number, entry in enumerate(json.loads(done.stdout), 1)]


def part_of(mutant: Mutant) -> str:
    fitting = [part for part, (_, folder, *_) in PARTS.items() if mutant.file.startswith(folder + "/")]
    return max(fitting, key=lambda part: len(PARTS[part][1]))


def copy(package: str, changed: set) -> pathlib.Path:
    """A copy of what git knows but for the files that are changed, with the switch among the package's dependencies."""
    tree = WORK / package
    files = run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout.split("\n")
    for name in filter(None, files):
        if (ROOT / name).is_file() and name not in changed | {"Cargo.toml", f"{package}/Cargo.toml"}:
            write(tree / name, (ROOT / name).read_bytes())
    manifest = (ROOT / package / "Cargo.toml").read_text()
    root = (ROOT / "Cargo.toml").read_text()
    # What the compiler sees to go wrong for sure, a test sees, too.
    allowed = '[workspace.lints.rust]\narithmetic_overflow = "allow"\nunconditional_panic = "allow"\n'
    write(tree / "Cargo.toml", root.replace("[workspace.lints.rust]\n", allowed, 1).encode())
    switch = f'mutants = {{ path = "{ROOT / "tools" / "mutants"}" }}'
    write(tree / package / "Cargo.toml", manifest.replace("[dependencies]\n", f"[dependencies]\n{switch}\n", 1).encode())
    return tree


def write(path: pathlib.Path, content: bytes) -> None:
    """Leaves a file alone that is the same, so that it is not built again."""
    if path.exists() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def cargo(tree: pathlib.Path, command: list) -> list:
    """Runs cargo and returns its messages."""
    environment = os.environ | {"RUSTC_BOOTSTRAP": "1", "CARGO_TARGET_DIR": str(WORK / "target"),
                                "CARGO_PROFILE_MUTANTS_OPT_LEVEL": "1"}
    done = run(["cargo", *command, "--profile", "mutants", "--message-format=json"], cwd=tree, env=environment,
               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode and not any(message["reason"] == "compiler-message" for message in messages):
        sys.exit(done.stderr)
    return messages


def build(tree: pathlib.Path, package: str, features: str, mutants: list, tests: list) -> list:
    """Builds all that can be built, and returns the test binaries."""
    sources = [Source(path, [mutant for mutant in mutants if mutant.file == path])
               for path in sorted({mutant.file for mutant in mutants})]
    which = ["--tests"] if tests == ["*"] else [word for name in tests for word in (["--lib"] if name == "lib" else ["--test", name])]
    # Quick, and then with what the tests bring in, beside which the compiler may not know a type any more.
    commands = [["check", "--lib"], ["test", "--no-run", *which]]
    dropped, aside, messages = set(), set(), []
    while commands:
        places = {}
        for source in sources:
            content, places[source.path] = source.render(dropped)
            write(tree / source.path, content)
        messages = cargo(tree, [*commands[0], "-p", package, "--features", features])
        errors = [message["message"] for message in messages
                  if message["reason"] == "compiler-message" and message["message"]["level"] == "error"]
        if not errors:
            commands.pop(0)
            continue
        bad = set()
        for error in errors:
            spans = [span for span in error["spans"] if span["is_primary"]] or error["spans"]
            for span in spans:
                # An arm with a condition is not enough for a match to be complete.
                incomplete = (error["code"] or {}).get("code") == "E0004"
                around = [place for place in places.get(span["file_name"], ()) if (place[3] == "match") == incomplete
                          and place[0] <= span["byte_start"] and span["byte_end"] <= place[1]]
                if around:
                    _, _, numbers, kind = min(around, key=lambda place: place[1] - place[0])
                    bad.update(numbers)
                    # What is around the change is to blame, not the change.
                    aside.update(numbers if kind != "change" else ())
        if not bad - dropped:
            print("\n".join(error["rendered"] for error in errors), file=sys.stderr)
            sys.exit("no change is to blame")
        dropped |= bad
        print(f"  {len(dropped)} of {len(mutants)} cannot be built so far", flush=True)
    placed = {change[0].number for source in sources for changes in source.changes.values() for change in changes}
    for mutant in mutants:
        if mutant.number in aside:
            mutant.state = "aside"
        elif mutant.number in placed - dropped:
            mutant.state = "missed"
    return sorted(message["executable"] for message in messages
                  if message["reason"] == "compiler-artifact" and message.get("executable") and message["profile"]["test"])


class Test:
    """A test, how long it takes, and which changes it comes by."""

    def __init__(self, binary: str, name: str):
        self.binary, self.name = binary, name
        self.seconds, self.reached, self.kills = 0.0, frozenset(), 0


def environment(**more) -> dict:
    return os.environ | {"RUST_BACKTRACE": "0", "PROPTEST_MAX_SHRINK_ITERS": "0", "PROPTEST_DISABLE_FAILURE_PERSISTENCE": "1",
                         "PROPTEST_RNG_SEED": "7"} | more


def limits(seconds: float):
    """A change that loops ends by its CPU time, one that grows by its memory."""
    def set_limits() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 2))
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return set_limits


def reach(test: Test, package: str) -> bool:
    """Runs a test alone and notes what it comes by; false if it is not fit to judge."""
    path = WORK / f"reached-{os.getpid()}-{abs(hash((test.binary, test.name)))}"
    before = time.monotonic()
    with subprocess.Popen([test.binary, "--exact", test.name, "--test-threads=1"], cwd=WORK / package / package, preexec_fn=limits(LONGEST * 5),
                          env=environment(MUTANT="reach", MUTANT_REACHED=str(path)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = status
    test.seconds = min(usage.ru_utime + usage.ru_stime, time.monotonic() - before)
    if path.exists():
        test.reached = frozenset(map(int, path.read_text().split()))
        path.unlink()
    return status == 0 and test.seconds < LONGEST


def tests_of(binaries: list, package: str) -> list:
    tests = []
    for binary in binaries:
        done = run([binary, "--list", "--format", "terse"], stdout=subprocess.PIPE, cwd=WORK / package / package)
        tests += [Test(binary, line.removesuffix(": test")) for line in done.stdout.splitlines() if line.endswith(": test")]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        fit = list(pool.map(lambda test: reach(test, package), tests))
    for test, good in zip(tests, fit):
        if not good:
            print(f"  not run: {test.name} of {pathlib.Path(test.binary).name}, {test.seconds:.1f} s", flush=True)
    return sorted((test for test, good in zip(tests, fit) if good), key=lambda test: test.seconds)


def try_out(mutant: Mutant, tests: list, package: str) -> str:
    """Runs the tests that come by the change until one fails: first those that are short, and failed often so far."""
    chosen = [test for test in tests if mutant.number in test.reached]
    chosen.sort(key=lambda test: test.seconds / (1 + test.kills))
    most = 0.2
    while chosen:
        # Some tests of one binary at a time.
        binary, some, seconds = chosen[0].binary, [], 0.0
        for test in [test for test in chosen if test.binary == binary][:400]:
            if some and seconds + test.seconds > most:
                break
            some.append(test)
            seconds += test.seconds
        if not passes(mutant, binary, some, seconds, package):
            return "caught"
        done, most = set(map(id, some)), 1.0
        chosen = [test for test in chosen if id(test) not in done]
    return "missed"


def passes(mutant: Mutant, binary: str, tests: list, seconds: float, package: str) -> bool:
    command = [binary, "--exact", *(test.name for test in tests), "--test-threads=1"]
    with subprocess.Popen(command, cwd=WORK / package / package, preexec_fn=limits(seconds * 5 + 2),
                          env=environment(MUTANT=str(mutant.number)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        for line in child.stdout:
            if line.rstrip().endswith(b"FAILED"):
                child.kill()
                for test in tests:
                    test.kills += test.name.encode() in line.split()
                return False
        return child.wait() == 0


def argued() -> set:
    """The survivors that the document gives a reason for: (file, change, line of code)."""
    text = DOCUMENT.read_text() if DOCUMENT.exists() else ""
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| ``(.+?)`` \| .+ \|$", text, re.M)
    return {tuple(cell.replace("\\|", "|") for cell in row) for row in rows}


def measure(package: str, parts: list, options) -> int:
    """Builds a package with all its changes and tries those of the parts; returns how many survive without a reason."""
    features, binaries = PACKAGES[package]
    begun = time.monotonic()
    mutants = listed(package)
    print(f"{package}: {len(mutants)} changes", flush=True)
    tree = copy(package, {mutant.file for mutant in mutants})
    built = build(tree, package, features, mutants, binaries)
    print(f"  built in {time.monotonic() - begun:.0f} s", flush=True)
    tests = tests_of(built, package)
    print(f"  {len(tests)} tests, {sum(test.seconds for test in tests):.0f} s of CPU time; {time.monotonic() - begun:.0f} s so far", flush=True)
    return sum(of_part(part, [mutant for mutant in mutants if part_of(mutant) == part], tests, options) for part in parts)


def of_part(part: str, mutants: list, tests: list, options) -> int:
    if options.only:
        mutants = [mutant for mutant in mutants if options.only in str(mutant)]
    if options.sample and part == "rest":
        mutants = sample(mutants, options.sample)
    if options.shard:
        this, of = map(int, options.shard.split("/"))
        mutants = mutants[this::of]
    begun = time.monotonic()
    viable = [mutant for mutant in mutants if mutant.state == "missed"]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for mutant, state in zip(viable, pool.map(lambda mutant: try_out(mutant, tests, PARTS[part][0]), viable)):
            mutant.state = state
            if state == "missed":
                print(f"  missed: {mutant}", flush=True)
    if options.really:
        left = [mutant for mutant in mutants if mutant.state in ("missed", "aside") and mutant.key() not in argued()]
        if left:
            really(left, PARTS[part][0])
        viable = [mutant for mutant in mutants if mutant.state in ("missed", "caught")]
    missed = [mutant for mutant in viable if mutant.state == "missed"]
    known = argued()
    new = [mutant for mutant in missed if mutant.key() not in known]
    caught = len(viable) - len(missed)
    score = 100 * caught / max(len(viable), 1)
    aside = [mutant for mutant in mutants if mutant.state == "aside"]
    print(f"{part}: {len(mutants)} changes, {len(viable)} viable, {caught} caught ({score:.1f} %), {len(missed)} missed,"
          f" {len(new)} without a reason; {len(aside)} not tried; {time.monotonic() - begun:.0f} s", flush=True)
    for mutant in aside:
        print(f"  not tried: {mutant}")
    save(part, mutants, tests)
    least = PARTS[part][2:]
    return int(score < least[0]) if least else len(new)


def really(mutants: list, package: str) -> None:
    """Has cargo-mutants build and test each of these, which takes its time."""
    features, _ = PACKAGES[package]
    names = [word for mutant in mutants for word in ("--re", "^" + re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", mutant.full) + "$")]
    run(["cargo", "mutants", "--package", package, "--features", features, "--output", str(WORK), *names], cwd=ROOT, stdout=subprocess.DEVNULL)
    outcomes = json.loads((WORK / "mutants.out" / "outcomes.json").read_text())["outcomes"]
    states = {row["scenario"]["Mutant"]["name"]: row["summary"] for row in outcomes if row["scenario"] != "Baseline"}
    meant = {"CaughtMutant": "caught", "Timeout": "caught", "MissedMutant": "missed", "Unviable": "unbuildable"}
    for mutant in mutants:
        mutant.state = meant[states[mutant.full]]


def sample(mutants: list, count: int) -> list:
    """As many, the same each time: those whose name comes first when names are mixed well, wherever their lines move."""
    mixed = sorted(mutants, key=lambda mutant: hashlib.sha256(" ".join(("7", *mutant.key())).encode()).digest())
    return sorted(mixed[:count], key=lambda mutant: mutant.number)


def save(part: str, mutants: list, tests: list) -> None:
    reached = {number for test in tests for number in test.reached}
    rows = [{"file": mutant.file, "line": mutant.line, "name": mutant.name, "code": mutant.code, "state": mutant.state,
             "reached": mutant.number in reached} for mutant in mutants]
    (WORK / f"{part}.json").write_text(json.dumps(rows, indent=1))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--shard", help="K/N: every Nth change, from the Kth (0 is the first)")
    parser.add_argument("--sample", type=int, help="of the part `rest` so many changes, always the same ones")
    parser.add_argument("--only", help="changes with this text in their place or name")
    parser.add_argument("--really", action="store_true", help="cargo-mutants builds those that survive or are left out")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    if shutil.which("cargo-mutants") is None:
        print("missing: cargo install --locked cargo-mutants", file=sys.stderr)
        return 77
    WORK.mkdir(parents=True, exist_ok=True)
    parts = options.parts or list(PARTS)
    packages = list(dict.fromkeys(PARTS[part][0] for part in parts))
    new = [measure(package, [part for part in parts if PARTS[part][0] == package], options) for package in packages]
    return int(sum(new) > 0)


if __name__ == "__main__":
    sys.exit(main())

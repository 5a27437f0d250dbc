#!/usr/bin/env python3
"""Lists the conformance cases that have a test, with what each test shows, as Markdown.

usage: tools/cases.py            writes lwm2m-core/tests/conformance/README.md, and the table of it in docs/testing.md
       tools/cases.py --check    says whether they are as they would be written: exit code 1 when they are not

A test that shows a case is named by it: `dm_7_2_a_the_first_datagram_is_…` shows DM-7.2-a.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "lwm2m-core/tests/conformance/README.md"
TESTING = ROOT / "docs/testing.md"
BEGIN, END = "<!-- written by tools/cases.py -->\n", "<!-- until here -->\n"

HEAD = """# The conformance cases and their tests

Each case is a test that carries its id in its name and says what is true. Most of them drive the whole client
with datagrams, time and commands in the simulator, and live in this folder; those of the codec and of the
endpoint name live with their crates. `cargo test dm_7_2_a` runs one of them. Written by `tools/cases.py`.
"""

# Heading, the form of the names, and how the id reads.
KINDS = [
    ("DM terminal specification", r"dm_(\d(?:_\d+)?)_([a-z]{1,2})_(.+)", lambda m: f"DM-{m[1].replace('_', '.')}-{m[2]}"),
    ("OMA enabler tests", r"int_(\d+)_()(.+)", lambda m: f"int-{m[1]}"),
    ("CoAP plugtests", r"td_coap_([a-z]+)_(\d+s?)_(.+)", lambda m: f"TD_COAP_{m[1].upper()}_{m[2]}"),
    ("XC: messages and codec", r"xc_(\d+)_()(.+)", lambda m: f"XC-{m[1]}"),
    ("XK: block-wise transfer", r"xk_(\d+)_()(.+)", lambda m: f"XK-{m[1]}"),
    ("XB: bootstrap", r"xb_(\d+)_()(.+)", lambda m: f"XB-{m[1]}"),
    ("XR: registration", r"xr_(\d+)_()(.+)", lambda m: f"XR-{m[1]}"),
    ("XD: device management", r"xd_(\d+)_()(.+)", lambda m: f"XD-{m[1]}"),
    ("XA: attributes, notifications, access", r"xa_(\d+)_()(.+)", lambda m: f"XA-{m[1]}"),
    ("XF: formats", r"xf_(\d+)_()(.+)", lambda m: f"XF-{m[1]}"),
]

# Beginnings of ids, and what they are cases of.
STANDARDS = [
    ("DM-6", "China Mobile DM terminal specification, 6: the interface"),
    ("DM-7.1", "7.1: the endpoint name"),
    ("DM-7.2", "7.2: bootstrap"),
    ("DM-7.3", "7.3: registration"),
    ("DM-7.4", "7.4: update"),
    ("DM-7.5", "7.5: de-registration, flight mode, power-off"),
    ("int-", "OMA LwM2M enabler test specification"),
    ("TD_COAP_CORE", "ETSI CoAP plugtests: RFC 7252"),
    ("TD_COAP_LINK", "the same: RFC 6690"),
    ("TD_COAP_BLOCK", "the same: RFC 7959"),
    ("TD_COAP_OBS", "the same: RFC 7641"),
    ("XC-", "RFC 7252, further: messages and codec"),
    ("XK-", "RFC 7959, further: bodies in blocks"),
    ("XB-", "OMA LwM2M 1.0, 5.2, further: bootstrap"),
    ("XR-", "OMA LwM2M 1.0, 5.3, further: registration"),
    ("XD-", "OMA LwM2M 1.0, 5.4, further: device management"),
    ("XA-", "OMA LwM2M 1.0, 5.1.2, 5.5 and 7.3, further: attributes, notifications, access"),
    ("XF-", "OMA LwM2M 1.0, 6.4, further: formats"),
]


def names() -> list[str]:
    command = ["cargo", "test", "--quiet", "--workspace", "--", "--list"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True).stdout
    return sorted({line.removesuffix(": test").split("::")[-1] for line in listing.splitlines() if line.endswith(": test")})


def natural(text: str) -> list[object]:
    """Sorts 10 behind 9, and `aa` behind `z`."""
    parts = re.split(r"(\d+)", text)
    return [(0, int(part), "") if part.isdigit() else (1, len(part) if "-" in text else 0, part) for part in parts]


def page(tests: list[str]) -> str:
    text = HEAD
    for heading, form, reads in KINDS:
        found = [match for match in (re.fullmatch(form, test) for test in tests) if match]
        if not found:
            continue
        rows = sorted(((reads(match), match[3].replace("_", " ")) for match in found), key=lambda row: (natural(row[0]), row[1]))
        text += f"\n## {heading}\n\n| case | shown |\n|---|---|\n"
        text += "".join(f"| {case} | {shown} |\n" for case, shown in rows)
    return text


def folders() -> dict[str, str]:
    """Where each test of the crates is."""
    found = {}
    for crate in ("coap-codec", "endpoint-name", "lwm2m-core"):
        for path in sorted((ROOT / crate).glob("*/**/*.rs")):
            parts = path.relative_to(ROOT).parts
            if "target" in parts:
                continue
            # Tests of `src` are where the crate is; others in their folder, if they have one.
            where = crate if parts[1] == "src" else "/".join(parts[: 3 if len(parts) > 3 else 2])
            found.update(dict.fromkeys(re.findall(r"^\s*fn (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE), where))
    return found


def summary(tests: list[str]) -> str:
    """For each part of a standard: how many cases there are, and where their tests."""
    where, parts = folders(), {begin: (set(), set()) for begin, _ in STANDARDS}
    for test in tests:
        for _, form, reads in KINDS:
            if match := re.fullmatch(form, test):
                case = reads(match)
                begin = next(begin for begin, _ in STANDARDS if case.startswith(begin))
                parts[begin][0].add(case)
                parts[begin][1].add(where.get(test, "made by a macro"))
    text = "| standard and section | cases | their tests |\n|---|---:|---|\n"
    for begin, name in STANDARDS:
        cases, places = parts[begin]
        text += f"| {name} (`{begin}`…) | {len(cases)} | {', '.join(f'`{place}`' for place in sorted(places))} |\n"
    return text + f"| all | {sum(len(cases) for cases, _ in parts.values())} | |\n"


def testing(tests: list[str]) -> str:
    """What the page on tests says, with the table of today."""
    text = TESTING.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + "\n" + summary(tests) + "\n" + END + rest.partition(END)[2]


def main() -> int:
    if sys.argv[1:] not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    tests = names()
    written = {LIST: page(tests), TESTING: testing(tests)}
    if not sys.argv[1:]:
        for path, text in written.items():
            path.write_text(text, encoding="utf-8")
        return 0
    old = [path for path, text in written.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in old:
        print(f"{path.relative_to(ROOT)} is not up to date: run tools/cases.py", file=sys.stderr)
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main())

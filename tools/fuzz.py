#!/usr/bin/env python3
"""A session of fuzzing: runs targets one after the other and adds what came of it to `fuzz/LEDGER.md`.

    python3 tools/fuzz.py [--seconds N] [--runs N] [--minimise] [--no-ledger] [TARGET ...]

Without targets all of `fuzz/Cargo.toml` are run. Each ends after so many seconds (60) or runs, whichever comes
first. What was found before, in `fuzz/corpus/` (not committed), is gone on from. --minimise chooses those of
`fuzz/seeds/` that have no name anew, so that few and short ones reach all that was ever reached. Ends with 1 when
something was found, with 77 where cargo-fuzz is missing.
"""

import argparse
import datetime
import hashlib
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FUZZ = ROOT / "fuzz"
LEDGER = FUZZ / "LEDGER.md"
# The longest input: a datagram of the size that RFC 7252, section 4.6, suggests, and some more.
LONGEST = 1280
# What is longer tells nothing more, and takes its time.
SHORTER = {"coap_tcp": 400, "link_format": 300, "uri": 300, "endpoint_name": 100, "attributes": 200, "exchange": 300}
# The longest seed that is chosen by what it reaches.
SEED = 256
# A row: what it is about, then runs, seconds, edges, findings, notes.
COLUMNS = ("date", "target", "runs", "seconds", "edges", "findings", "note")


def targets() -> list:
    return re.findall(r'^\[\[bin\]\]\nname = "(\w+)"', (FUZZ / "Cargo.toml").read_text(), re.M)


def sessions() -> list:
    """The rows of the ledger's second table."""
    if not LEDGER.exists():
        return []
    rows = LEDGER.read_text().split("## Sessions")[-1].splitlines()
    cells = ([cell.strip() for cell in row.strip("|").split("|")] for row in rows if re.match(r"\| \d", row))
    return [dict(zip(COLUMNS, row)) | {key: int(row[COLUMNS.index(key)].replace(",", ""))
                                       for key in ("runs", "seconds", "edges", "findings")} for row in cells]


def add(row: dict) -> None:
    """Adds a session; those of one target on one day are one row."""
    rows = sessions()
    same = [other for other in rows if (other["date"], other["target"]) == (row["date"], row["target"])]
    if same:
        for key in ("runs", "seconds", "findings"):
            same[0][key] += row[key]
        same[0].update(edges=row["edges"], note=row["note"] or same[0]["note"])
    else:
        rows.append(row)
    LEDGER.write_text(text(rows))


def text(rows: list) -> str:
    lines = [
        "# What was fuzzed, for how long, and what was found",
        "",
        "Written by `tools/fuzz.py`, which adds a session; only what a finding was is noted by hand. A finding becomes a",
        "named test and a seed, so every one that is counted here is mended. Edges are those of the last session, as",
        "libFuzzer counts them. Sessions of a target on one day are one row. Seconds are those of a core, whatever else the",
        "machine did meanwhile; 3,960 of those of 2026-11-30 were still of the clock.",
        "",
        "| target | runs | hours | edges | findings |",
        "|---|---:|---:|---:|---:|",
    ]
    for target in targets():
        own = [row for row in rows if row["target"] == target]
        hours = sum(row["seconds"] for row in own) / 3600
        edges = own[-1]["edges"] if own else 0
        lines.append(f"| {target} | {sum(row['runs'] for row in own):,} | {hours:.2f} | {edges:,} |"
                     f" {sum(row['findings'] for row in own)} |")
    lines += ["", "## Sessions", "", "| date | target | runs | seconds | edges | findings | note |",
              "|---|---|---:|---:|---:|---:|---|"]
    lines += [f"| {row['date']} | {row['target']} | {row['runs']:,} | {row['seconds']:,} | {row['edges']:,} |"
              f" {row['findings']} | {row['note']} |" for row in rows]
    return "\n".join(lines) + "\n"


def build(target: str) -> pathlib.Path:
    environment = os.environ | {"RUSTC_BOOTSTRAP": "1"}
    environment.pop("CARGO_TARGET_DIR", None)
    subprocess.run(["cargo", "fuzz", "build", "-s", "none", target], cwd=FUZZ, env=environment, check=True,
                   stderr=subprocess.PIPE if "-v" not in sys.argv else None)
    return next(FUZZ.glob(f"target/*/release/{target}"))


def processor() -> float:
    """The seconds of a core that finished children have used: what else the machine did meanwhile counts for nothing."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def session(target: str, seconds: int, runs: int) -> dict:
    """Runs one target and says what came of it."""
    binary = build(target)
    corpus, seeds, artifacts = (FUZZ / name / target for name in ("corpus", "seeds", "artifacts"))
    for folder in (corpus, artifacts):
        folder.mkdir(parents=True, exist_ok=True)
    before = set(artifacts.iterdir())
    limits = [f"-max_total_time={seconds}"] * bool(seconds) + [f"-runs={runs}"] * bool(runs)
    begun = processor()
    done = subprocess.run([binary, corpus, seeds, f"-artifact_prefix={artifacts}/", f"-max_len={SHORTER.get(target, LONGEST)}", "-timeout=10",
                           "-rss_limit_mb=2048", "-print_final_stats=1", *limits],
                          cwd=FUZZ, text=True, errors="replace", stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    found = sorted(set(artifacts.iterdir()) - before)
    if done.returncode or found:
        print("\n".join(done.stderr.splitlines()[-30:]), file=sys.stderr)
    for path in found:
        print(f"found: {path}", file=sys.stderr)
    executed = re.findall(r"stat::number_of_executed_units:\s*(\d+)", done.stderr) or re.findall(r"^#(\d+)", done.stderr, re.M)
    edges = re.findall(r"cov: (\d+)", done.stderr)
    notes = re.findall(r"^note: (\d+ %.*)$", done.stderr, re.M)
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "target": target,
        "runs": int(executed[-1]) if executed else 0,
        "seconds": round(processor() - begun),
        "edges": int(edges[-1]) if edges else 0,
        "findings": max(len(found), int(done.returncode != 0)),
        "note": notes[-1] if notes else "",
    }


def minimise(target: str) -> None:
    """Chooses the seeds anew: those with a name, and beside them as few and as short ones as reach all that was reached."""
    binary, seeds = build(target), FUZZ / "seeds" / target
    seeds.mkdir(parents=True, exist_ok=True)
    unnamed = [path for path in seeds.iterdir() if re.fullmatch("[0-9a-f]{8}", path.name)]
    with tempfile.TemporaryDirectory() as folder:
        chosen, choice = pathlib.Path(folder, "chosen"), pathlib.Path(folder, "choice")
        chosen.mkdir()
        choice.mkdir()
        for path in [*unnamed, *(FUZZ / "corpus" / target).glob("*")]:
            if path.stat().st_size <= SEED:
                shutil.copy(path, choice / path.name)
        for path in set(seeds.iterdir()) - set(unnamed):
            shutil.copy(path, chosen / path.name)
        named = set(chosen.iterdir())
        subprocess.run([binary, "-set_cover_merge=1", "-use_counters=0", f"-max_len={LONGEST}", chosen, choice], cwd=FUZZ, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for path in unnamed:
            path.unlink()
        for path in set(chosen.iterdir()) - named:
            shutil.copy(path, seeds / hashlib.sha1(path.read_bytes()).hexdigest()[:8])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("--runs", type=int, default=0)
    parser.add_argument("--minimise", action="store_true")
    parser.add_argument("--no-ledger", action="store_true")
    options = parser.parse_args()
    if shutil.which("cargo-fuzz") is None:
        print("cargo-fuzz is missing: cargo install cargo-fuzz", file=sys.stderr)
        return 77
    seconds = options.seconds or (0 if options.runs else 60)
    findings = 0
    for target in options.targets or targets():
        row = session(target, seconds, options.runs)
        findings += row["findings"]
        print(f"{target:16} {row['runs']:>12,} runs {row['seconds']:>6} s {row['edges']:>6} edges {row['findings']} found"
              f"  {row['note']}", flush=True)
        if not options.no_ledger:
            add(row)
        if options.minimise and not row["findings"]:
            minimise(target)
    return int(findings > 0)


if __name__ == "__main__":
    sys.exit(main())

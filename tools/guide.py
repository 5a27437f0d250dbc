#!/usr/bin/env python3
"""Follows docs/guide.md in an empty folder: its shell blocks that make the package and run it, its files, and Leshan.

    tools/guide.py

What the documentation's tests can't see: the commands, and the terminal on its socket. Exit code 0: all went as the guide
says; 1: it did not; 77: Java, Maven or Leshan is not to be had.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from interop.run import Broken
from interop.servers import Leshan, Skip, fetch_jars

ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "docs/guide.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"`((?:src|examples|tests)/\w+\.rs)`:\s*$")


def shell(command: str, folder: Path) -> None:
    print(f"$ {command.strip()}", flush=True)
    plain = {name: value for name, value in os.environ.items() if name != "CARGO_TARGET_DIR"}
    ran = subprocess.run(["bash", "-euc", command], cwd=folder, env=plain, capture_output=True, encoding="utf-8")
    if ran.returncode:
        raise Broken(f"this failed: {command.strip()}\n{ran.stderr}")


def terminal(leshan: Leshan, folder: Path) -> None:
    """`cargo run`, until it is registered and was read; then Enter."""
    program = subprocess.Popen(
        ["target/debug/pump", leshan.uri], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    )
    try:
        if not leshan.wait_registered(10):
            raise Broken("Leshan knows of no registration")
        battery = leshan.read("/3/0/9", "TLV").content.get("value")
        told, _ = program.communicate("\n", timeout=10)
    except subprocess.TimeoutExpired:
        raise Broken("Enter does not end it") from None
    finally:
        program.kill()
        program.wait()
    print(told, end="")
    if str(battery) != "80":
        raise Broken(f"the battery level is {battery}")
    for text in re.findall(r"^```text\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE):
        for line in text.splitlines():
            if line not in told.splitlines():
                raise Broken(f"the guide says that it prints: {line}")


def follow(leshan: Leshan, folder: Path) -> None:
    (folder / "lwm2m").symlink_to(ROOT)
    package = folder / "pump"
    for block in BLOCK.finditer(GUIDE):
        kind, text = block.groups()
        if kind == "rust":
            name = FILE.search(GUIDE[: block.start()].rstrip() + "\n")
            if not name:
                raise Broken(f"a block of Rust without a file: {text[:60]}")
            (package / name[1]).write_text(text, encoding="utf-8")
        elif kind == "sh" and text.startswith("cargo new"):
            shell(text, folder)
        elif kind == "sh" and text == "cargo run\n":
            shell("cargo build", package)
            terminal(leshan, package)
        elif kind == "sh" and text.startswith("cargo"):
            shell(text, package)


def main() -> int:
    try:
        jars = fetch_jars()
    except Skip as reason:
        print(f"guide.py: skipped: {reason}", file=sys.stderr)
        return 77
    with tempfile.TemporaryDirectory(prefix="guide-") as scratch:
        folder = Path(scratch, "reader")
        folder.mkdir()
        leshan = Leshan(jars, Path(scratch), Path(scratch), "pump-1")
        try:
            leshan.start()
            follow(leshan, folder)
        except Broken as reason:
            print(f"guide.py: {reason}", file=sys.stderr)
            return 1
        finally:
            leshan.stop()
    print("the guide holds")
    return 0


if __name__ == "__main__":
    sys.exit(main())

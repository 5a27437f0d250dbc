#!/usr/bin/env python3
"""The terminal's life against Eclipse Leshan, a server that we did not write.

    tools/leshan.py [--terminal PATH] [--endpoint NAME] [--long] [--only WORDS] [--keep-logs DIR]

Leshan's demo server and its bootstrap server run on the loopback interface, the terminal is their only client. What the
servers report (REST, event stream) is judged, and what the terminal prints; neither is believed without the other. The
transcript goes to standard output. Exit code 0: every step passed; 1: one did not; 77: Java, Maven or Leshan is not to
be had, nothing was tried.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from interop.bench import Bench
from interop.firmware import FIRMWARE
from interop.operations import OPERATIONS
from interop.run import Broken, Steps, Terminal
from interop.scenarios import SCENARIOS
from interop.servers import Bootstrap, Leshan, Skip, fetch_jars
from interop.troubles import LONG_TROUBLES, TROUBLES

ROOT = Path(__file__).resolve().parent.parent
ENDPOINT = "490154203237518;460001234567890;;1.0"
SKIPPED = 77


def build_terminal() -> Path:
    build = ["cargo", "build", "--quiet", "--release", "-p", "lwm2m-core", "--example", "dm_terminal"]
    if subprocess.run(build, cwd=ROOT).returncode:
        sys.exit("leshan.py: dm_terminal does not build")
    return Path(ROOT, os.environ.get("CARGO_TARGET_DIR", "target"), "release", "examples", "dm_terminal")


@contextlib.contextmanager
def bench(options: argparse.Namespace, jars: Path, steps: Steps, logs: Path) -> Iterator[Bench]:
    """The servers of one run, and what starts a terminal; whatever was started has ended when this does."""
    with contextlib.ExitStack() as open_things:
        scratch = Path(open_things.enter_context(tempfile.TemporaryDirectory(prefix="leshan-")))
        server, bootstrap = Leshan(jars, scratch, logs, options.endpoint), Bootstrap(jars, scratch, logs)
        for one in (server, bootstrap):
            open_things.callback(one.stop)
            one.start()
        terminals: list[Terminal] = []

        def start_terminal(endpoint: str, *arguments: str) -> Terminal:
            command = [str(options.terminal), "--bootstrap", bootstrap.uri, "--endpoint", endpoint, "--json", *arguments]
            terminal = Terminal(command, scratch, logs / f"terminal-{len(terminals) + 1}")
            open_things.callback(terminal.close)
            terminals.append(terminal)
            return terminal

        yield Bench(steps, server, bootstrap, options.endpoint, start_terminal, terminals, options.long)


def run(options: argparse.Namespace, jars: Path, steps: Steps, logs: Path) -> None:
    steps.say(f"{options.terminal.name} against Leshan ({jars.name}), endpoint {options.endpoint}")
    scenarios = SCENARIOS | OPERATIONS | FIRMWARE | TROUBLES | (LONG_TROUBLES if options.long else {})
    with bench(options, jars, steps, logs) as tools:
        for title, scenario in scenarios.items():
            if options.only not in title:
                continue
            steps.say(f"\n{title}")
            try:
                tools.prepare()
                scenario(tools)
            except (Broken, OSError) as reason:
                steps.check("the scenario goes on to its end", False, f"it stopped at: {reason}")


def interrupted(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--terminal", type=Path, help="the program; built with cargo when this is missing")
    parser.add_argument("--endpoint", default=ENDPOINT, help="endpoint name (default: %(default)s)")
    parser.add_argument(
        "--long", action="store_true", help="also wait for what takes minutes: an exchange that is given up, the next try"
    )
    parser.add_argument("--only", default="", metavar="WORDS", help="only the scenarios whose title has these words in it")
    parser.add_argument("--keep-logs", type=Path, metavar="DIR", help="logs, the terminal's output and the transcript go here")
    options = parser.parse_args()
    # Both lead to the same orderly end; and a terminal must not inherit an ignored Ctrl-C from a shell's background job.
    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGTERM, interrupted)
    try:
        jars = fetch_jars()
    except Skip as reason:
        print(f"leshan.py: skipped: {reason}", file=sys.stderr)
        return SKIPPED
    options.terminal = options.terminal.resolve() if options.terminal else build_terminal()
    if not os.access(options.terminal, os.X_OK):
        sys.exit(f"leshan.py: {options.terminal} is no program")
    with contextlib.ExitStack() as files:
        logs = options.keep_logs or Path(files.enter_context(tempfile.TemporaryDirectory(prefix="leshan-logs-")))
        logs = logs.resolve()
        logs.mkdir(parents=True, exist_ok=True)
        transcript = files.enter_context((logs / "transcript.txt").open("w", encoding="utf-8"))
        steps = Steps(transcript)
        try:
            run(options, jars, steps, logs)
        except (Broken, KeyboardInterrupt) as reason:
            steps.check("the run goes on to its end", False, reason if isinstance(reason, Broken) else "interrupted")
        steps.say(f"\n{steps.passed} passed, {steps.failed} failed")
        return 1 if steps.failed else 0


if __name__ == "__main__":
    sys.exit(main())

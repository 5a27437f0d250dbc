#!/usr/bin/env python3
"""The terminal against a platform that behaves oddly, in messages that aiocoap writes and reads.

    tools/aiocoap_server.py [--terminal PATH] [--only WORDS] [--keep-logs DIR]

Duplicates, wrong tokens and formats, Resets, separate and late answers, blocks out of order, and datagrams that are no CoAP:
what a well-behaved server never sends. Everything runs on the loopback interface and takes less than two minutes. aiocoap
must be able to read every datagram of the terminal, and to write it again to the same bytes. Exit code 0: every step passed;
1: one did not; 77: aiocoap is missing, nothing was tried.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import signal
import sys
import tempfile
from pathlib import Path

from interop.run import Broken, Steps, Terminal
from leshan import ROOT, SKIPPED, build_terminal, interrupted


def run(options: argparse.Namespace, steps: Steps, logs: Path) -> None:
    # They need aiocoap, and are asked for only when it is there.
    from interop.oddities import ODDITIES
    from interop.peer import Peer
    from interop.table import Table

    for title, scenario in ODDITIES.items():
        if options.only not in title:
            continue
        steps.say(f"\n{title}")
        with contextlib.ExitStack() as open_things:
            peer = open_things.enter_context(contextlib.closing(Peer()))

            def start_terminal(
                *arguments: str, title: str = title, open_things: contextlib.ExitStack = open_things
            ) -> Terminal:
                command = [str(options.terminal), "--json", *arguments]
                terminal = Terminal(command, ROOT, logs / title.replace(" ", "-"))
                open_things.callback(terminal.close)
                return terminal

            try:
                scenario(Table(steps, peer, start_terminal))
            except (Broken, OSError) as reason:
                steps.check("the scenario goes on to its end", False, f"it stopped at: {reason}")
            heard = f"aiocoap reads and rewrites each of {peer.heard} datagrams"
            steps.check(heard, peer.heard and not peer.unreadable, peer.unreadable[:3])


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--terminal", type=Path, help="the program; built with cargo when this is missing")
    parser.add_argument("--only", default="", metavar="WORDS", help="only the scenarios whose title has these words in it")
    parser.add_argument("--keep-logs", type=Path, metavar="DIR", help="the terminal's output and the transcript go here")
    options = parser.parse_args()
    if not importlib.util.find_spec("aiocoap"):
        print("aiocoap_server.py: skipped: aiocoap is missing (pip install aiocoap)", file=sys.stderr)
        return SKIPPED
    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGTERM, interrupted)
    options.terminal = options.terminal.resolve() if options.terminal else build_terminal()
    if not os.access(options.terminal, os.X_OK):
        sys.exit(f"aiocoap_server.py: {options.terminal} is no program")
    with contextlib.ExitStack() as files:
        logs = options.keep_logs or Path(files.enter_context(tempfile.TemporaryDirectory(prefix="aiocoap-logs-")))
        logs = logs.resolve()
        logs.mkdir(parents=True, exist_ok=True)
        steps = Steps(files.enter_context((logs / "transcript.txt").open("w", encoding="utf-8")))
        try:
            run(options, steps, logs)
        except KeyboardInterrupt:
            steps.check("the run goes on to its end", False, "interrupted")
        steps.say(f"\n{steps.passed} passed, {steps.failed} failed")
        return 1 if steps.failed else 0


if __name__ == "__main__":
    sys.exit(main())

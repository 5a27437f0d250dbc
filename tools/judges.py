#!/usr/bin/env python3
"""Shows every datagram of a run to two CoAP decoders that we did not write: tshark and aiocoap.

    tools/judges.py FILE.jsonl... [--port 5683] [--pcap OUT.pcap] [-v]
    tools/judges.py FILE.jsonl --capture FILE.pcapng
    tools/judges.py --selftest

FILE is what `dm_terminal --json` printed; of its events only the datagrams count. tshark must find nothing malformed and
nothing to remark, and must see LwM2M TLV where the Content-Format says so. aiocoap must decode, and encode what we sent
to the same bytes. With --capture, tshark judges what `dm_terminal --pcap` wrote of the same run instead: the same
datagrams at the same times, without those that never came, and remarks beside those that were lost. Exit code 0: no complaint; 1: complaints; 2: the input can't be read; 77: a judge is missing.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

try:
    import aiocoap
    import aiocoap.message
except ImportError:
    aiocoap = None

LWM2M_TLV = 11542
TERMINAL, TERMINAL_PORT = "10.0.0.1", 40000
RAW_IP = 101
SKIPPED = 77

LEGITIMATE = {"Retransmitted"}
"""Remarks of tshark on what a lossy network makes a correct endpoint do."""


@dataclasses.dataclass(frozen=True)
class Datagram:
    sent: bool
    peer: str
    data: bytes
    at_ms: int = 0
    where: str = ""
    fate: str = ""


def read_run(path: Path) -> list[Datagram]:
    """The datagrams of one run, in its order."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        where = f"{path.name}:{number}"
        try:
            event = json.loads(line)
            if event["event"] != "datagram":
                continue
            sent = {"out": True, "in": False}[event["dir"]]
            data = bytes.fromhex(event["hex"])
            found.append(Datagram(sent, str(event["peer"]), data, int(event.get("at_ms", 0)), where, event.get("fate", "")))
        except (ValueError, TypeError, KeyError) as error:
            stop(2, f"{where}: no event of a run: {error!r}")
    return found


# --- pcap -------------------------------------------------------------------------------------------------------------


def ipv4(source: str, target: str, sender: int, receiver: int, data: bytes) -> bytes:
    """An IPv4 packet with one UDP datagram; no UDP checksum, which IPv4 permits."""
    udp = struct.pack("!HHHH", sender, receiver, 8 + len(data), 0) + data
    addresses = bytes(map(int, f"{source}.{target}".split(".")))
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + addresses
    total = sum(struct.unpack("!10H", header))
    total = (total & 0xFFFF) + (total >> 16)
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    return header[:10] + struct.pack("!H", checksum) + header[12:] + udp


def pcap(datagrams: Iterable[Datagram], port: int) -> bytes:
    """A capture in which the terminal talks to one server address for each peer of the run, all on `port`."""
    servers: dict[str, str] = {}
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 0xFFFF, RAW_IP)]
    for datagram in datagrams:
        server = servers.setdefault(datagram.peer, f"10.0.{1 + len(servers) // 250}.{1 + len(servers) % 250}")
        if datagram.sent:
            packet = ipv4(TERMINAL, server, TERMINAL_PORT, port, datagram.data)
        else:
            packet = ipv4(server, TERMINAL, port, TERMINAL_PORT, datagram.data)
        seconds, milliseconds = divmod(datagram.at_ms, 1000)
        out.append(struct.pack("<IIII", seconds, milliseconds * 1000, len(packet), len(packet)) + packet)
    return b"".join(out)


# --- the judges -------------------------------------------------------------------------------------------------------


def ask_tshark(capture: Path, port: int) -> list[dict[str, list[str]]]:
    """What tshark says of each frame; the wishes of the user's own Wireshark are left out."""
    fields = ("frame.protocols", "_ws.malformed", "_ws.expert.severity", "_ws.expert.message")
    fields += ("udp.payload", "udp.checksum.status", "ip.checksum.status", "frame.comment", "frame.time_relative")
    command = ["tshark", "-r", str(capture), "-d", f"udp.port=={port},coap", "-T", "json"]
    command += [argument for field in fields for argument in ("-e", field)]
    command += ["-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
    with tempfile.TemporaryDirectory() as settings:
        environment = {**os.environ, "WIRESHARK_CONFIG_DIR": settings}
        done = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, timeout=600)
    if done.returncode:
        stop(2, f"tshark: {done.stderr.strip() or done.returncode}")
    return [frame["_source"]["layers"] for frame in json.loads(done.stdout)]


def tshark_on(datagram: Datagram, frame: dict[str, list[str]]) -> list[str]:
    """The complaints of tshark about one frame."""
    protocols = frame.get("frame.protocols", [""])[0].split(":")
    complaints = [] if "coap" in protocols else ["not CoAP"]
    remarks = [text for text in frame.get("_ws.expert.message", []) if text not in LEGITIMATE]
    if frame.get("_ws.malformed") and not remarks:
        remarks = ["malformed"]
    complaints += remarks
    if has_whole_tlv(datagram.data) and "lwm2mtlv" not in protocols:
        complaints.append("LwM2M TLV not recognised")
    return [f"tshark: {text}" for text in complaints]


def has_whole_tlv(data: bytes) -> bool:
    """Whether there is a TLV payload that is not a piece of a larger one; what can't be decoded has none."""
    try:
        message = aiocoap.Message.decode(data)
    except Exception:
        return False
    blocks = [block for block in (message.opt.block1, message.opt.block2) if block]
    piece = any(block.more or block.block_number for block in blocks)
    return bool(message.payload) and message.opt.content_format == LWM2M_TLV and not piece


def aiocoap_on(datagram: Datagram) -> list[str]:
    """The complaints of aiocoap about one datagram.

    What a server sent may be written otherwise than aiocoap writes it, so only our own bytes are compared.
    """
    try:
        message = aiocoap.Message.decode(datagram.data)
        if hasattr(aiocoap.message, "Direction"):
            message.direction = aiocoap.message.Direction.OUTGOING  # It encodes nothing that it has received.
        again = message.encode()
    except Exception as error:  # It answers some malformed options with Python's own errors.
        return [f"aiocoap: {type(error).__name__}: {error}"]
    if datagram.sent and again != datagram.data:
        return [f"aiocoap: would write {again.hex()}"]
    return []


def judge_capture(datagrams: Sequence[Datagram], capture: Path, port: int, real: bool = False) -> list[str]:
    """The complaints about a capture of a run that the terminal wrote itself. `real`: in sessions, so that a remark is
    beside each datagram."""
    there = [datagram for datagram in datagrams if datagram.sent or not datagram.fate]
    frames = ask_tshark(capture, port)
    if len(frames) != len(there):
        return [f"{len(frames)} frames for {len(there)} datagrams"]
    complaints = []
    for number, (datagram, frame) in enumerate(zip(there, frames, strict=True), 1):
        first = {field: values[0] for field, values in frame.items()}
        found = tshark_on(datagram, {**frame, "_ws.expert.message": sans_comment(frame)})
        if first.get("udp.payload", "").replace(":", "") != datagram.data.hex():
            found.append("other bytes than in the run")
        # tshark counts from the first frame, in seconds.
        if abs(float(first["frame.time_relative"]) * 1000 - (datagram.at_ms - there[0].at_ms)) > 1:
            found.append(f"at {first['frame.time_relative']} s instead of {datagram.at_ms} ms")
        if (first.get("udp.checksum.status"), first.get("ip.checksum.status", "1")) != ("1", "1"):
            found.append("a checksum is wrong")
        if (real or bool(datagram.fate)) != ("frame.comment" in first):
            found.append("a remark is missing, or there for nothing")
        complaints += [f"frame {number}: {text}" for text in found]
    return complaints


def sans_comment(frame: dict[str, list[str]]) -> list[str]:
    """tshark's remarks, without those that were written into the capture."""
    written = frame.get("frame.comment", [])
    return [text for text in frame.get("_ws.expert.message", []) if text not in written]


def judge(datagrams: Sequence[Datagram], port: int, keep: Path | None = None) -> list[list[str]]:
    """The complaints about each datagram."""
    with tempfile.TemporaryDirectory() as scratch:
        capture = keep or Path(scratch, "run.pcap")
        capture.write_bytes(pcap(datagrams, port))
        frames = ask_tshark(capture, port)
    if len(frames) != len(datagrams):
        stop(2, f"tshark saw {len(frames)} frames of {len(datagrams)}")
    return [tshark_on(datagram, frame) + aiocoap_on(datagram) for datagram, frame in zip(datagrams, frames, strict=True)]


def describe(data: bytes) -> str:
    """One datagram as aiocoap understands it, or its bytes."""
    try:
        message: Any = aiocoap.Message.decode(data)
        options = message.opt
        parts = [message.mtype.name, f"{message.mid:5}", message.token.hex(), str(message.code)]
        for mark, segments in (("/", options.uri_path), ("?", options.uri_query), ("location /", options.location_path)):
            parts += [mark + mark[-1].join(segments)] if segments else []
        for name in ("observe", "block1", "block2", "content_format", "accept"):
            value = getattr(options, name)
            parts += [] if value is None else [f"{name} {int(value) if isinstance(value, int) else value}"]
    except Exception:
        return data.hex()
    parts += [f"+ {len(message.payload)} bytes"] if message.payload else []
    return " ".join(filter(None, parts))


# --- self-test --------------------------------------------------------------------------------------------------------

SELFTEST = {
    # name: (datagram, tshark complains, aiocoap complains)
    "Register, canonical": ("42020001aabb b2 7264 11 28 33 623d55 ff 3c2f332f303e", False, False),
    "answer with TLV, /3/0/9 = 100": ("41450002cc c2 2d16 ff c10964", False, False),
    "empty ACK": ("60000003", False, False),
    "option that ends early": ("40010004 b2 72", True, True),
    "reserved option length": ("40010005 bf 72", True, True),
    "version 2": ("80010006", False, True),
    "token that ends early": ("48010007 0102", True, True),
    "Content-Format with a leading zero": ("40020008 c2 0028 ff 3c2f333e", False, True),
    "TLV that ends early": ("41450009cc c2 2d16 ff c809", True, False),
    "no datagram at all": ("", True, True),
}


def selftest(port: int) -> int:
    """Judges that never complain would prove nothing."""
    datagrams = [Datagram(True, "selftest", bytes.fromhex(text)) for text, _, _ in SELFTEST.values()]
    wrong = 0
    for (name, (_, tshark, other)), complaints in zip(SELFTEST.items(), judge(datagrams, port), strict=True):
        said = tuple(any(text.startswith(who) for text in complaints) for who in ("tshark:", "aiocoap:"))
        good = said == (tshark, other)
        wrong += not good
        print(f"{'PASS' if good else 'FAIL'}  {name}: {'; '.join(complaints) or 'no complaint'}")
    print(f"{len(SELFTEST) - wrong} of {len(SELFTEST)} judged as expected")
    return 1 if wrong else 0


# --- the run ----------------------------------------------------------------------------------------------------------


def stop(code: int, line: str) -> NoReturn:
    print(f"judges.py: {line}", file=sys.stderr)
    sys.exit(code)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE.jsonl", help="output of dm_terminal --json")
    parser.add_argument("--port", type=int, default=5683, help="the servers' port in the capture (default: %(default)s)")
    parser.add_argument("--pcap", type=Path, metavar="OUT.pcap", help="keep the capture")
    parser.add_argument("--capture", type=Path, metavar="FILE.pcapng", help="what dm_terminal --pcap wrote of the run")
    parser.add_argument("--selftest", action="store_true", help="show that each judge tells good from bad")
    parser.add_argument("-v", "--verbose", action="store_true", help="a line for each datagram")
    options = parser.parse_args()
    if not shutil.which("tshark"):
        stop(SKIPPED, "skipped: tshark is missing")
    if aiocoap is None:
        stop(SKIPPED, "skipped: aiocoap is missing")
    if options.selftest:
        return selftest(options.port)
    if not options.files:
        parser.error("a file, or --selftest")
    try:
        datagrams = [datagram for file in options.files for datagram in read_run(file)]
    except OSError as error:
        stop(2, str(error))
    if not datagrams:
        stop(2, "no datagram in the run")
    if options.capture:
        wrong = judge_capture(datagrams, options.capture, options.port)
        print(*wrong, sep="\n", end="\n" if wrong else "")
        print(f"{options.capture.name}: tshark has {len(wrong)} complaints")
        return 1 if wrong else 0
    verdicts = judge(datagrams, options.port, options.pcap)
    for datagram, complaints in zip(datagrams, verdicts, strict=True):
        if options.verbose or complaints:
            arrow = "->" if datagram.sent else "<-"
            print(f"{datagram.where} {datagram.at_ms / 1000:10.3f} s {arrow} {datagram.peer} {describe(datagram.data)}")
        for complaint in complaints:
            print(f"    {complaint} [{datagram.data.hex()}]")
    bad = sum(map(bool, verdicts))
    sent = sum(datagram.sent for datagram in datagrams)
    print(f"{len(datagrams)} datagrams, {sent} sent, {len(datagrams) - sent} received: {bad} with complaints")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

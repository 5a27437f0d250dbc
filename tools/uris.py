#!/usr/bin/env python3
"""Whether aiocoap makes of URIs what `coap-codec/tests/data/uris.json` says that it does.

    python3 tools/uris.py [--write]

The rows of `parsed` and `composed` are kept by hand: what is right, and under `aiocoap` what aiocoap says where
it differs. Those of `sampled` are drawn at random, and their options are those of aiocoap; --write draws them
anew. The tests of coap-codec hold the codec to the same file. Ends with 77 where aiocoap is missing.
"""

import json
import pathlib
import random
import sys

try:
    from aiocoap import GET, Message
    from aiocoap.message import UndecidedRemote
    from aiocoap.numbers.optionnumbers import OptionNumber
except ImportError:
    print("aiocoap is missing: pip install aiocoap", file=sys.stderr)
    sys.exit(77)

FILE = pathlib.Path(__file__).resolve().parent.parent / "coap-codec/tests/data/uris.json"
URI_PORT = 7
SAMPLES = 200


def options(uri: str) -> list:
    """Number and text of each option that the URI becomes."""
    message = Message(code=GET, uri=uri)
    rows = []
    for option in message.opt.option_list():
        value = option.encode()
        text = str(int.from_bytes(value, "big")) if option.number == URI_PORT else value.decode()
        rows.append([int(option.number), text])
    return rows


def uri(rows: list) -> str:
    """What these options make of a request to 192.0.2.1."""
    message = Message(code=GET)
    message.remote = UndecidedRemote("coap", "192.0.2.1")
    for number, text in rows:
        value = int(text).to_bytes(2, "big") if number == URI_PORT else text.encode()
        message.opt.add_option(OptionNumber(number).create_option(decode=value))
    return message.get_request_uri()


def sample(source: random.Random) -> str:
    """A URI without dot segments and empty queries, of which the rows above speak."""
    plain = "abcXYZ019-._~!$'()*+,;:@="
    encoded = ["%2F", "%3f", "%26", "%20", "%25", "%23", "%00", "%C3%BC", "%e2%82%ac", "%F0%9F%98%80", "%41", "%2e"]

    def text(characters: str) -> str:
        while True:
            made = "".join(source.choice(encoded) if source.random() < 0.2 else source.choice(characters)
                           for _ in range(source.randrange(9)))
            if made.lower().replace("%2e", ".") not in (".", ".."):
                return made

    path = "".join("/" + text(plain) for _ in range(source.randrange(5)))
    arguments = [text(plain + "/?") for _ in range(source.randrange(4))]
    query = "?" + "&".join(arguments) if any(arguments) else ""
    return f"coap://{source.choice(['192.0.2.1', 'dm.example', 'DM.Example', 'a-1.b_2~'])}{path or '/'}{query}"


def main() -> int:
    rows = json.loads(FILE.read_text())
    if sys.argv[1:] == ["--write"]:
        source = random.Random(7252)
        rows["sampled"] = [{"uri": made, "options": options(made)} for made in (sample(source) for _ in range(SAMPLES))]
        lists = (f' "{name}": [\n' + ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in rows[name]) + "\n ]"
                 for name in ("parsed", "composed", "sampled"))
        FILE.write_text(f'{{\n "note": {json.dumps(rows["note"])},\n' + ",\n".join(lists) + "\n}\n")
    wrong = []
    for row in [*rows["parsed"], *rows["sampled"]]:
        claimed, actual = row.get("aiocoap", row["options"]), options(row["uri"])
        if claimed != actual:
            wrong.append(f"{row['uri']}: {actual}, not {claimed}")
    for row in rows["composed"]:
        claimed, actual = row.get("aiocoap", row["uri"]), uri(row["options"])
        if claimed != actual:
            wrong.append(f"{row['options']}: {actual}, not {claimed}")
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{sum(len(rows[name]) for name in ('parsed', 'composed', 'sampled'))} rows, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""What Leshan never does to a terminal, and another server may: by the sections of RFC 7252, 7641 and 7959."""

from __future__ import annotations

from collections.abc import Callable

from interop.odd_observations import observations, unconfirmed_observations
from interop.odd_registrations import bootstrap, registration
from interop.odd_requests import blocks, duplicates, no_messages, refusals
from interop.table import Table

ODDITIES: dict[str, Callable[[Table], None]] = {
    "registration": registration,
    "bootstrap": bootstrap,
    "duplicates": duplicates,
    "refusals": refusals,
    "datagrams that are no messages": no_messages,
    "observations": observations,
    "observations without acknowledgement": unconfirmed_observations,
    "blocks": blocks,
}

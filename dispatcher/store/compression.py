"""What is stored many times over, made small: deflate with a dictionary of the words that documents repeat.

Field names and codes are most of a request; with a dictionary they cost a few bits each, although every
document stands alone. A compressed value begins with MARK, which no MessagePack map or array begins with, so
plain ones are told apart and stay readable. The dictionary is part of the stored form: never change it; a
better one is another number.
"""

from __future__ import annotations

import zlib

import msgspec

LEAST_BYTES = 160  # what is smaller gains less than a bulk string's own overhead: not worth the time
MARK = b"\x01"  # dictionary 1
# Raw deflate over 2 KB, 4 to 7 us a document, 1 to undo; level 6 takes a fifth longer for half a percent.
_WINDOW, _MEMORY, _LEVEL = -11, 2, 3

# Words as they follow each other, the rarest first: what is near the end is cheapest to point at.
_WORDS = """
PROVIDER_ADMIN_CANCEL INVALID_DROPOFF_ADDRESS INVALID_PICKUP_ADDRESS INVALID_SERVICE_HOURS INVALID_USER
NOT_IN_SERVICE_AREA WRONG_SERVICE_LEVEL UNABLE_TO_SERVICE_TRIP BAD_WEATHER NO_VEHICLES_AVAILABLE
CANCEL_AT_DOOR NO_CLIENT NOT_READY OTHER relaxations kind penalty vendor_cap units amount minutes
competition last_rule_alone explained_at vendors removed vendor_record service_area level_of_service skills
needs hours credentials exclusions paused pools capacity time_window last_rule record_number MRN- notes
preferred_vendors excluded_vendors match_by hold authorization predecessor appointment_at service_minutes
infectious_precautions oxygen_l_min attendants hand_to_hand door_to_door bariatric_wheelchair stretcher
als cct bls ambulatory stat asap urgent priority respiratory_therapist equipment_education skills NU
acquisition setup_minutes quantity E1390 E0260 K0001 hcpcs lines equipment kind place window
turned_back expired rejected cancelled failed unmatched no_show completed on_board at_pickup en_route
in_progress timer preference record lateness price rule cost_cents vendor_id start_at cost_cents
requested overdue matching platform received offered matcher accepted vendor:
patient name phone +1 pickup_address Street, New York, NY 100 Avenue, apartment dropoff_address
kind trip id pickup position dropoff position level_of_service wheelchair pickup_window earliest latest
needs escorts stairs weight_kg door_level door_through_door
"""
_DICTIONARY = b"".join(map(msgspec.msgpack.encode, _WORDS.split()))


_PRIMED = zlib.compressobj(  # a copy of it costs a third of a new one
    _LEVEL, zlib.DEFLATED, _WINDOW, _MEMORY, zlib.Z_DEFAULT_STRATEGY, _DICTIONARY
)


def compress(plain: bytes) -> bytes:
    """`plain`, a MessagePack map or array, as it is stored: unchanged where that gains nothing."""
    if len(plain) < LEAST_BYTES:
        return plain
    deflate = _PRIMED.copy()
    small = MARK + deflate.compress(plain) + deflate.flush()
    return small if len(small) < len(plain) else plain


def decompress(stored: bytes | memoryview) -> bytes | memoryview:
    """What was compressed. Raises msgspec.DecodeError if it is damaged."""
    if stored[:1] != MARK:
        return stored
    try:
        return zlib.decompressobj(_WINDOW, _DICTIONARY).decompress(stored[1:])
    except zlib.error as error:
        raise msgspec.DecodeError(str(error)) from error

"""Dictionary 1: of what earlier versions stored with deflate. Part of the stored form: never change it."""

from __future__ import annotations

import msgspec

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
DICTIONARY_1 = b"".join(map(msgspec.msgpack.encode, _WORDS.split()))

"""The patient block of a request: who it is, how to reach them, where the doors are in words."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from contracts.base import Name, Wire
from contracts.notifications import Contact
from contracts.outside import refuse_no_name, refuse_no_number

Text = Annotated[str, Meta(max_length=500)]


class Patient(Wire):
    """Patient data, encrypted at rest. The vendor that has the work sees it; who else looks is kept."""

    name: Name
    phone: Annotated[str, Meta(max_length=40, description="a telephone number; it has a digit")] = ""
    pickup_address: Text = ""
    dropoff_address: Text = ""
    record_number: Annotated[str, Meta(max_length=64)] = ""  # no vendor sees it
    notes: Text = ""
    contact: Contact | None = None  # how the patient wants to be told; no vendor sees it

    def refuse_from_outside(self, pointer: str = "") -> None:
        """Refuse a name that cannot be read, a phone that cannot be called, and what the contact refuses."""
        refuse_no_name(f"{pointer}/name", self.name)
        if self.phone:
            refuse_no_number(f"{pointer}/phone", self.phone)
        if self.contact is not None:
            self.contact.refuse_from_outside(f"{pointer}/contact")

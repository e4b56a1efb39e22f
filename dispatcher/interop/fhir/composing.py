"""A message of ours as it is put together, and where in the resource each part of it stood."""

from __future__ import annotations

from typing import Any, TypeVar

from contracts import codec
from contracts.base import Wire
from contracts.problems import FieldError, InvalidMessage

Form = TypeVar("Form", bound=Wire)


class Composing:
    """Fields by name, as plain values. What our message refuses is told where the resource has it."""

    def __init__(self, kind: str, name: str) -> None:
        self.ours: dict[str, Any] = {"kind": kind, "id": name}
        self._origins: dict[str, str] = {}

    def put(self, field: str, value: Any, pointer: str) -> None:
        """A field, which stood there. A part of one (`patient/notes`) goes into what is there."""
        self._origins[f"/{field}"] = pointer
        node, (*path, last) = self.ours, field.split("/")
        for step in path:
            node = node.setdefault(step, {})
        node[last] = value

    def add(self, field: str, value: Any, pointer: str) -> None:
        """One more of a field that has several."""
        values = self.ours.setdefault(field, [])
        self._origins.setdefault(f"/{field}", pointer)
        self._origins[f"/{field}/{len(values)}"] = pointer
        values.append(value)

    def message(self, form: Any) -> Any:
        """The message. Raises InvalidMessage, at places of the resource."""
        try:
            return codec.convert(self.ours, form)
        except InvalidMessage as error:
            raise self.told(error) from None

    def told(self, error: InvalidMessage) -> InvalidMessage:
        """The same of the resource that the message was made of."""
        places = [self.origin(each.pointer) for each in error.facts.get("errors", ())]
        details = [each.detail for each in error.facts.get("errors", ())]
        found = [FieldError(place, detail) for place, detail in zip(places, details, strict=True)]
        if not found:
            return error
        return InvalidMessage(f"{found[0].pointer or 'the body'}: {found[0].detail}", errors=found)

    def origin(self, pointer: str) -> str:
        """Where what stands there in our message stood in the resource."""
        while pointer and pointer not in self._origins:
            pointer = pointer.rpartition("/")[0]
        return self._origins.get(pointer, "")

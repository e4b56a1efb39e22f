"""What a vendor can do on one day: a union of the kinds of capacity, each in a file of its own.

Which files a further kind needs is said in docs/decisions/0008-capacity-kinds.md.
"""

from __future__ import annotations

from contracts.pools import Pools

Capacity = Pools  # one kind so far; the next makes it a union: Pools | Fleet

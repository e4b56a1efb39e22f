"""A day that is played: vendors' behaviour, a platform, an agenda, over public interfaces only.

The demo and the benchmarks play on it; it imports the clients and the messages, nothing of the service.
"""

DISTRIBUTION = "dispatcher"  # others may be called so too: `dispatcher` looks at its start

"""A small async client for platforms and vendors, over HTTP and over Redis streams, typed by `contracts`.

It shares nothing with the service but `contracts`: it sees what any outsider sees.
"""

DISTRIBUTION = "dispatcher"  # others may be called so too: `dispatcher` looks at its start

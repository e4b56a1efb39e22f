"""How messages travel: vendors' replies in, streams out to the browser."""

"""HTTP: routes declared in one table, one entry for every call, small handlers."""

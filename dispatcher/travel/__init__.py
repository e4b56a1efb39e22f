"""How long rides take by road: a routing server is asked in the background and never waited for."""

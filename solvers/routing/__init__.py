"""Routes of vehicles: pick-up and delivery with time windows, limits on rides and on routes."""

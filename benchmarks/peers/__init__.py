"""What else an engineer could reach for, on the same arrays."""

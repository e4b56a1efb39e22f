"""Who calls and what is secret: tokens, principals, key files, the vault of patient data."""

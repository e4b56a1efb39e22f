"""What other systems speak, mapped to commands and calls that exist: a language a folder, a subject a file."""

"""What other systems speak, mapped to the calls and commands there are: a language a folder."""

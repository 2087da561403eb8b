"""Clean data in, dirt of known kind and place out: one injector a file."""

"""The commands, a module for each group; each calls one function elsewhere."""

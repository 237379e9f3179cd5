"""All that is particular to a document, one module each; nothing about orders."""

"""The runner: executes the book's chapters, checks what came out, and builds the pages from it."""

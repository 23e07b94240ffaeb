"""Records from tables (import) and tables from records (export), through the one way to write and the one to read."""

"""The past on files: built from a store, looked back at by one process and by many."""

"""Changes of incidents -> whoever subscribed: spread, claim, send, mark. I/O."""

"""Free text -> provider, service, symptom, place and time, each with its confidence. Pure."""

from ingest.text.reader import Find, Reader, Reading

__all__ = ["Find", "Reader", "Reading"]

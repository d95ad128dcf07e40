"""The errors that a user may meet. Their text is one sentence: what was wrong, where, what to do."""


class NetzlageError(Exception):
    """Something a person can mend; the command prints its text and exits 1."""


class SettingsError(NetzlageError):
    """A setting is unknown or has a value that cannot be used."""


class DataError(NetzlageError):
    """A file of data/ or one handed in by the user is missing, half written or not what it claims."""


class StoreError(NetzlageError):
    """The database cannot be opened, is locked, full or from another version.

    `state`: what is wrong in a word or two without paths, for those who watch over us; "": no passing state.
    """

    state: str = ""


class StoreBusy(StoreError):  # noqa: N818 - reads as the state it names
    """The database takes nothing in at the moment, and its keeper has said why: the same can be sent again soon."""


class LeaseLost(StoreError):  # noqa: N818 - reads as the state it names
    """Another worker has taken over the job in whose name something was to be stored: nothing of it was."""


class LeaseHeld(NetzlageError):  # noqa: N818
    """Another process does the job at this moment."""


class FeedError(NetzlageError):
    """A feed could not be heard. `retry_after`: seconds for which the server asks to be left alone, 0: none."""

    retry_after: float = 0.0


class FeedUnreachable(FeedError):  # noqa: N818 - reads as the state it names
    """No answer in time, or an answer that only says that it failed: nothing is known of the feed's content."""


class FeedBlocked(FeedError):  # noqa: N818
    """The server answers, but will not let us listen (rate limit, challenge page, refused token)."""


class FeedChanged(FeedError):  # noqa: N818
    """The server answers in a form that we do not know: a field is gone, it is not the format it was."""

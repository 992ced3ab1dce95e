"""What is kept out of the logs."""

import logging
import re

_PATHS = ("/embargoed/", "/subscribe/", "/unsubscribe/")
_SECRET = re.compile(r"(/(?:embargoed|unsubscribe|subscribe(?:/choices)?)/)[^/\s\"'?]+")


class WithoutTokens(logging.Filter):
    """Blots out the token wherever a log line has an address that is a key.

    It opens a copy under embargo, or what somebody on the mailing list gets.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Take the token out of the line; every line is kept."""
        said = record.getMessage()
        if any(path in said for path in _PATHS):
            record.msg, record.args = _SECRET.sub(r"\1…", said), None
        return True

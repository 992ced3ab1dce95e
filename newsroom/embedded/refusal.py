"""The one exception whose words are meant for the person who typed the command."""


class Refusal(Exception):
    """Why Newsroom does not start, as one sentence that says what to do about it."""

"""A newsroom in Wagtail, as its own documentation has people begin: the peer of the story page."""

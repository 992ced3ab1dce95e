"""`python -m newsroom.embedded`: start Newsroom and keep it running."""

import sys

from newsroom.embedded.supervisor import main

sys.exit(main())

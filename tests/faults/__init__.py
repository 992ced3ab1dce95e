"""Faults in a whole newsroom of real processes: what is killed, frozen or set wrong, and what comes of it.

`test_faults` runs each a few times, `python -m benchmarks faults --times 50` as often as you like: the same
code. Nothing in the product knows of it. A worker is stopped at a step by what the step needs: a lock in
PostgreSQL, a commit that waits for a standby that is not there, a broker that is frozen, a mail server that
does not answer.
"""

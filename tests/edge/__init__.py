"""What stands in front of the newsroom."""

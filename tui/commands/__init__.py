"""What each command of `tunesmith` does; one file a command or a family of them."""

"""What the person meets: the command line, the console and the wizard. All knowledge lives in `tunesmith.core`."""

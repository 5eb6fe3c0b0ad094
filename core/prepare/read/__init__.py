"""From what a person names to records: a file, a folder, a pattern, a data set or a database; one file a format.

`load.read_records` is the way in. `formats` tells what is readable and costs nothing to import; the rest loads pyarrow.
"""

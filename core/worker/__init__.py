"""What runs inside a job: the loop over the stages, and what several stages need of torch and transformers.

Only this package and the modules of a stage whose name begins with `job` import the heavy libraries.
"""

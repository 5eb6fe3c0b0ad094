"""What runs inside a job: the loop over the stages, and what several stages need of torch and transformers.

Only this package and the `job.py` of each stage import the heavy libraries; nothing else imports them.
"""

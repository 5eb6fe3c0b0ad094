from tunesmith.core.evaluate.metrics import exact_match as exact_match
from tunesmith.core.evaluate.metrics import token_f1 as token_f1

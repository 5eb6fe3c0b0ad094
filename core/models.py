from tunesmith.core.select.models import find_model as find_model

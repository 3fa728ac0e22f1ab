"""The supervised start: what `manage.py up` makes, builds, starts, watches and stops.

Nothing here imports Django's models at import time: the start decides what the settings will read (see `environment`),
so it runs before them.
"""

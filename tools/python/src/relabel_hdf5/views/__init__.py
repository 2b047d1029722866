"""Labels of crops: which view of which picture each row is, and replaying them in training."""

from .table import ViewTable

__all__ = ["ViewTable"]

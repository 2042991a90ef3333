"""Invented raw data of a wholesaler: two ERPs, one CRM and one 3PL, in the shape of the raw contract."""

from .contract import FAULT_COLUMNS, TABLES
from .production import Chunk, generate, table_names, write
from .settings import Settings

__all__ = ["FAULT_COLUMNS", "TABLES", "Chunk", "Settings", "generate", "table_names", "write"]

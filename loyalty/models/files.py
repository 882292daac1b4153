"""What files of tables are."""

from django.db import models


class FileFormat(models.TextChoices):
    """What a file is."""

    CSV = "csv", "CSV"
    JSON_LINES = "jsonl", "JSON Lines"
    PARQUET = "parquet", "Parquet"
    XLSX = "xlsx", "Excel (XLSX)"

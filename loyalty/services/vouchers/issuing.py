"""Giving vouchers to members: in bulk, within the caller's transaction."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection

from loyalty.models import (
    CodeSource,
    Voucher,
    VoucherStatus,
    VoucherType,
)
from loyalty.services.vouchers.codes import make_codes
from loyalty.services.vouchers.refusals import UnknownVoucherType, VoucherCodesSpent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Order(NamedTuple):
    """One voucher to be given.

    ``at`` is the moment it counts as given: the days it is valid run from there.
    ``activity_id`` names the activity or interaction that earned it.
    """

    program_id: int
    voucher_type_id: int
    member_id: int
    offer_id: int | None
    activity_id: int | None
    at: datetime


class _Given(NamedTuple):
    """The row of a voucher as the statements below take it, column by column."""

    place: int
    code: str
    order: Order
    voucher_type: VoucherType
    expires_at: datetime | None


def stock_of(
    voucher_type_ids: Iterable[int], *, lock: bool = True
) -> dict[int, int | None]:
    """Return the codes left of each type; None where codes are made when given.

    With ``lock`` (the default) the stock is locked by primary key until the
    transaction ends: what is found is there to be given. Lock members before, and
    the usage of campaigns after.

    Raises:
        UnknownVoucherType: there is no such type.
    """
    wanted = sorted(set(voucher_type_ids))
    found: dict[int, int | None] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.id, t.codes = 'listed', s.codes_left FROM loyalty_vouchertype t"
            " LEFT JOIN loyalty_voucherstock s ON s.voucher_type_id = t.id"
            " WHERE t.id = ANY(%s)",
            [wanted],
        )
        for type_id, is_listed, codes_left in cursor.fetchall():
            found[type_id] = (codes_left or 0) if is_listed else None
        listed = [type_id for type_id in wanted if found.get(type_id) is not None]
        if lock and listed:
            # A row read before it was locked may be out of date: read it again.
            cursor.execute(
                "SELECT voucher_type_id, codes_left FROM loyalty_voucherstock"
                " WHERE voucher_type_id = ANY(%s) ORDER BY voucher_type_id"
                " FOR NO KEY UPDATE",
                [listed],
            )
            found.update(cursor.fetchall())
    _refuse_unknown(wanted, found)
    return found


def issue(orders: Sequence[Order], *, now: datetime) -> list[Voucher]:
    """Give the vouchers that are ordered and return them in that order.

    Codes that are made cannot be guessed; of a list each order gets a code that
    nobody had, oldest first. The number of statements depends on neither the
    number of orders nor that of types. Call it within a transaction, with the
    members locked; locks the stock of the lists by primary key.

    Raises:
        UnknownVoucherType: the program of an order has no such type.
        VoucherCodesSpent: a list has fewer codes left than are ordered; nothing
            was given. ``stock_of`` tells before.
    """
    if not orders:
        return []
    types = _types_of(orders)
    made: list[_Given] = []
    listed: list[_Given] = []
    for place, order in enumerate(orders):
        voucher_type = types[order.voucher_type_id]
        is_listed = voucher_type.codes == CodeSource.LISTED
        given = _Given(
            place, "", order, voucher_type, expiry_of(voucher_type, order.at)
        )
        (listed if is_listed else made).append(given)

    vouchers: dict[int, Voucher] = {}
    if made:
        vouchers |= _make(made, now)
    if listed:
        vouchers |= _take(listed, now)
    return [vouchers[place] for place in range(len(orders))]


def expiry_of(voucher_type: VoucherType, given_at: datetime) -> datetime | None:
    """Return the first instant at which a voucher given then is not valid."""
    ends = []
    if voucher_type.expires_at is not None:
        ends.append(voucher_type.expires_at)
    if voucher_type.expiry_days is not None:
        ends.append(given_at + timedelta(days=voucher_type.expiry_days))
    return min(ends, default=None)


def _types_of(orders: Sequence[Order]) -> dict[int, VoucherType]:
    wanted = {order.voucher_type_id for order in orders}
    types = VoucherType.objects.in_bulk(wanted)
    _refuse_unknown(sorted(wanted), types)
    for order in orders:
        if types[order.voucher_type_id].program_id != order.program_id:
            raise _unknown_type(order.voucher_type_id)
    return types


def _refuse_unknown(wanted: Iterable[int], found: Mapping[int, Any]) -> None:
    for type_id in wanted:
        if type_id not in found:
            raise _unknown_type(type_id)


def _unknown_type(type_id: int) -> UnknownVoucherType:
    return UnknownVoucherType(f"There is no voucher type {type_id}.")


# The arrays of _columns; a voucher is born claimed if its type says so.
_ROWS = (
    "SELECT * FROM unnest(%s::int[], %s::text[], %s::bigint[], %s::bigint[],"
    " %s::bigint[], %s::bigint[], %s::bigint[], %s::numeric[], %s::numeric[],"
    " %s::timestamptz[], %s::timestamptz[], %s::boolean[]) AS r(place, code,"
    " program_id, voucher_type_id, member_id, offer_id, activity_id, amount, ratio,"
    " issued_at, expires_at, is_claimed)"
)
_LOG = (
    "logged AS (INSERT INTO loyalty_voucherevent"
    " (voucher_id, kind, amount, basket_code, actor, reason, created_at)"
    " SELECT g.id, 'issued', g.amount_original, '', '', '',"
    " %s::timestamptz FROM given g)"
)
_MAKE = (
    f"WITH r AS ({_ROWS}), given AS ("  # noqa: S608 (fixed words)
    "INSERT INTO loyalty_voucher (program_id, voucher_type_id, code, status,"
    " member_id, offer_id, activity_id, amount_original, amount_redeemed,"
    " discount_ratio, issued_at, claimed_at, expires_at, locked_for_basket,"
    " locking_code, redeemed_for_basket, redemption_key, created_at)"
    " SELECT r.program_id, r.voucher_type_id, r.code,"
    " CASE WHEN r.is_claimed THEN 'claimed' ELSE 'generated' END, r.member_id,"
    " r.offer_id, r.activity_id, r.amount, 0, r.ratio, r.issued_at,"
    " CASE WHEN r.is_claimed THEN %s::timestamptz END, r.expires_at, '', '', '', '',"
    " %s::timestamptz FROM r ORDER BY r.place"
    " ON CONFLICT DO NOTHING"
    f" RETURNING id, program_id, code, amount_original), {_LOG}"
    " SELECT r.place, g.id, g.code FROM given g JOIN r USING (program_id, code)"
)
_TAKE = (
    f"WITH r AS ({_ROWS}), numbered AS (SELECT r.*, row_number() OVER"  # noqa: S608 (fixed words)
    " (PARTITION BY r.voucher_type_id ORDER BY r.place) AS nth FROM r),"
    " wanted AS (SELECT voucher_type_id, count(*) AS n FROM r GROUP BY 1),"
    " free AS (SELECT w.voucher_type_id, f.id, row_number() OVER"
    " (PARTITION BY w.voucher_type_id ORDER BY f.id) AS nth"
    " FROM wanted w CROSS JOIN LATERAL (SELECT v.id FROM loyalty_voucher v"
    " WHERE v.voucher_type_id = w.voucher_type_id AND v.status = 'available'"
    " ORDER BY v.id LIMIT w.n) f),"
    " given AS (UPDATE loyalty_voucher v SET"
    " status = CASE WHEN n.is_claimed THEN 'claimed' ELSE 'generated' END,"
    " member_id = n.member_id, offer_id = n.offer_id, activity_id = n.activity_id,"
    " amount_original = n.amount, discount_ratio = n.ratio, issued_at = n.issued_at,"
    " claimed_at = CASE WHEN n.is_claimed THEN %s::timestamptz END,"
    " expires_at = n.expires_at"
    " FROM free JOIN numbered n USING (voucher_type_id, nth)"
    " WHERE v.id = free.id"
    f" RETURNING n.place, v.id, v.code, v.amount_original), {_LOG},"
    " counted AS (UPDATE loyalty_voucherstock s SET codes_left = s.codes_left - w.n"
    " FROM wanted w WHERE w.voucher_type_id = s.voucher_type_id)"
    " SELECT place, id, code FROM given"
)


def _make(rows: list[_Given], now: datetime) -> dict[int, Voucher]:
    """Store vouchers with codes of their own; a code that is taken is made anew."""
    vouchers: dict[int, Voucher] = {}
    while rows:
        coded = _with_codes(rows)
        vouchers |= _stored(coded, _MAKE, [*_columns(coded), now, now, now], now)
        rows = [row for row in rows if row.place not in vouchers]
    return vouchers


def _with_codes(rows: list[_Given]) -> list[_Given]:
    """Return the rows with fresh codes, each code once; equal ones wait."""
    coded: dict[tuple[int, str], _Given] = {}
    for row in rows:
        (code,) = make_codes(row.voucher_type.prefix, 1)
        coded.setdefault((row.order.program_id, code), row._replace(code=code))
    return list(coded.values())


def _take(rows: list[_Given], now: datetime) -> dict[int, Voucher]:
    """Give each row the oldest code of its list that nobody has."""
    wanted = Counter(row.order.voucher_type_id for row in rows)
    left = stock_of(wanted)
    for type_id, count in wanted.items():
        codes_left = left[type_id] or 0
        if codes_left < count:
            raise VoucherCodesSpent(
                f"{codes_left} codes are left, and {count} vouchers were to be given.",
                voucher_type=type_id,
                codes_left=codes_left,
            )
    return _stored(rows, _TAKE, [*_columns(rows), now, now], now)


def _stored(
    rows: list[_Given], statement: str, parameters: list[Any], now: datetime
) -> dict[int, Voucher]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        numbers = {place: (pk, code) for place, pk, code in cursor.fetchall()}
    return {
        row.place: _voucher(row, *numbers[row.place], now)
        for row in rows
        if row.place in numbers
    }


def _columns(rows: list[_Given]) -> list[list[Any]]:
    return [
        list(column)
        for column in zip(
            *(
                (
                    row.place,
                    row.code,
                    row.order.program_id,
                    row.order.voucher_type_id,
                    row.order.member_id,
                    row.order.offer_id,
                    row.order.activity_id,
                    row.voucher_type.amount,
                    row.voucher_type.discount_ratio,
                    row.order.at,
                    row.expires_at,
                    row.voucher_type.claimed_by_default,
                )
                for row in rows
            ),
            strict=True,
        )
    ]


def _voucher(row: _Given, pk: int, code: str, now: datetime) -> Voucher:
    """Return what was stored, without reading it again."""
    is_claimed = row.voucher_type.claimed_by_default
    voucher = Voucher(
        pk=pk,
        program_id=row.order.program_id,
        voucher_type=row.voucher_type,
        code=code,
        status=VoucherStatus.CLAIMED if is_claimed else VoucherStatus.GENERATED,
        member_id=row.order.member_id,
        offer_id=row.order.offer_id,
        activity_id=row.order.activity_id,
        amount_original=row.voucher_type.amount,
        discount_ratio=row.voucher_type.discount_ratio,
        issued_at=row.order.at,
        claimed_at=now if is_claimed else None,
        expires_at=row.expires_at,
        created_at=now,
    )
    voucher._state.adding = False
    return voucher

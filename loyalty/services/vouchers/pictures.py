"""QR codes of vouchers, for screens and for print."""

from __future__ import annotations

import io

import segno

_PIXELS_PER_MODULE = 8


def svg_of(code: str) -> bytes:
    """Return an SVG of any size whose QR code holds the voucher's code."""
    picture = io.BytesIO()
    _qr(code).save(
        picture, kind="svg", scale=6, xmldecl=False, title=code, light="#fff"
    )
    return picture.getvalue()


def png_of(code: str) -> bytes:
    """Return a PNG in black and white whose QR code holds the voucher's code."""
    picture = io.BytesIO()
    _qr(code).save(picture, kind="png", scale=_PIXELS_PER_MODULE)
    return picture.getvalue()


def _qr(code: str) -> segno.QRCode:
    # Never a Micro QR code: few scanners of tills read those.
    return segno.make_qr(code, error="m")

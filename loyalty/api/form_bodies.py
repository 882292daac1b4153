"""Reading forms: the names and texts as they were sent, once or several times."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from django.http import QueryDict
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from rest_framework.parsers import BaseParser

from loyalty.api.bodies import check_storable
from loyalty.api.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping


class FormParser(BaseParser):
    """Reads ``a=1&b=2`` into a ``QueryDict``."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> QueryDict:
        """Return the fields; the edge has bounded the size."""
        return _checked(QueryDict(stream.body))


class MultipartParser(BaseParser):
    """Reads the fields of a multipart form into a ``QueryDict``; ignores files."""

    media_type = "multipart/form-data"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> QueryDict:
        """Return the fields; the edge has bounded the size.

        Raises:
            Problem: 400, the parts cannot be told apart.
        """
        try:
            fields, files = MultiPartParser(
                stream.META, BytesIO(stream.body), stream.upload_handlers
            ).parse()
        except MultiPartParserError as error:
            raise Problem(400, "malformed_form", str(error)) from None
        for _, some in files.lists():
            for file in some:
                file.close()
        return _checked(fields)


def _checked(fields: QueryDict) -> QueryDict:
    check_storable(dict(fields.lists()))
    return fields

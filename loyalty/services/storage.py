"""Files that are kept whole or not at all."""

from __future__ import annotations

from typing import Any

from django.core.files.storage import FileSystemStorage


class WholeFiles(FileSystemStorage):
    """The data folder; of a file that does not fit nothing is left."""

    def _save(self, name: str, content: Any) -> str:
        was_there = self.exists(name)
        try:
            saved: str = super()._save(name, content)  # type: ignore[misc]  # the stubs lack it
        except BaseException:
            if not was_there:
                self.delete(name)
            raise
        return saved

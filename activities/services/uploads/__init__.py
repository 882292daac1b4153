"""Use cases of files of activities, from their arrival to their undoing."""

from activities.services.uploads.answering import (
    REREADABLE,
    answer_questions,
    mapping_with,
    read_anew,
    reading_of,
    save_mapping,
)
from activities.services.uploads.layout import REQUIRED_COLUMNS
from activities.services.uploads.mapping.previewing import preview
from activities.services.uploads.mapping.questions import asked
from activities.services.uploads.mapping.values import (
    InvalidMapping,
    Mapping,
    mapping_of,
)
from activities.services.uploads.progress import UploadProgress, upload_progress
from activities.services.uploads.refusals import (
    NothingToRecord,
    OtherProgram,
    UnusableFile,
    UploadNotReady,
)
from activities.services.uploads.refused_file import RefusedFile, refused_file
from activities.services.uploads.running import run_chunks, run_chunks_in_threads
from activities.services.uploads.steps import (
    UploadOptions,
    cancel_upload,
    check_again,
    clear_ended_upload,
    confirm_upload,
    create_upload,
    pause_upload,
    resume_upload,
    undo_upload,
)
from activities.services.uploads.sweeping import (
    Stalled,
    stalled_uploads,
    useful_task_count,
)
from activities.services.uploads.undoing import undo_chunks
from activities.services.uploads.validation import validate_upload

__all__ = [
    "REQUIRED_COLUMNS",
    "REREADABLE",
    "InvalidMapping",
    "Mapping",
    "NothingToRecord",
    "OtherProgram",
    "RefusedFile",
    "Stalled",
    "UnusableFile",
    "UploadNotReady",
    "UploadOptions",
    "UploadProgress",
    "answer_questions",
    "asked",
    "cancel_upload",
    "check_again",
    "clear_ended_upload",
    "confirm_upload",
    "create_upload",
    "mapping_of",
    "mapping_with",
    "pause_upload",
    "preview",
    "read_anew",
    "reading_of",
    "refused_file",
    "resume_upload",
    "run_chunks",
    "run_chunks_in_threads",
    "save_mapping",
    "stalled_uploads",
    "undo_chunks",
    "undo_upload",
    "upload_progress",
    "useful_task_count",
    "validate_upload",
]

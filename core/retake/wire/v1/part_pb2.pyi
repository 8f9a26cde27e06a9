from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class PartAnnounced(_message.Message):
    __slots__ = ("part_id", "generation", "kind", "job_id", "video_id", "traceparent")
    PART_ID_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    VIDEO_ID_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    part_id: str
    generation: int
    kind: str
    job_id: str
    video_id: str
    traceparent: str
    def __init__(self, part_id: _Optional[str] = ..., generation: _Optional[int] = ..., kind: _Optional[str] = ..., job_id: _Optional[str] = ..., video_id: _Optional[str] = ..., traceparent: _Optional[str] = ...) -> None: ...

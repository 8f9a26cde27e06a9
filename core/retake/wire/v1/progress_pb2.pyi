from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ProgressTick(_message.Message):
    __slots__ = ("workspace_id", "job_id", "video_id", "part_id", "claim", "variations", "percent")
    WORKSPACE_ID_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    VIDEO_ID_FIELD_NUMBER: _ClassVar[int]
    PART_ID_FIELD_NUMBER: _ClassVar[int]
    CLAIM_FIELD_NUMBER: _ClassVar[int]
    VARIATIONS_FIELD_NUMBER: _ClassVar[int]
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    workspace_id: str
    job_id: str
    video_id: str
    part_id: str
    claim: int
    variations: _containers.RepeatedCompositeFieldContainer[VariationFrames]
    percent: float
    def __init__(self, workspace_id: _Optional[str] = ..., job_id: _Optional[str] = ..., video_id: _Optional[str] = ..., part_id: _Optional[str] = ..., claim: _Optional[int] = ..., variations: _Optional[_Iterable[_Union[VariationFrames, _Mapping]]] = ..., percent: _Optional[float] = ...) -> None: ...

class VariationFrames(_message.Message):
    __slots__ = ("index", "done", "due")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    DUE_FIELD_NUMBER: _ClassVar[int]
    index: int
    done: int
    due: int
    def __init__(self, index: _Optional[int] = ..., done: _Optional[int] = ..., due: _Optional[int] = ...) -> None: ...

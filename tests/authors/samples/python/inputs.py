# Made by `valetkey connector build` from connector.toml.
"""The inputs of the tools, as the host gives them."""

from typing import Literal, NotRequired, TypedDict


class SampleNoteAdd(TypedDict):
    # The color of the paper.
    color: Literal["yellow", "blue"]
    # A number of your own.
    reference: NotRequired[int]
    # Words to find the note by.
    tags: NotRequired[list[str]]
    # What the note says.
    text: str
    # The weight of the paper in grams.
    weight: NotRequired[float]


class SampleNotesList(TypedDict):
    pass


class SampleNoteLabel(TypedDict):
    # The label.
    label: str
    # Id of the note, for example "n1".
    note_id: str


class SampleFileAttach(TypedDict):
    # The file's text.
    content: str
    # Name of the file, for example "plan.txt".
    name: str
    # Id of the note.
    note_id: str


class SampleNotesSearch(TypedDict):
    # The word.
    word: str


class SampleNoteDelete(TypedDict):
    # Id of the note.
    note_id: str


class SampleNotesCompare(TypedDict):
    # Ids of the notes.
    note_ids: list[str]


class SampleScanReplace(TypedDict):
    # The new scan, by its id.
    file: str
    # Id of the note.
    note_id: str

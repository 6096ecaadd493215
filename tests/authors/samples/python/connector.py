"""The sample connector in Python."""

import random
import time
from dataclasses import asdict
from typing import Any

from inputs import (
    SampleFileAttach,
    SampleNoteDelete,
    SampleNoteLabel,
    SampleNotesCompare,
    SampleNotesSearch,
    SampleScanReplace,
)
from valetkey_guest import Call, Fault, Output, Part, Wanted, page, segment, tool

SEARCH = """query Notes($after: String, $first: Int!, $word: String!) {
  notes(after: $after, first: $first, word: $word) { nodes { id text } next }
}"""


@tool("sample_note_label")
def label(call: Call, input: SampleNoteLabel) -> object:
    label = input["label"].strip()
    if not label:
        raise Fault.invalid("/label", "is empty; give a word")
    answer = call.declared({"note_id": input["note_id"], "label": label}).json()
    return {"label": answer["label"], "shown": f"#{label}"}


@tool("sample_file_attach")
def attach(call: Call, input: SampleFileAttach) -> object:
    path = f"/notes/{segment('note_id', input['note_id'])}/files"
    name = input["name"]
    parts = [
        Part("title", name),
        Part("file", input["content"], filename=name, content_type="text/plain; charset=utf-8"),
    ]
    file = call.post("api", path, multipart=parts).json()
    return {"id": file["id"], "bytes": file["bytes"]}


@tool("sample_notes_search")
def search(call: Call, input: SampleNotesSearch) -> Output:
    variables = {"after": call.page.token, "first": call.page.size or 2, "word": input["word"]}
    notes = call.graphql("api", "/graphql", SEARCH, variables)["notes"]
    return page({"notes": notes["nodes"]}, notes["next"])


@tool("sample_note_delete")
def delete(call: Call, input: SampleNoteDelete) -> object:
    note_id = input["note_id"]
    if not note_id.startswith("n"):
        raise Fault.invalid("/note_id", 'is no note\'s id; those begin with "n"')
    call.delete("api", f"/notes/{segment('note_id', note_id)}")
    return {"deleted": note_id}


@tool("sample_notes_compare")
def compare(call: Call, input: SampleNotesCompare) -> object:
    ids = input["note_ids"]
    paths = [f"/notes/{segment('note_ids', note_id)}" for note_id in ids]
    answers = call.send_all(call.request("GET", "api", path, query={"fields": "id"}) for path in paths)
    found: list[Any] = []
    missing: list[Any] = []
    for note_id, answer in zip(ids, answers, strict=True):
        if isinstance(answer, Fault):
            missing.append({"id": note_id, "code": answer.code, "message": answer.message})
        else:
            found.append(answer.json()["id"])
    call.log("info", f"{len(found)} of {len(ids)} notes")
    # The language's own clock and randomness are the host's.
    die = [random.randrange(256) for _ in range(8)]
    return {"found": found, "missing": missing, "now_ms": int(time.time() * 1000), "die": die}


@tool("sample_scan_replace")
def replace_scan(call: Call, input: SampleScanReplace) -> object:
    path = f"/notes/{segment('note_id', input['note_id'])}/scan"
    given = call.file(input["file"])
    wanted = Wanted(name="before.txt", content_types=["text/*"], max_bytes=1000)
    kept = call.receive(call.request("GET", "api", path), wanted)
    call.send_file(call.request("PUT", "api", path), input["file"])
    return {"sent": {"name": given.name, "size": given.size}, "kept": asdict(kept)}

"""The tools of the acme connector that are code. The others run by their declaration in connector.toml."""

from inputs import AcmeThingTag
from valetkey_guest import Call, segment, tool


@tool("acme_thing_tag")
def thing_tag(call: Call, input: AcmeThingTag) -> object:
    """Adds a tag to those that the thing has."""
    path = f"/things/{segment('thing_id', input['thing_id'])}"
    tags: list[str] = call.get("api", path).json().get("tags", [])
    if input["tag"] not in tags:
        tags.append(input["tag"])
    changed = call.patch("api", path, json={"tags": tags}).json()
    return {"tags": changed["tags"]}

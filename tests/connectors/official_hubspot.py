"""What HubSpot's own client sends for the calls that it is given, to a recorder.

Arguments: the recorder's address, and a JSON list of pairs of a tool's name and its parameters. Every call goes to a
path that begins with the tool's name. What the recorder answers is of no interest, nor is how the client takes it.
"""

import importlib
import json
import sys

from hubspot import HubSpot
from hubspot.crm import AssociationType

client = HubSpot(access_token="recorded")

PLURALS = {"contact": "contacts", "company": "companies", "deal": "deals", "ticket": "tickets"}
# What happened with a record: the client's name for it, its properties by our parameters.
ENGAGEMENTS = {
    "hubspot_note_create": ("notes", {"body": "hs_note_body", "timestamp": "hs_timestamp"}),
    "hubspot_task_create": (
        "tasks",
        {
            "subject": "hs_task_subject",
            "due": "hs_timestamp",
            "body": "hs_task_body",
            "status": "hs_task_status",
            "priority": "hs_task_priority",
            "task_type": "hs_task_type",
        },
    ),
    "hubspot_call_log": (
        "calls",
        {
            "body": "hs_call_body",
            "title": "hs_call_title",
            "timestamp": "hs_timestamp",
            "direction": "hs_call_direction",
            "duration_ms": "hs_call_duration",
            "status": "hs_call_status",
        },
    ),
    "hubspot_meeting_log": (
        "meetings",
        {
            "title": "hs_meeting_title",
            "start_time": "hs_meeting_start_time",
            "end_time": "hs_meeting_end_time",
            "body": "hs_meeting_body",
            "internal_notes": "hs_internal_meeting_notes",
            "location": "hs_meeting_location",
            "outcome": "hs_meeting_outcome",
        },
    ),
}


def records(plural):
    """The client's part for a kind of record, and its models."""
    if plural in PLURALS.values():
        return getattr(client.crm, plural), importlib.import_module(f"hubspot.crm.{plural}")
    return getattr(client.crm.objects, plural), importlib.import_module(f"hubspot.crm.objects.{plural}")


def search(plural, params):
    part, models = records(plural)

    def group(filters):
        made = [
            models.Filter(property_name=one["propertyName"], operator=one["operator"], value=one["value"])
            for one in filters
        ]
        return models.FilterGroup(filters=made)

    request = models.PublicObjectSearchRequest(
        query=params.get("query"),
        filter_groups=[group(params["filters"])],
        sorts=params["sorts"],
        properties=params["properties"],
        limit=params["limit"],
    )
    return part.search_api, lambda api: api.do_search(public_object_search_request=request)


def associated(models, to, kind):
    spec = models.AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=kind)
    return models.PublicAssociationsForObject(to=models.PublicObjectId(id=to), types=[spec])


def create(plural, properties, associations):
    part, models = records(plural)
    made = [associated(models, to, kind) for to, kind in associations]
    body = models.SimplePublicObjectInputForCreate(properties=properties, associations=made)
    return part.basic_api, lambda api: api.create(simple_public_object_input_for_create=body)


def engagement(tool, params):
    plural, names = ENGAGEMENTS[tool]
    # The client declares every property a text and hands on what it is given; HubSpot reads numbers too.
    properties = {names[name]: value for name, value in params.items() if name in names}
    if "start_time" in params:
        properties["hs_timestamp"] = params["start_time"]
    if "hubspot_owner_id" in params:
        properties["hubspot_owner_id"] = params["hubspot_owner_id"]
    kinds = [(record, f"{plural[:-1]}_TO_{record}".upper()) for record in PLURALS]
    pairs = [
        (params[f"{record}_id"], getattr(AssociationType, kind)) for record, kind in kinds if f"{record}_id" in params
    ]
    return create(plural, properties, pairs)


def called(tool, params):
    """The client's part for a call, and what to call on it."""
    if tool in ENGAGEMENTS:
        return engagement(tool, params)
    crm = client.crm
    links = crm.associations.v4.basic_api
    match tool:
        case "hubspot_association_create":
            return links, lambda api: api.create_default(
                from_object_type=params["from_type"],
                from_object_id=params["from_id"],
                to_object_type=params["to_type"],
                to_object_id=params["to_id"],
            )
        case "hubspot_association_delete":
            return links, lambda api: api.archive(
                object_type=params["from_type"],
                object_id=params["from_id"],
                to_object_type=params["to_type"],
                to_object_id=params["to_id"],
            )
        case "hubspot_associations_list":
            return links, lambda api: api.get_page(
                object_type=params["from_type"],
                object_id=params["from_id"],
                to_object_type=params["to_type"],
                limit=params["limit"],
            )
        case "hubspot_owners_list":
            return crm.owners.owners_api, lambda api: api.get_page(
                email=params["email"], archived=params["archived"], limit=params["limit"]
            )
        case "hubspot_pipelines_list":
            return crm.pipelines.pipelines_api, lambda api: api.get_all(object_type=params["object_type"])
        case "hubspot_properties_list":
            return crm.properties.core_api, lambda api: api.get_all(object_type=params["object_type"])
        case "hubspot_task_update":
            part, models = records("tasks")
            body = models.SimplePublicObjectInput(properties={"hs_task_status": params["status"]})
            return part.basic_api, lambda api: api.update(params["task_id"], simple_public_object_input=body)
        case "hubspot_engagements_list":
            plural = params["engagement_type"]
            about = {
                "propertyName": f"associations.{params['object_type']}",
                "operator": "EQ",
                "value": params["object_id"],
            }
            sorts = [{"propertyName": "hs_timestamp", "direction": "DESCENDING"}]
            asked = {"properties": params["properties"], "limit": params["limit"], "sorts": sorts}
            return search(plural, {**asked, "filters": [about]})
    record, verb = tool.removeprefix("hubspot_").rsplit("_", 1)
    if verb == "search":
        return search(record, params)
    plural = PLURALS[record]
    part, models = records(plural)
    key = params.get(f"{record}_id")
    named = {"id_property": params["id_property"]} if "id_property" in params else {}
    match verb:
        case "create":
            pairs = [(one["to"]["id"], one["types"][0]["associationTypeId"]) for one in params["associations"]]
            return create(plural, params["properties"], pairs)
        case "get":
            return part.basic_api, lambda api: api.get_by_id(
                key, properties=params["properties"], associations=params["associations"], **named
            )
        case "update":
            body = models.SimplePublicObjectInput(properties=params["properties"])
            return part.basic_api, lambda api: api.update(key, simple_public_object_input=body, **named)
        case "delete":
            return part.basic_api, lambda api: api.archive(key)
    raise ValueError(f"the client has no counterpart of {tool}")


recorder, calls = sys.argv[1], json.loads(sys.argv[2])
for tool, params in calls:
    api, call = called(tool, params)
    api.api_client.configuration.host = f"{recorder}/{tool}"
    try:
        call(api)
    except (TypeError, ValueError) as error:
        # The recorded answer does not have the model's members; the request was made.
        print(f"{tool}: {error}", file=sys.stderr)

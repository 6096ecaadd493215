//! What an org says of itself: objects, limits, the user; reports and the feed.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::kinds::{Field, KINDS, Kind, Of};
use super::org::{Org, org_id, user_id};
use super::problem::Problem;
use super::run::{At, base};
use super::{instance_of, records};
use crate::oauth::Session;
use crate::server::State;
use crate::text::{first, parse_form};

pub(super) async fn objects(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(at): Path<At>,
) -> Json<Value> {
    let base = base(&state, &session, &at);
    let objects: Vec<Value> = KINDS.iter().map(|kind| about(kind, &base)).collect();
    Json(json!({ "encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects }))
}

fn about(kind: &Kind, base: &str) -> Value {
    let url = format!("{base}/sobjects/{}", kind.name);
    json!({
        "name": kind.name,
        "label": kind.name,
        "labelPlural": kind.plural,
        "keyPrefix": kind.prefix,
        "custom": false,
        "customSetting": false,
        "activateable": false,
        "createable": kind.fields().any(|field| field.writable),
        "deletable": true,
        "deprecatedAndHidden": false,
        "feedEnabled": true,
        "layoutable": true,
        "mergeable": false,
        "queryable": true,
        "replicateable": true,
        "retrieveable": true,
        "searchable": true,
        "triggerable": true,
        "undeletable": true,
        "updateable": kind.fields().any(|field| field.writable),
        "urls": { "sobject": url, "describe": format!("{url}/describe"), "rowTemplate": format!("{url}/{{ID}}") },
    })
}

pub(super) async fn describe(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(at): Path<At>,
) -> Result<Json<Value>, Problem> {
    let kind = records::kind(&at)?;
    let mut answer = about(kind, &base(&state, &session, &at));
    answer["fields"] = kind.fields().map(described).collect();
    answer["childRelationships"] = kind
        .children
        .iter()
        .map(|(relationship, object, field)| {
            json!({ "cascadeDelete": false, "childSObject": object, "field": field, "relationshipName": relationship })
        })
        .collect();
    answer["recordTypeInfos"] = json!([]);
    answer["supportedScopes"] = json!([
        { "label": "All", "name": "everything" },
        { "label": "Mine", "name": "mine" },
    ]);
    Ok(Json(answer))
}

fn described(field: &Field) -> Value {
    let options: Vec<Value> = match field.of {
        Of::Pick(options) => options
            .iter()
            .map(|option| {
                json!({ "active": true, "defaultValue": false, "label": option, "validFor": null, "value": option })
            })
            .collect(),
        _ => Vec::new(),
    };
    let (to, relationship) = match field.of {
        Of::Ref { to: "", relationship } => (vec!["Account", "Contact", "Opportunity"], Some(relationship)),
        Of::Ref { to, relationship } => (vec![to], Some(relationship)),
        _ => (Vec::new(), None),
    };
    json!({
        "name": field.name,
        "label": field.name.trim_end_matches("__c").replace('_', " "),
        "type": field.of.type_name(),
        "length": if field.of.is_text() { 255 } else { 0 },
        "nillable": !field.required,
        "createable": field.writable,
        "updateable": field.writable,
        "custom": field.is_custom(),
        "externalId": field.is_external_id(),
        "unique": false,
        "calculated": false,
        "filterable": true,
        "sortable": true,
        "picklistValues": options,
        "referenceTo": to,
        "relationshipName": relationship,
        "soapType": "xsd:string",
        "byteLength": 0,
    })
}

pub(super) async fn limits(
    Shared(state): Shared<Arc<State>>,
    Extension(_session): Extension<Session>,
) -> Json<Value> {
    let most = state
        .settings()
        .salesforce_budget
        .map_or(15_000, |budget| budget.requests);
    Json(json!({
        "DailyApiRequests": { "Max": most, "Remaining": most },
        "DataStorageMB": { "Max": 1_024, "Remaining": 900 },
        "FileStorageMB": { "Max": 1_024, "Remaining": 1_000 },
    }))
}

pub(super) async fn userinfo(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
) -> Json<Value> {
    let host = instance_of(&state.settings(), &session.user);
    let (org, user) = (org_id(&session.user), user_id(&session.user));
    let email = format!("{0}@{0}.example", session.user);
    Json(json!({
        "sub": format!("https://login.salesforce.com/id/{org}/{user}"),
        "user_id": user,
        "organization_id": org,
        "preferred_username": format!("{email}.sales"),
        "nickname": session.user,
        "name": session.user,
        "email": email,
        "email_verified": true,
        "zoneinfo": "Europe/Lisbon",
        "photos": { "picture": format!("https://{host}/profilephoto/005/F") },
        "urls": { "rest": format!("https://{host}/services/data/v{{version}}/") },
        "active": true,
        "user_type": "STANDARD",
        "language": "en_US",
        "locale": "en_US",
    }))
}

pub(super) async fn reports(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(at): Path<At>,
) -> Json<Value> {
    let base = base(&state, &session, &at);
    state.org(&session.user, |org| {
        let reports: Vec<Value> = all(org, "Report")
            .map(|report| {
                let url = format!("{base}/analytics/reports/{}", text(report, "Id"));
                json!({
                    "id": report["Id"],
                    "name": report["Name"],
                    "url": url,
                    "describeUrl": format!("{url}/describe"),
                    "instancesUrl": format!("{url}/instances"),
                    "fieldsUrl": format!("{url}/fields"),
                })
            })
            .collect();
        Json(json!(reports))
    })
}

/// Opportunities by stage, which is the one report of an org.
pub(super) async fn report(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(at): Path<At>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let query = parse_form(&query.unwrap_or_default());
    let details = first(&query, "includeDetails") == Some("true");
    state.org(&session.user, |org| {
        let kind = Kind::named("Report").ok_or_else(Problem::not_found)?;
        let report = org.find(kind, &at["id"]).ok_or_else(Problem::not_found)?;
        let mut stages: BTreeMap<String, Vec<&super::org::Record>> = BTreeMap::new();
        for record in all(org, "Opportunity") {
            stages
                .entry(text(record, "StageName").to_owned())
                .or_default()
                .push(record);
        }
        let sum = |records: &[&super::org::Record]| -> f64 {
            records
                .iter()
                .filter_map(|record| record.get("Amount").and_then(Value::as_f64))
                .sum()
        };
        let total = |amount: f64| json!([{ "label": format!("EUR {amount}"), "value": amount }]);
        let mut facts = serde_json::Map::new();
        let mut groups = Vec::new();
        let mut whole = 0.0;
        for (at, (stage, records)) in stages.iter().enumerate() {
            let amount = sum(records);
            whole += amount;
            let mut fact = json!({ "aggregates": total(amount) });
            if details {
                fact["rows"] = records
                    .iter()
                    .map(|record| {
                        json!({ "dataCells": [
                            { "label": record["Name"], "value": record["Id"] },
                            { "label": record.get("Amount"), "value": record.get("Amount") },
                        ] })
                    })
                    .collect();
            }
            facts.insert(format!("{at}!T"), fact);
            groups.push(json!({ "groupings": [], "key": at.to_string(), "label": stage, "value": stage }));
        }
        facts.insert("T!T".to_owned(), json!({ "aggregates": total(whole) }));
        Ok(Json(json!({
            "allData": true,
            "attributes": { "reportId": report["Id"], "reportName": report["Name"], "type": "Report" },
            "factMap": facts,
            "groupingsAcross": { "groupings": [] },
            "groupingsDown": { "groupings": groups },
            "hasDetailRows": details,
            "reportExtendedMetadata": {},
            "reportMetadata": {
                "id": report["Id"],
                "name": report["Name"],
                "aggregates": ["s!AMOUNT"],
                "detailColumns": ["OPPORTUNITY_NAME", "AMOUNT"],
                "reportFormat": "SUMMARY",
            },
        })))
    })
}

pub(super) async fn post_to_feed(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(at): Path<At>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let asked: Value = serde_json::from_slice(&body)
        .map_err(|_| Problem::bad("JSON_PARSER_ERROR", "The body is not JSON."))?;
    let subject = text_of(&asked, "subjectId");
    let segments = &asked["body"]["messageSegments"];
    let said: String = segments
        .as_array()
        .into_iter()
        .flatten()
        .map(|segment| text_of(segment, "text"))
        .collect();
    if asked["feedElementType"] != "FeedItem" || said.is_empty() {
        return Err(Problem::bad(
            "INVALID_API_INPUT",
            "A feed item with a message is wanted.",
        ));
    }
    let base = base(&state, &session, &at);
    let now_ms = state.calendar.now_ms();
    state.org(&session.user, |org| {
        let (about, record) = org.resolve(subject).ok_or_else(|| {
            Problem::new(
                StatusCode::NOT_FOUND,
                "NOT_FOUND",
                "The subject of the feed item does not exist.",
            )
        })?;
        let parent = json!({ "id": record["Id"], "type": about.name, "name": record.get(about.label) });
        let kind = Kind::named("FeedItem").ok_or_else(Problem::not_found)?;
        let given = json!({ "Body": said, "ParentId": record["Id"] });
        let id = org.add(kind, given.as_object().cloned().unwrap_or_default(), now_ms);
        let created = org.find(kind, &id).map(|item| item["CreatedDate"].clone());
        Ok((
            StatusCode::CREATED,
            Json(json!({
                "id": id,
                "feedElementType": "FeedItem",
                "type": "TextPost",
                "createdDate": created,
                "url": format!("{base}/chatter/feed-elements/{id}"),
                "body": { "text": said, "isRichText": false, "messageSegments": segments },
                "parent": parent,
                "actor": { "id": user_id(&session.user), "displayName": session.user },
                "capabilities": { "comments": { "page": { "total": 0 } } },
            })),
        ))
    })
}

fn all<'o>(org: &'o Org, name: &str) -> impl Iterator<Item = &'o super::org::Record> + use<'o> {
    Kind::named(name).into_iter().flat_map(|kind| org.all(kind))
}

fn text<'r>(record: &'r super::org::Record, name: &str) -> &'r str {
    record.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn text_of<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

//! The user, contacts, people and the mailbox's settings.

use std::sync::Arc;

use axum::extract::{Path, State as Shared};
use axum::http::{StatusCode, Uri};
use axum::{Extension, Json};
use bytes::Bytes;
use serde_json::{Value, json};

use super::gate::permit;
use super::mail::{full, object};
use super::outlook::address_of;
use super::problem::Problem;
use super::query::{list as listed, one};
use crate::faults::merge;
use crate::oauth::Session;
use crate::server::State;
use crate::text::number_of;

type Answer = Result<Json<Value>, Problem>;

pub(crate) async fn me(Extension(session): Extension<Session>, uri: Uri) -> Answer {
    permit(&session, &["User.Read", "User.ReadWrite"])?;
    let user = &session.user;
    let address = address_of(user);
    let me = json!({
        "id": format!("{:08x}-0000-4000-8000-000000000000", number_of(user) % 0xffff_ffff),
        "displayName": format!("User {user}"), "mail": address, "userPrincipalName": address,
        "jobTitle": Value::Null, "officeLocation": Value::Null, "preferredLanguage": "en",
        "businessPhones": [], "mobilePhone": Value::Null, "givenName": user, "surname": Value::Null,
    });
    Ok(one(&uri, "users", me))
}

pub(crate) async fn contacts(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    uri: Uri,
) -> Answer {
    permit(&session, &["Contacts.ReadWrite", "Contacts.Read"])?;
    let found = state.outlook(&session.user, |outlook| {
        outlook.contacts.values().cloned().collect()
    });
    listed(&state.base_url, &full(&uri), "contacts", 10, found)
}

pub(crate) async fn create_contact(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    uri: Uri,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    permit(&session, &["Contacts.ReadWrite"])?;
    let mut contact = Value::Object(object(&body)?);
    if contact["displayName"].is_null() {
        let part = |name: &str| contact[name].as_str().unwrap_or_default().to_owned();
        contact["displayName"] = json!(format!("{} {}", part("givenName"), part("surname")).trim());
    }
    state.outlook(&session.user, |outlook| {
        let made = outlook.add_contact(contact);
        Ok((StatusCode::CREATED, one(&uri, "contacts", made)))
    })
}

pub(crate) async fn update_contact(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    uri: Uri,
    body: Bytes,
) -> Answer {
    permit(&session, &["Contacts.ReadWrite"])?;
    let change = Value::Object(object(&body)?);
    state.outlook(&session.user, |outlook| {
        let contact = outlook.contacts.get_mut(&id).ok_or_else(Problem::not_found)?;
        merge(contact, &change);
        Ok(one(&uri, "contacts", contact.clone()))
    })
}

/// The contacts, as people that the user knows.
pub(crate) async fn people(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    uri: Uri,
) -> Answer {
    permit(&session, &["People.Read"])?;
    let found = state.outlook(&session.user, |outlook| {
        let person = |contact: &Value| {
            let addresses = contact["emailAddresses"].as_array().into_iter().flatten();
            let scored: Vec<Value> = addresses
                .map(|address| json!({ "address": address["address"], "relevanceScore": 8.0 }))
                .collect();
            json!({
                "id": contact["id"], "displayName": contact["displayName"],
                "scoredEmailAddresses": scored, "companyName": contact["companyName"],
                "personType": { "class": "Person", "subclass": "PersonalContact" },
            })
        };
        outlook.contacts.values().map(person).collect()
    });
    listed(&state.base_url, &full(&uri), "people", 10, found)
}

pub(crate) async fn settings(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    uri: Uri,
) -> Answer {
    permit(&session, &["MailboxSettings.ReadWrite", "MailboxSettings.Read"])?;
    let settings = state.outlook(&session.user, |outlook| outlook.settings.clone());
    Ok(one(&uri, "mailboxSettings", settings))
}

pub(crate) async fn change_settings(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    uri: Uri,
    body: Bytes,
) -> Answer {
    permit(&session, &["MailboxSettings.ReadWrite"])?;
    let change = Value::Object(object(&body)?);
    let settings = state.outlook(&session.user, |outlook| {
        merge(&mut outlook.settings, &change);
        outlook.settings.clone()
    });
    Ok(one(&uri, "mailboxSettings", settings))
}

//! The simulated vendors themselves: they speak as their vendors' specifications say, keep
//! accounts apart, and fail on demand.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use valetkey_tests::http::{Answer, Client};
use valetkey_tests::spec;
use valetkey_vendors::{Options, Rotation, Simulator, Vendor};

pub const REDIRECT_URI: &str = "http://127.0.0.1:9/callback";
/// The pair of RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const HUBSPOT_SCOPES: &str = "oauth+crm.objects.contacts.read+crm.objects.contacts.write\
    +crm.objects.companies.read+crm.objects.companies.write+crm.objects.deals.read\
    +crm.objects.owners.read+tickets";
const GMAIL_SCOPES: &str = "https://www.googleapis.com/auth/gmail.modify";
const SLACK_BOT_SCOPES: &str = "channels:read,channels:history,chat:write";

/// A simulator and a client of it.
pub struct Vendors {
    pub simulator: Simulator,
    http: Client,
}

impl Vendors {
    pub async fn start(options: Options) -> Self {
        Self {
            simulator: Simulator::start(options).await.expect("a free port"),
            http: Client::default(),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.simulator.base_url)
    }

    /// Where the browser is sent after the user's decision.
    pub async fn consent(&self, vendor: Vendor, user: &str, further: &str) -> Answer {
        let (path, scopes) = match vendor {
            Vendor::Hubspot => ("/hubspot/oauth/authorize", HUBSPOT_SCOPES),
            Vendor::Google => ("/google/o/oauth2/v2/auth", GMAIL_SCOPES),
            Vendor::Salesforce => ("/salesforce/services/oauth2/authorize", "api%20refresh_token"),
            Vendor::Notion => ("/notion/v1/oauth/authorize", ""),
            Vendor::Slack => ("/slack/oauth/v2/authorize", SLACK_BOT_SCOPES),
            Vendor::Linear => ("/linear/oauth/authorize", "read,write"),
            other => panic!("{other:?} is tried in a file of its own"),
        };
        let url = self.url(&format!(
            "{path}?response_type=code&client_id=simulated-client&redirect_uri={REDIRECT_URI}\
             &scope={scopes}&state=s1&login_hint={user}{further}"
        ));
        self.http.get(&url).await
    }

    pub async fn code(&self, vendor: Vendor, user: &str) -> String {
        let further = format!(
            "&code_challenge={CHALLENGE}&code_challenge_method=S256&access_type=offline&prompt=consent"
        );
        let answer = self.consent(vendor, user, &further).await;
        assert_eq!(answer.status, 302, "{}", answer.text());
        parameter(&answer, "code").expect("a code")
    }

    pub async fn token_request(&self, vendor: Vendor, form: &str) -> Answer {
        let path = match vendor {
            Vendor::Hubspot => "/hubspot/oauth/v3/token",
            Vendor::Google => "/google/token",
            Vendor::Salesforce => "/salesforce/services/oauth2/token",
            Vendor::Notion => "/notion/v1/oauth/token",
            Vendor::Slack => "/slack/api/oauth.v2.access",
            Vendor::Linear => "/linear/oauth/token",
            other => panic!("{other:?} is tried in a file of its own"),
        };
        let form = format!("client_id=simulated-client&client_secret=simulated-secret&{form}");
        self.http.post_form(&self.url(path), &form).await
    }

    pub async fn redeem(&self, vendor: Vendor, code: &str, redirect_uri: &str, verifier: &str) -> Answer {
        let form = format!(
            "grant_type=authorization_code&code={code}&redirect_uri={redirect_uri}&code_verifier={verifier}"
        );
        self.token_request(vendor, &form).await
    }

    /// The token answer of a whole code flow.
    pub async fn connect(&self, vendor: Vendor, user: &str) -> Value {
        let code = self.code(vendor, user).await;
        self.redeem(vendor, &code, REDIRECT_URI, VERIFIER)
            .await
            .expect(200)
    }

    pub async fn renew(&self, vendor: Vendor, token: &Value) -> Answer {
        let refresh = token["refresh_token"].as_str().expect("a refresh token");
        self.token_request(
            vendor,
            &format!("grant_type=refresh_token&refresh_token={refresh}"),
        )
        .await
    }

    pub async fn send(&self, token: &Value, method: Method, path: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap_or_default());
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
        ];
        let body = if body.is_null() {
            Bytes::new()
        } else {
            body.to_string().into()
        };
        self.http.send(method, &self.url(path), &headers, body).await
    }

    pub async fn get(&self, token: &Value, path: &str) -> Answer {
        self.send(token, Method::GET, path, Value::Null).await
    }
}

/// A parameter of a redirect's query.
pub fn parameter(answer: &Answer, name: &str) -> Option<String> {
    let location = answer.header("location");
    let (_, query) = location.split_once('?')?;
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

pub fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[tokio::test]
async fn a_code_is_good_once_for_its_own_verifier_and_redirect_uri() {
    let vendors = Vendors::start(Options::default()).await;
    for (redirect_uri, verifier) in [
        (REDIRECT_URI, "another-verifier-another-verifier-another-1"),
        ("http://127.0.0.1:9/callback/", VERIFIER),
    ] {
        let code = vendors.code(Vendor::Hubspot, "ada").await;
        let answer = vendors
            .redeem(Vendor::Hubspot, &code, redirect_uri, verifier)
            .await;
        assert_eq!(answer.expect(400)["error"], "invalid_grant");
    }
    let code = vendors.code(Vendor::Hubspot, "ada").await;
    let token = vendors
        .redeem(Vendor::Hubspot, &code, REDIRECT_URI, VERIFIER)
        .await
        .expect(200);
    let details = "/hubspot/account-info/v3/details";
    assert_eq!(
        vendors.get(&token, details).await.expect(200)["portalId"],
        token["hub_id"]
    );

    let again = vendors
        .redeem(Vendor::Hubspot, &code, REDIRECT_URI, VERIFIER)
        .await;
    assert_eq!(again.expect(400)["error"], "invalid_grant");
    assert_eq!(
        vendors.get(&token, details).await.status,
        401,
        "a stolen code ends the grant"
    );
}

#[tokio::test]
async fn consent_needs_pkce_and_a_registered_redirect_uri() {
    let options = Options {
        redirect_uris: vec![REDIRECT_URI.to_owned()],
        send_issuer: true,
        ..Options::default()
    };
    let vendors = Vendors::start(options).await;
    let without = vendors.consent(Vendor::Hubspot, "ada", "").await;
    assert_eq!(parameter(&without, "error").as_deref(), Some("invalid_request"));
    assert_eq!(parameter(&without, "state").as_deref(), Some("s1"));
    assert!(parameter(&without, "iss").is_some_and(|issuer| issuer.ends_with("%2Fhubspot")));

    let url = vendors.url(
        "/hubspot/oauth/authorize?response_type=code&client_id=simulated-client&redirect_uri=http://127.0.0.1:9/other",
    );
    let answer = vendors.http.get(&url).await;
    assert_eq!(
        answer.status, 400,
        "an unknown redirect URI is never redirected to"
    );

    vendors.simulator.set_consent(false);
    let further = format!("&code_challenge={CHALLENGE}&code_challenge_method=S256");
    let denied = vendors.consent(Vendor::Hubspot, "ada", &further).await;
    assert_eq!(parameter(&denied, "error").as_deref(), Some("access_denied"));
}

#[tokio::test]
async fn a_browser_sees_the_consent_page_and_its_buttons_work() {
    let vendors = Vendors::start(Options::default()).await;
    let url = vendors.url(&format!(
        "/google/o/oauth2/v2/auth?response_type=code&client_id=simulated-client&redirect_uri={REDIRECT_URI}\
         &scope={GMAIL_SCOPES}&state=s1&code_challenge={CHALLENGE}&code_challenge_method=S256&access_type=offline"
    ));
    let html = [("accept", "text/html,*/*;q=0.8")];
    let page = vendors.http.send(Method::GET, &url, &html, Bytes::new()).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("gmail.modify"), "{}", page.text());

    let denied = vendors.http.post_form(&url, "user=bela&decision=deny").await;
    assert_eq!(parameter(&denied, "error").as_deref(), Some("access_denied"));
    let allowed = vendors.http.post_form(&url, "user=bela&decision=allow").await;
    let code = parameter(&allowed, "code").expect("a code");
    let token = vendors
        .redeem(Vendor::Google, &code, REDIRECT_URI, VERIFIER)
        .await
        .expect(200);
    let profile = vendors
        .get(&token, "/gmail/v1/users/me/profile")
        .await
        .expect(200);
    assert_eq!(profile["emailAddress"], "bela@mail.example");
}

#[tokio::test]
async fn refreshing_rotates_as_it_is_told_and_each_vendor_answers_in_its_way() {
    let vendors = Vendors::start(Options::default()).await;
    let hubspot = vendors.connect(Vendor::Hubspot, "ada").await;
    let renewed = vendors.renew(Vendor::Hubspot, &hubspot).await.expect(200);
    assert_eq!(
        renewed["refresh_token"], hubspot["refresh_token"],
        "HubSpot's stays"
    );
    let google = vendors.connect(Vendor::Google, "ada").await;
    let renewed = vendors.renew(Vendor::Google, &google).await.expect(200);
    assert!(renewed["refresh_token"].is_null(), "Google names it once");

    vendors
        .simulator
        .set_rotation(Rotation::SingleUse { revoke_family: true });
    let second = vendors.renew(Vendor::Hubspot, &hubspot).await.expect(200);
    assert_ne!(second["refresh_token"], hubspot["refresh_token"]);
    assert_eq!(vendors.renew(Vendor::Hubspot, &hubspot).await.status, 400);
    assert_eq!(
        vendors.renew(Vendor::Hubspot, &second).await.status,
        400,
        "reuse ends the family"
    );
    assert_eq!(vendors.simulator.live_grants(Vendor::Hubspot), 0);
}

#[tokio::test]
async fn expired_and_revoked_tokens_are_refused_in_the_vendors_own_shape() {
    let vendors = Vendors::start(Options::default()).await;
    let hubspot = vendors.connect(Vendor::Hubspot, "ada").await;
    let google = vendors.connect(Vendor::Google, "ada").await;
    vendors.simulator.expire_access_tokens();
    let refused = vendors
        .get(&hubspot, "/hubspot/crm/v3/objects/contacts")
        .await
        .expect(401);
    assert_eq!(refused["category"], "EXPIRED_AUTHENTICATION");
    let refused = vendors
        .get(&google, "/gmail/v1/users/me/profile")
        .await
        .expect(401);
    assert_eq!(refused["error"]["status"], "UNAUTHENTICATED");
    assert_eq!(
        vendors
            .get(&google, "/hubspot/crm/v3/objects/contacts")
            .await
            .status,
        401
    );

    let renewed = vendors.renew(Vendor::Hubspot, &hubspot).await.expect(200);
    assert_eq!(vendors.get(&renewed, "/hubspot/crm/v3/owners").await.status, 200);
    assert_eq!(vendors.simulator.revoke_grants(Vendor::Hubspot, Some("ada")), 1);
    assert_eq!(vendors.get(&renewed, "/hubspot/crm/v3/owners").await.status, 401);
    assert_eq!(
        vendors.renew(Vendor::Hubspot, &hubspot).await.expect(400)["error"],
        "invalid_grant"
    );

    let refresh = google["refresh_token"].as_str().expect("a refresh token");
    let url = vendors.url("/google/revoke");
    assert_eq!(
        vendors
            .http
            .post_form(&url, &format!("token={refresh}"))
            .await
            .status,
        200
    );
    assert_eq!(vendors.simulator.live_grants(Vendor::Google), 0);
}

#[tokio::test]
async fn every_contact_is_on_exactly_one_page() {
    let vendors = Vendors::start(Options {
        contacts: 450,
        ..Options::default()
    })
    .await;
    let token = vendors.connect(Vendor::Hubspot, "ada").await;

    let mut searched = BTreeSet::new();
    let mut after = Value::Null;
    let mut pages = 0;
    loop {
        let body = json!({ "limit": 200, "after": after });
        let path = "/hubspot/crm/v3/objects/contacts/search";
        let page = vendors.send(&token, Method::POST, path, body).await.expect(200);
        assert_eq!(page["total"], 450);
        for contact in items(&page["results"]) {
            assert!(searched.insert(contact["id"].to_string()), "twice: {contact}");
        }
        pages += 1;
        after = page["paging"]["next"]["after"].clone();
        if after.is_null() {
            break;
        }
    }
    assert_eq!((pages, searched.len()), (3, 450));

    let mut listed = BTreeSet::new();
    let mut path = "/hubspot/crm/v3/objects/contacts?limit=100".to_owned();
    loop {
        let page = vendors.get(&token, &path).await.expect(200);
        listed.extend(
            items(&page["results"])
                .iter()
                .map(|contact| contact["id"].to_string()),
        );
        let Some(after) = page["paging"]["next"]["after"].as_str() else {
            break;
        };
        path = format!("/hubspot/crm/v3/objects/contacts?limit=100&after={after}");
    }
    assert_eq!(listed, searched);

    let too_many = json!({ "limit": 201 });
    let path = "/hubspot/crm/v3/objects/contacts/search";
    let refused = vendors
        .send(&token, Method::POST, path, too_many)
        .await
        .expect(400);
    assert_eq!(refused["category"], "VALIDATION_ERROR");
}

#[tokio::test]
async fn crm_records_are_written_changed_linked_and_archived() {
    let vendors = Vendors::start(Options::default()).await;
    let token = vendors.connect(Vendor::Hubspot, "ada").await;
    let contacts = "/hubspot/crm/v3/objects/contacts";
    let new = json!({ "properties": { "email": "grace@navy.example", "firstname": "Grace" } });
    let created = vendors
        .send(&token, Method::POST, contacts, new.clone())
        .await
        .expect(201);
    let id = created["id"].as_str().expect("an id");
    let taken = vendors
        .send(&token, Method::POST, contacts, new)
        .await
        .expect(409);
    assert!(
        taken["message"]
            .as_str()
            .is_some_and(|message| message.contains(id)),
        "{taken}"
    );
    let unknown = json!({ "properties": { "shoe_size": "43" } });
    let refused = vendors
        .send(&token, Method::POST, contacts, unknown)
        .await
        .expect(400);
    assert_eq!(refused["errors"][0]["code"], "PROPERTY_DOESNT_EXIST");

    let one = format!("{contacts}/{id}");
    let change = json!({ "properties": { "jobtitle": "Rear admiral" } });
    let _ = vendors
        .send(&token, Method::PATCH, &one, change)
        .await
        .expect(200);
    let by_email = format!("{contacts}/grace@navy.example?idProperty=email&properties=jobtitle");
    let read = vendors.get(&token, &by_email).await.expect(200);
    assert_eq!(read["properties"]["jobtitle"], "Rear admiral");

    let companies = vendors
        .get(&token, "/hubspot/crm/v3/objects/companies?limit=1")
        .await
        .expect(200);
    let company = companies["results"][0]["id"]
        .as_str()
        .expect("a company")
        .to_owned();
    let link = format!("/hubspot/crm/v4/objects/contacts/{id}/associations/default/companies/{company}");
    let _ = vendors
        .send(&token, Method::PUT, &link, Value::Null)
        .await
        .expect(200);
    let back = format!("/hubspot/crm/v4/objects/companies/{company}/associations/contacts");
    let linked = vendors.get(&token, &back).await.expect(200);
    let ids: Vec<String> = items(&linked["results"])
        .iter()
        .map(|link| link["toObjectId"].to_string())
        .collect();
    assert!(ids.iter().any(|linked| linked == id), "{ids:?}");

    assert_eq!(
        vendors
            .send(&token, Method::DELETE, &one, Value::Null)
            .await
            .status,
        204
    );
    let gone = vendors.get(&token, &one).await.expect(404);
    assert_eq!(gone["category"], "OBJECT_NOT_FOUND");
    let deal = vendors
        .send(
            &token,
            Method::POST,
            "/hubspot/crm/v3/objects/deals",
            json!({ "properties": {} }),
        )
        .await
        .expect(403);
    assert_eq!(
        deal["category"], "MISSING_SCOPES",
        "deals.write was not asked for"
    );
}

#[tokio::test]
async fn gmail_answers_have_the_shapes_of_the_discovery_document() {
    let Some(discovery) = spec::find("gmail", "v1") else {
        return;
    };
    let vendors = Arc::new(Vendors::start(Options::default()).await);
    let token = vendors.connect(Vendor::Google, "ada").await;
    let me = "/gmail/v1/users/me";
    let ask = async |method: Method, path: &str, body: Value| {
        let answer = vendors
            .send(&token, method.clone(), &format!("{me}{path}"), body.clone())
            .await;
        assert!(answer.status.is_success(), "{method} {path}: {}", answer.text());
        let value = if answer.body.is_empty() {
            Value::Null
        } else {
            answer.json()
        };
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let query: Vec<(String, String)> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let sent = (!body.is_null()).then(|| body.to_string());
        let sent = sent.as_deref().map(str::as_bytes);
        let called = discovery.check_request(method.as_str(), &format!("{me}{path}"), &query, sent);
        let called = called.unwrap_or_else(|problems| panic!("{method} {path}: {problems:?}"));
        let problems = called.answer.map(|schema| discovery.check_value(&schema, &value));
        assert_eq!(problems.unwrap_or_default(), [""; 0], "{method} {path}");
        value
    };

    let _ = ask(Method::GET, "/profile", Value::Null).await;
    let _ = ask(Method::GET, "/labels", Value::Null).await;
    let label = ask(Method::GET, "/labels/INBOX", Value::Null).await;
    assert!(label["messagesTotal"].as_u64() > Some(0));
    let mails = ask(
        Method::GET,
        "/messages?q=has:attachment&maxResults=3",
        Value::Null,
    )
    .await;
    assert_eq!(items(&mails["messages"]).len(), 3);
    assert!(mails["nextPageToken"].is_string());
    let id = mails["messages"][0]["id"].as_str().expect("a message").to_owned();
    for format in ["full", "metadata&metadataHeaders=Subject", "minimal", "raw"] {
        let _ = ask(
            Method::GET,
            &format!("/messages/{id}?format={format}"),
            Value::Null,
        )
        .await;
    }
    let mail = ask(Method::GET, &format!("/messages/{id}"), Value::Null).await;
    let attached = items(&mail["payload"]["parts"])
        .iter()
        .find_map(|part| part["body"]["attachmentId"].as_str())
        .expect("an attachment");
    let file = ask(
        Method::GET,
        &format!("/messages/{id}/attachments/{attached}"),
        Value::Null,
    )
    .await;
    let content = URL_SAFE
        .decode(file["data"].as_str().unwrap_or_default())
        .expect("base64url");
    assert!(content.starts_with(b"week,units"), "{file}");

    let raw = URL_SAFE.encode("To: grace@navy.example\r\nSubject: Ships\r\n\r\nThere are many.\r\n");
    let sent = ask(Method::POST, "/messages/send", json!({ "raw": raw })).await;
    let found = ask(Method::GET, "/messages?q=in:sent+subject:ships", Value::Null).await;
    assert_eq!(
        found["messages"][0]["id"], sent["id"],
        "what is sent is in the mailbox"
    );
    let thread = sent["threadId"].as_str().expect("a thread").to_owned();
    let _ = ask(
        Method::POST,
        "/messages/send",
        json!({ "raw": raw, "threadId": thread }),
    )
    .await;
    let thread = ask(Method::GET, &format!("/threads/{thread}"), Value::Null).await;
    assert_eq!(items(&thread["messages"]).len(), 2);
    let _ = ask(Method::GET, "/threads?maxResults=2", Value::Null).await;

    let draft = ask(Method::POST, "/drafts", json!({ "message": { "raw": raw } })).await;
    let drafts = ask(Method::GET, "/drafts", Value::Null).await;
    assert_eq!(drafts["drafts"][0]["id"], draft["id"]);
    let _ = ask(Method::POST, "/drafts/send", json!({ "id": draft["id"] })).await;
    let drafts = ask(Method::GET, "/drafts", Value::Null).await;
    assert!(drafts["drafts"].is_null());

    let relabel = json!({ "addLabelIds": ["STARRED"], "removeLabelIds": ["INBOX"] });
    let mail = ask(Method::POST, &format!("/messages/{id}/modify"), relabel).await;
    assert!(items(&mail["labelIds"]).contains(&json!("STARRED")));
    let mail = ask(Method::POST, &format!("/messages/{id}/trash"), Value::Null).await;
    assert!(items(&mail["labelIds"]).contains(&json!("TRASH")));
}

#[tokio::test]
async fn two_users_never_share_a_record() {
    let vendors = Vendors::start(Options::default()).await;
    let mut seen: Vec<BTreeSet<String>> = Vec::new();
    for user in ["ada", "bela"] {
        let hubspot = vendors.connect(Vendor::Hubspot, user).await;
        let google = vendors.connect(Vendor::Google, user).await;
        let contacts = vendors
            .get(&hubspot, "/hubspot/crm/v3/objects/contacts?limit=100")
            .await;
        assert_eq!(contacts.header("x-simulated-account"), user);
        assert!(contacts.text().contains(&format!("@{user}.example")));
        let mails = vendors
            .get(&google, "/gmail/v1/users/me/messages")
            .await
            .expect(200);
        let contacts = contacts.json();
        let ids = items(&contacts["results"])
            .iter()
            .chain(items(&mails["messages"]));
        seen.push(ids.map(|record| record["id"].to_string()).collect());
        let other = vendors
            .get(&google, "/gmail/v1/users/someone@mail.example/profile")
            .await;
        assert_eq!(other.status, 403);
    }
    assert!(seen[0].is_disjoint(&seen[1]));
}

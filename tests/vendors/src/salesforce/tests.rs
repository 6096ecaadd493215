//! An org over the wire: connecting, reading, paging, writing, and what is refused.

use serde_json::{Value, json};

use crate::options::{Budget, Options};
use crate::text::encode;
use crate::wire::{Answer, Wire};
use crate::{Effect, Fault, On};

const LOGIN: &str = "/salesforce/services/oauth2";
const CLIENT: &str = "client_id=simulated-client&client_secret=simulated-secret";

/// A connected user.
struct User<'w> {
    wire: &'w Wire,
    token: String,
    refresh: String,
    host: String,
}

impl<'w> User<'w> {
    async fn connect(wire: &'w Wire, name: &str) -> Self {
        let answer = wire
            .connect(
                &format!("{LOGIN}/authorize"),
                &format!("{LOGIN}/token"),
                "api refresh_token openid",
                name,
            )
            .await;
        assert!(answer.get("expires_in").is_none(), "no lifetime is named");
        let text = |name: &str| answer[name].as_str().expect("a text").to_owned();
        Self {
            wire,
            token: text("access_token"),
            refresh: text("refresh_token"),
            host: text("instance_url").trim_start_matches("https://").to_owned(),
        }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("sforce-query-options", "batchSize=200"),
        ];
        let path = if path.starts_with("/salesforce") {
            path.to_owned()
        } else {
            format!("/salesforce/{}/services/data/v66.0{path}", self.host)
        };
        self.wire.send(method, &path, &headers, &body).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, Value::Null).await
    }

    async fn query(&self, soql: &str) -> Answer {
        self.get(&format!("/query?q={}", encode(soql))).await
    }
}

#[tokio::test]
async fn results_are_paged_by_relative_locators_to_the_last_record() {
    let wire = Wire::start(Options {
        opportunities: 450,
        ..Options::default()
    })
    .await;
    let ada = User::connect(&wire, "ada").await;
    let mut answer = ada.query("SELECT Id, Name FROM Opportunity ORDER BY Id").await;
    let mut names = Vec::new();
    let mut pages = 0;
    loop {
        assert_eq!(answer.status, 200, "{}", answer.json);
        assert_eq!(answer.json["totalSize"], 450);
        pages += 1;
        for record in answer.json["records"].as_array().expect("records") {
            names.push(record["Name"].as_str().expect("a name").to_owned());
        }
        let Some(next) = answer.json["nextRecordsUrl"].as_str().map(str::to_owned) else {
            break;
        };
        assert!(next.starts_with("/salesforce/"), "{next}");
        answer = ada.get(&next).await;
    }
    assert_eq!((pages, names.len()), (3, 450));
    assert!(names.iter().all(|name| name.ends_with("for ada")));
    let stale = ada.get("/query/0r8000000000000AAA-200").await;
    assert_eq!(stale.status, 400);
    assert_eq!(stale.json[0]["errorCode"], "INVALID_QUERY_LOCATOR");
}

#[tokio::test]
async fn what_is_created_is_read_changed_and_deleted() {
    let wire = Wire::start(Options::default()).await;
    let ada = User::connect(&wire, "ada").await;
    let new = json!({ "Name": "New deal", "StageName": "Prospecting", "CloseDate": "2026-12-31", "churn_risk_score__c": 0.4 });
    let created = ada.send("POST", "/sobjects/Opportunity", new).await;
    assert_eq!((created.status, &created.json["success"]), (201, &json!(true)));
    let id = created.json["id"].as_str().expect("an id").to_owned();
    let path = format!("/sobjects/Opportunity/{id}");
    let read = ada
        .get(&format!("{path}?fields=Name,churn_risk_score__c,IsClosed"))
        .await;
    assert_eq!(read.json["churn_risk_score__c"], 0.4);
    assert_eq!(read.json["IsClosed"], false);

    let change = json!({ "StageName": "Closed Won", "NextStep": null });
    assert_eq!(ada.send("PATCH", &path, change).await.status, 204);
    let found = ada
        .query(&format!(
            "SELECT IsWon, Probability FROM Opportunity WHERE Id = '{}'",
            &id[..15]
        ))
        .await;
    assert_eq!(found.json["records"][0]["IsWon"], true);

    assert_eq!(ada.send("DELETE", &path, Value::Null).await.status, 204);
    let gone = ada.get(&path).await;
    assert_eq!(
        (gone.status, &gone.json[0]["errorCode"]),
        (404, &json!("ENTITY_IS_DELETED"))
    );
    let never = ada.get("/sobjects/Account/001000000000000AAA").await;
    assert_eq!(
        (never.status, &never.json[0]["errorCode"]),
        (404, &json!("NOT_FOUND"))
    );
}

#[tokio::test]
async fn an_external_id_creates_once_and_then_updates() {
    let wire = Wire::start(Options::default()).await;
    let ada = User::connect(&wire, "ada").await;
    let path = "/sobjects/Account/External_Id__c/ERP%201";
    let only = ada
        .send(
            "PATCH",
            &format!("{path}?updateOnly=true"),
            json!({ "Name": "x" }),
        )
        .await;
    assert_eq!(only.status, 404);
    let first = ada.send("PATCH", path, json!({ "Name": "First" })).await;
    assert_eq!((first.status, &first.json["created"]), (201, &json!(true)));
    let second = ada.send("PATCH", path, json!({ "Name": "Second" })).await;
    assert_eq!((second.status, &second.json["created"]), (200, &json!(false)));
    assert_eq!(first.json["id"], second.json["id"]);
    assert_eq!(ada.get(path).await.json["Name"], "Second");
    let twin = json!({ "Name": "Twin", "External_Id__c": "ERP 1" });
    assert_eq!(ada.send("POST", "/sobjects/Account", twin).await.status, 201);
    let several = ada.send("PATCH", path, json!({ "Name": "x" })).await;
    assert_eq!(several.status, 300);
    assert_eq!(several.json.as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn complaints_are_arrays_with_the_vendors_codes() {
    let wire = Wire::start(Options::default()).await;
    let ada = User::connect(&wire, "ada").await;
    let email = ada.query("SELECT Email FROM Contact LIMIT 1").await.json["records"][0]["Email"].clone();
    for (object, body, code) in [
        ("Opportunity", json!({ "Name": "x" }), "REQUIRED_FIELD_MISSING"),
        ("Account", json!({ "Nmae": "x" }), "INVALID_FIELD"),
        (
            "Contact",
            json!({ "LastName": "x", "Email": email }),
            "DUPLICATES_DETECTED",
        ),
        (
            "Contact",
            json!({ "LastName": "x", "Name": "y" }),
            "INVALID_FIELD_FOR_INSERT_UPDATE",
        ),
        (
            "Contact",
            json!({ "LastName": "x", "AccountId": "001000000000000AAA" }),
            "INVALID_CROSS_REFERENCE_KEY",
        ),
        (
            "Account",
            json!({ "Name": "x", "NumberOfEmployees": "many" }),
            "JSON_PARSER_ERROR",
        ),
    ] {
        let answer = ada
            .send("POST", &format!("/sobjects/{object}"), body.clone())
            .await;
        assert_eq!(
            (answer.status, &answer.json[0]["errorCode"]),
            (400, &json!(code)),
            "{body}"
        );
    }
    for (soql, code) in [
        ("SELECT * FROM Account", "MALFORMED_QUERY"),
        ("SELECT Nope FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Nope", "INVALID_TYPE"),
    ] {
        let answer = ada.query(soql).await;
        assert_eq!(
            (answer.status, &answer.json[0]["errorCode"]),
            (400, &json!(code)),
            "{soql}"
        );
    }
}

#[tokio::test]
async fn a_session_is_good_at_its_own_host_until_it_ends() {
    let wire = Wire::start(Options::default()).await;
    let ada = User::connect(&wire, "ada").await;
    let grace = User::connect(&wire, "grace").await;
    assert_ne!(ada.host, grace.host);
    let elsewhere = format!("/salesforce/{}/services/data/v66.0/limits", grace.host);
    let refused = ada.get(&elsewhere).await;
    assert_eq!(
        (refused.status, &refused.json[0]["errorCode"]),
        (401, &json!("INVALID_SESSION_ID"))
    );
    assert_eq!(ada.get("/limits").await.status, 200);

    wire.simulator.expire_access_tokens();
    assert_eq!(ada.get("/limits").await.status, 401);
    wire.simulator
        .move_salesforce_org("ada", "moved.my.salesforce.com");
    let renewed = wire
        .form(
            &format!("{LOGIN}/token"),
            &format!("{CLIENT}&grant_type=refresh_token&refresh_token={}", ada.refresh),
        )
        .await;
    assert_eq!(renewed.json["instance_url"], "https://moved.my.salesforce.com");
    assert!(renewed.json.get("refresh_token").is_none(), "it stays as it was");
    let moved = User {
        token: renewed.json["access_token"].as_str().expect("a token").to_owned(),
        host: "moved.my.salesforce.com".to_owned(),
        ..ada
    };
    let who = moved
        .get("/salesforce/moved.my.salesforce.com/services/oauth2/userinfo")
        .await;
    assert_eq!(who.json["name"], "ada");

    let revoked = wire
        .form(&format!("{LOGIN}/revoke"), &format!("token={}", moved.refresh))
        .await;
    assert_eq!(revoked.status, 200);
    assert_eq!(moved.get("/limits").await.status, 401);
}

#[tokio::test]
async fn an_org_over_its_allocation_is_refused_with_403() {
    let wire = Wire::start(Options {
        salesforce_budget: Some(Budget {
            requests: 2,
            window_ms: 60_000,
        }),
        ..Options::default()
    })
    .await;
    let ada = User::connect(&wire, "ada").await;
    assert_eq!(
        ada.get("/limits").await.headers["sforce-limit-info"],
        "api-usage=1/2"
    );
    assert_eq!(ada.get("/limits").await.status, 200);
    let over = ada.get("/limits").await;
    assert_eq!(
        (over.status, &over.json[0]["errorCode"]),
        (403, &json!("REQUEST_LIMIT_EXCEEDED"))
    );
    let grace = User::connect(&wire, "grace").await;
    assert_eq!(grace.get("/limits").await.status, 200, "orgs do not share it");
}

#[tokio::test]
async fn searches_reports_posts_and_descriptions_answer_in_their_shapes() {
    let wire = Wire::start(Options::default()).await;
    let ada = User::connect(&wire, "ada").await;
    let found = ada
        .get("/parameterizedSearch?q=ada&sobject=Contact&sobject=Opportunity&fields=Id,Name&overallLimit=5")
        .await;
    assert_eq!(found.json["searchRecords"].as_array().map(Vec::len), Some(5));
    let sosl = encode("FIND {ada} IN ALL FIELDS RETURNING Contact(Id, Email)");
    let found = ada.get(&format!("/search?q={sosl}")).await;
    assert_eq!(found.json["searchRecords"][0]["attributes"]["type"], "Contact");

    let described = ada.get("/sobjects/Opportunity/describe").await;
    let fields = described.json["fields"].as_array().expect("fields");
    assert!(
        fields
            .iter()
            .any(|field| field["name"] == "churn_risk_score__c" && field["custom"] == true)
    );
    assert_eq!(
        ada.get("/sobjects").await.json["sobjects"]
            .as_array()
            .map(Vec::len),
        Some(11)
    );

    let reports = ada.get("/analytics/reports").await;
    let report = reports.json[0]["id"].as_str().expect("an id").to_owned();
    let ran = ada
        .get(&format!("/analytics/reports/{report}?includeDetails=true"))
        .await;
    assert!(ran.json["factMap"]["0!T"]["rows"].is_array());

    let account = ada.query("SELECT Id FROM Account LIMIT 1").await.json["records"][0]["Id"].clone();
    let post = json!({ "feedElementType": "FeedItem", "subjectId": account, "body": { "messageSegments": [{ "type": "Text", "text": "Hello" }] } });
    assert_eq!(ada.send("POST", "/chatter/feed-elements", post).await.status, 201);
    let read = ada.query("SELECT Body FROM FeedItem").await;
    assert_eq!(read.json["records"][0]["Body"], "Hello");
    let account = account.as_str().unwrap_or_default();
    let contacts = ada
        .get(&format!("/sobjects/Account/{account}/Contacts?fields=Email"))
        .await;
    assert_eq!(contacts.json["totalSize"], 1);
}

#[tokio::test]
async fn a_fault_speaks_as_the_vendor_does() {
    let wire = Wire::start(Options::default()).await;
    let ada = User::connect(&wire, "ada").await;
    wire.simulator.fail(Fault {
        on: On::default(),
        times: Some(1),
        effect: Effect::Status {
            status: 403,
            retry_after: Vec::new(),
        },
    });
    let refused = ada.get("/limits").await;
    assert_eq!(refused.json[0]["errorCode"], "REQUEST_LIMIT_EXCEEDED");
    assert_eq!(ada.get("/limits").await.status, 200);
}

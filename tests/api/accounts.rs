//! Connected accounts that an application makes, finds and changes over REST.

use http::Method;
use serde_json::{Value, json};

use valetkey_tests::TestHost;

use crate::edge::{Caller, Vendor, host_with};

const ACCOUNTS: &str = "/api/v1/connected_accounts";
const TOKEN: &str = "pat-na1-canary-canary-0123456789";

fn new(identifier: &str, token: &str) -> Value {
    json!({"connection_name": "hubspot", "identifier": identifier, "credential": {"inputs": {"token": token}}})
}

async fn make(host: &TestHost, body: Value) -> Value {
    host.api(Method::POST, ACCOUNTS, body).await.expect(200)
}

#[tokio::test]
async fn an_account_with_a_credential_is_usable_at_once_and_the_credential_never_answered() {
    let vendor = Vendor::start().await;
    let host = host_with(&vendor).await;
    let made = make(&host, new("ada", TOKEN)).await;
    assert_eq!(
        (&made["state"], &made["subject"]),
        (&json!("ACTIVE"), &json!("4711"))
    );
    let params = json!({"properties": {"email": "ada@example.com"}});
    host.call("hubspot_contact_create", "ada", params)
        .await
        .expect(200);

    let again = host
        .api(Method::POST, ACCOUNTS, new("ada", TOKEN))
        .await
        .expect(409);
    assert!(!again.to_string().contains(TOKEN));
    let path = format!("{ACCOUNTS}/{}", made["id"].as_str().expect("an id"));
    let other = "pat-na1-canary-canary-9876543210";
    let change = json!({"credential": {"inputs": {"token": other}}});
    let changed = host.api(Method::PATCH, &path, change).await.expect(200);
    assert_eq!(
        (&changed["id"], &changed["state"]),
        (&made["id"], &json!("ACTIVE"))
    );
    for answer in [&made, &changed] {
        assert!(!answer.to_string().contains("canary"), "{answer}");
    }

    for (credential, field) in [
        (json!({"inputs": {"token": 5}}), "/credential/inputs/token"),
        (json!({"inputs": {"api_key": TOKEN}}), "/credential/api_key"),
        (
            json!({"tokens": {"access_token": TOKEN, "token_expires_at": "soon"}}),
            "/credential/tokens/token_expires_at",
        ),
    ] {
        let body = json!({"connection_name": "hubspot", "identifier": "bob", "credential": credential});
        let answer = host.api(Method::POST, ACCOUNTS, body).await;
        let refused = answer.expect(400);
        assert_eq!(refused["error"]["fields"][0]["path"], field, "{refused}");
        assert!(!answer.text().contains("canary"), "{}", answer.text());
    }
    let nobody = host
        .api(Method::GET, &format!("{ACCOUNTS}?identifier=bob"), Value::Null)
        .await;
    assert_eq!(
        nobody.expect(200),
        json!({"items": []}),
        "what was refused left nothing"
    );
}

#[tokio::test]
async fn an_account_is_found_by_its_user_and_lists_are_narrowed() {
    let vendor = Vendor::start().await;
    let host = host_with(&vendor).await;
    let second = vendor.connection("hubspot-eu");
    host.api(Method::POST, "/api/v1/connections", second)
        .await
        .expect(201);
    let ada = make(&host, new("ada", TOKEN)).await;
    let eu = make(
        &host,
        json!({"connection_name": "hubspot-eu", "identifier": "bela"}),
    )
    .await;
    let get = async |query: &str| {
        host.api(Method::GET, &format!("{ACCOUNTS}{query}"), Value::Null)
            .await
    };

    assert_eq!(
        get("/details?connection_name=hubspot&identifier=ada")
            .await
            .expect(200),
        ada
    );
    let by_id = format!(
        "/details?connected_account_id={}",
        ada["id"].as_str().expect("an id")
    );
    assert_eq!(get(&by_id).await.expect(200), ada);
    get(&format!("{by_id}&identifier=bela")).await.expect(404);
    get("/details?connection_name=hubspot&identifier=bela")
        .await
        .expect(404);
    get("/details?identifier=ada").await.expect(400);
    let stranger = Caller::superuser(&host, "other").await;
    stranger.get(&format!("{ACCOUNTS}{by_id}")).await.expect(404);

    for (query, wanted) in [
        ("?connection_name=hubspot,hubspot-eu", vec![&ada, &eu]),
        ("?connection_name=hubspot-eu", vec![&eu]),
        ("?connector=hubspot&state=ACTIVE", vec![&ada]),
        ("?query=BEL", vec![&eu]),
        ("?query=hubspot-e", vec![&eu]),
        ("?connector=gmail", vec![]),
    ] {
        let list = get(query).await.expect(200);
        let items: Vec<&Value> = list["items"].as_array().expect("items").iter().collect();
        assert_eq!(items, wanted, "{query}");
    }
    let refused = get("?connection_name=Hub%20Spot").await.expect(400);
    assert_eq!(refused["error"]["fields"][0]["path"], "/connection_name");

    let link = json!({"connected_account_id": eu["id"]});
    let link = host
        .api(Method::POST, &format!("{ACCOUNTS}/magic_link"), link)
        .await
        .expect(200);
    assert_eq!(link["connected_account_id"], eu["id"]);
    let nothing = host
        .api(Method::POST, &format!("{ACCOUNTS}/magic_link"), json!({}))
        .await
        .expect(400);
    assert!(
        nothing["error"]["message"]
            .as_str()
            .expect("words")
            .contains("identifier")
    );

    let named = host
        .api(
            Method::GET,
            "/api/v1/connections?query=EU&connector=HubSpot",
            Value::Null,
        )
        .await
        .expect(200);
    assert_eq!(named["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(named["items"][0]["connection_name"], "hubspot-eu");
}

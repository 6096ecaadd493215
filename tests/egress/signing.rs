//! Credentials that are computed for each request: several parameters, keyed hashes, AWS
//! Signature Version 4, tokens that the host signs. What arrives is checked as the vendor would
//! check it, from the bytes on the wire.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use valetkey::clock::Clock;
use valetkey::egress::{Inputs, Material, Reach};
use valetkey::error::Kind;
use valetkey::secret::Secret;
use valetkey_manifest::Placement;
use valetkey_tests::keys;

use crate::vendor::{Act, Seen, Vendor, answer, ok};
use crate::world::{Account, Names, egress, egress_on, get, post, reach, refused, settings};

const RULES: [&str; 2] = ["GET api:/{*}", "POST api:/{*}"];
const KEY: &str = "kk-0123456789-the-key";
const ID: &str = "id-of-the-key-1";

fn inputs() -> Inputs {
    let secret = [
        ("api_secret", KEY),
        ("hex_secret", "00112233445566778899aabbccddeeff"),
        ("secret_access_key", KEY),
        ("rsa_key", &keys::RSA.pem),
        ("ec_key", &keys::EC.pem),
    ];
    Inputs {
        secret: secret
            .map(|(name, text)| (name.to_owned(), Secret::new(text.to_owned())))
            .into(),
        open: ["key_id", "access_key_id"]
            .map(|name| (name.to_owned(), ID.to_owned()))
            .into(),
    }
}

/// A reach whose account signs as `placement` says.
fn signing(url: &str, placement: Value) -> Reach {
    let placement: Placement = serde_json::from_value(placement).expect("a placement");
    let credentials = Account::with(move |_| (Material::Inputs(inputs()), placement.clone()));
    Reach {
        credentials,
        ..reach(url, &RULES)
    }
}

fn mac(algorithm: hmac::Algorithm, key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(algorithm, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn header<'s>(seen: &'s Seen, name: &str) -> &'s str {
    let values = seen.header(name);
    assert_eq!(values.len(), 1, "{name}: {}", seen.head);
    values[0]
}

/// Header and claims of a JSON Web Token, and what its signature covers.
fn token(text: &str) -> (Value, Value, String, Vec<u8>) {
    let (signed, signature) = text.rsplit_once('.').expect("three parts");
    let (head, claims) = signed.split_once('.').expect("three parts");
    let part =
        |text: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).expect("base64")).expect("JSON");
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64");
    (part(head), part(claims), signed.to_owned(), signature)
}

#[tokio::test]
async fn several_inputs_go_where_the_manifest_says_and_come_back_redacted() {
    let vendor = Vendor::start(|_, seen| ok(seen.head.clone())).await;
    let placement = json!({"in": "fields",
        "headers": {"dd-api-key": "{inputs.api_secret}", "dd-id": "v1 {inputs.key_id}"},
        "query": {"key": "{inputs.hex_secret}"}});
    let seen = egress(&settings())
        .send(&signing(&vendor.url(), placement), get("/x"))
        .await
        .unwrap();
    let sent = &vendor.seen()[0];
    assert_eq!(header(sent, "dd-api-key"), KEY);
    assert_eq!(header(sent, "dd-id"), format!("v1 {ID}"));
    assert_eq!(sent.target(), "/x?key=00112233445566778899aabbccddeeff");
    let body = String::from_utf8(seen.body.to_vec()).unwrap();
    assert!(!body.contains(KEY) && !body.contains("00112233"), "{body}");
    assert!(body.contains(ID), "an identifier is no secret: {body}");
}

#[tokio::test]
async fn a_keyed_hash_covers_the_bytes_that_were_sent() {
    let vendor = Vendor::start(|_, _| ok("{}")).await;
    let placement = json!({"in": "hmac", "algorithm": "sha256", "key": "api_secret",
        "signed": "{timestamp}{method}{target}{header.content-type}{body}", "encoding": "base64",
        "headers": {"x-key": "{inputs.key_id}", "x-time": "{timestamp}", "x-sign": "v0={signature}"}});
    let mut request = post("/orders", r#"{"n":1}"#);
    request.query = vec![("q".into(), "a b&c".into())];
    request.headers = vec![("content-type".into(), "application/json".into())];
    let egress = egress(&settings());
    egress
        .send(&signing(&vendor.url(), placement), request)
        .await
        .unwrap();
    let sent = &vendor.seen()[0];
    let time = header(sent, "x-time");
    let text = format!("{time}POST{}application/json{{\"n\":1}}", sent.target());
    assert_eq!(sent.target(), "/orders?q=a%20b%26c");
    let expected = STANDARD.encode(mac(hmac::HMAC_SHA256, KEY.as_bytes(), &text));
    assert_eq!(header(sent, "x-sign"), format!("v0={expected}"));
    assert_eq!(header(sent, "x-key"), ID);
}

#[tokio::test]
async fn parameters_that_are_signed_are_there_before_the_signature() {
    let vendor = Vendor::start(|_, _| ok("{}")).await;
    let placement = json!({"in": "hmac", "algorithm": "sha512", "key": "hex_secret", "key_encoding": "hex",
        "signed": "{query}|{body_sha256}", "timestamp": "milliseconds",
        "query": {"timestamp": "{timestamp}", "signature": "{signature}"}});
    egress(&settings())
        .send(&signing(&vendor.url(), placement), post("/order", "symbol=X"))
        .await
        .unwrap();
    let sent = &vendor.seen()[0];
    let (_, query) = sent.target().split_once('?').unwrap();
    let (signed, signature) = query.split_once("&signature=").unwrap();
    assert!(
        signed.starts_with("timestamp=") && signed.len() == "timestamp=".len() + 13,
        "{signed}"
    );
    let body = hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"symbol=X").as_ref());
    let key: Vec<u8> = (0..16_u8).map(|n| n * 0x11).collect();
    assert_eq!(
        signature,
        hex(&mac(hmac::HMAC_SHA512, &key, &format!("{signed}|{body}")))
    );
}

#[tokio::test]
async fn each_attempt_is_signed_anew_at_its_own_moment() {
    let clock = Clock::system();
    let ticking = clock.clone();
    let vendor = Vendor::start(move |number, _| {
        ticking.advance(std::time::Duration::from_secs(90));
        if number == 1 {
            answer("503 Service Unavailable", "retry-after: 0\r\n", "")
        } else {
            ok("{}")
        }
    })
    .await;
    let placement = json!({"in": "hmac", "algorithm": "sha1", "key": "api_secret", "signed": "{timestamp}.{nonce}",
        "headers": {"x-time": "{timestamp}", "x-nonce": "{nonce}", "x-sign": "{signature}"}});
    egress_on(&settings(), &clock, Names::local())
        .send(&signing(&vendor.url(), placement), get("/x"))
        .await
        .unwrap();
    let seen = vendor.seen();
    let times: Vec<i64> = seen
        .iter()
        .map(|seen| header(seen, "x-time").parse().unwrap())
        .collect();
    assert!(seen.len() == 2 && times[1] >= times[0] + 90, "{times:?}");
    assert_ne!(header(&seen[0], "x-nonce"), header(&seen[1], "x-nonce"));
    for sent in &seen {
        let text = format!("{}.{}", header(sent, "x-time"), header(sent, "x-nonce"));
        let expected = mac(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, KEY.as_bytes(), &text);
        assert_eq!(header(sent, "x-sign"), hex(&expected));
    }
}

#[tokio::test]
async fn a_signature_that_the_vendor_echoes_does_not_reach_the_guest() {
    let vendor = Vendor::start(|_, seen| ok(seen.head.clone())).await;
    let placements = [
        (
            "x-sign",
            json!({"in": "hmac", "algorithm": "sha256", "key": "api_secret", "signed": "{nonce}",
            "headers": {"x-sign": "{signature}"}}),
        ),
        (
            "authorization",
            json!({"in": "jwt", "token": {"algorithm": "HS256", "key": "api_secret", "lifetime_seconds": 60}}),
        ),
        (
            "authorization",
            json!({"in": "sigv4", "service": "s3", "region": "us-east-1"}),
        ),
    ];
    for (carrier, placement) in placements {
        let egress = egress(&settings());
        let seen = egress
            .send(&signing(&vendor.url(), placement), get("/x"))
            .await
            .unwrap();
        let body = String::from_utf8(seen.body.to_vec()).unwrap();
        let all = vendor.seen();
        let sent = header(all.last().unwrap(), carrier);
        let proof = sent.rsplit(['=', ' ']).next().unwrap();
        assert!(proof.len() > 40, "{sent}");
        assert!(!body.contains(proof) && body.contains("[redacted]"), "{body}");
    }
}

#[tokio::test]
async fn a_signature_of_aws_arrives_with_what_it_covers() {
    let vendor = Vendor::start(|_, _| ok("{}")).await;
    let placement = json!({"in": "sigv4", "service": "s3", "region": "eu-central-1"});
    let reach = signing(&vendor.url(), placement);
    egress(&settings())
        .send(&reach, post("/bucket/a%20b", "content"))
        .await
        .unwrap();
    let sent = &vendor.seen()[0];
    let moment = header(sent, "x-amz-date");
    let digest = |bytes: &[u8]| hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref());
    assert_eq!(header(sent, "x-amz-content-sha256"), digest(b"content"));
    // The vendor's side of it, written down from the documentation.
    let scope = format!("{}/eu-central-1/s3/aws4_request", &moment[..8]);
    let canonical = format!(
        "POST\n/bucket/a%20b\n\nhost:{}\nx-amz-content-sha256:{}\nx-amz-date:{moment}\n\n\
         host;x-amz-content-sha256;x-amz-date\n{}",
        header(sent, "host"),
        digest(b"content"),
        digest(b"content"),
    );
    let text = format!(
        "AWS4-HMAC-SHA256\n{moment}\n{scope}\n{}",
        digest(canonical.as_bytes())
    );
    let mut key = format!("AWS4{KEY}").into_bytes();
    for part in scope.split('/') {
        key = mac(hmac::HMAC_SHA256, &key, part);
    }
    assert_eq!(
        header(sent, "authorization"),
        format!(
            "AWS4-HMAC-SHA256 Credential={ID}/{scope}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, \
             Signature={}",
            hex(&mac(hmac::HMAC_SHA256, &key, &text))
        )
    );
}

#[tokio::test]
async fn a_token_that_the_host_signs_is_good_for_this_request() {
    let vendor = Vendor::start(|_, _| ok("{}")).await;
    for (algorithm, key) in [("HS256", "api_secret"), ("RS256", "rsa_key"), ("ES256", "ec_key")] {
        let placement = json!({"in": "jwt", "name": "authorization", "format": "Ghost {secret}",
            "token": {"algorithm": algorithm, "key": key, "key_id": "{inputs.key_id}", "lifetime_seconds": 300,
                "claims": {"iss": "{inputs.key_id}", "aud": ["/admin/"], "uri": "{method} {host}{path}", "n": 7}}});
        let reach = signing(&vendor.url(), placement);
        egress(&settings()).send(&reach, get("/a/b")).await.unwrap();
        let all = vendor.seen();
        let sent = all.last().unwrap();
        let text = header(sent, "authorization").strip_prefix("Ghost ").unwrap();
        let (head, claims, signed, signature) = token(text);
        assert_eq!(head, json!({"typ": "JWT", "alg": algorithm, "kid": ID}));
        assert_eq!(claims["iss"], ID);
        assert_eq!(claims["aud"], json!(["/admin/"]));
        assert_eq!(claims["n"], 7);
        assert_eq!(claims["uri"], format!("GET {}/a/b", header(sent, "host")));
        assert_eq!(
            claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
            300
        );
        if algorithm == "HS256" {
            assert_eq!(signature, mac(hmac::HMAC_SHA256, KEY.as_bytes(), &signed));
        } else {
            assert!(keys::is_signed(algorithm, signed.as_bytes(), &signature));
        }
    }
}

#[tokio::test]
async fn a_guest_cannot_take_the_place_of_a_signature() {
    let vendor = Vendor::start(|_, _| ok("{}")).await;
    let placement = json!({"in": "hmac", "algorithm": "sha256", "key": "api_secret", "signed": "{target}",
        "headers": {"x-time": "{timestamp}"}, "query": {"sig": "{signature}"}});
    let egress = egress(&settings());
    let mut taken = get("/x");
    taken.headers = vec![("X-Time".into(), "0".into())];
    let outcome = egress
        .send(&signing(&vendor.url(), placement.clone()), taken)
        .await;
    refused(outcome, Kind::EgressDenied, "header_forbidden");
    let mut taken = get("/x");
    taken.query = vec![("SIG".into(), "0".into())];
    let outcome = egress.send(&signing(&vendor.url(), placement), taken).await;
    refused(outcome, Kind::EgressDenied, "header_forbidden");
    assert!(vendor.seen().is_empty());
}

#[tokio::test]
async fn a_key_that_is_none_is_said_without_being_shown() {
    let vendor = Vendor::start(|_, _| Act::Answer(Vec::new())).await;
    let token = |algorithm: &str| {
        json!({"in": "jwt",
        "token": {"algorithm": algorithm, "key": "api_secret", "lifetime_seconds": 60}})
    };
    let hex_key = json!({"in": "hmac", "algorithm": "sha256", "key": "api_secret", "key_encoding": "hex",
        "signed": "{body}", "headers": {"x-sign": "{signature}"}});
    let region = json!({"in": "sigv4", "service": "s3", "region": "{config.region}"});
    for (placement, named) in [
        (token("RS256"), "PEM"),
        (token("ES256"), "PEM"),
        (hex_key, "hexadecimal"),
        (region, "config.region"),
    ] {
        let outcome = egress(&settings())
            .send(&signing(&vendor.url(), placement), get("/x"))
            .await;
        let fault = refused(outcome, Kind::AccountNotActive, "credential_check_failed");
        assert!(
            fault.public().contains(named) && !fault.public().contains(KEY),
            "{fault:?}"
        );
    }
    assert!(vendor.seen().is_empty());
}

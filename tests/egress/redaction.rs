//! A vendor that echoes the credential does not hand it to the guest.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use bytes::Bytes;
use valetkey::egress::{GuestRequest, Material, Reach};
use valetkey::secret::Secret;
use valetkey_manifest::Placement;

use crate::vendor::{Act, Vendor, answer, ok};
use crate::world::{Account, TOKEN, egress, get, reach, request, settings};

const RULES: [&str; 1] = ["GET api:/{*}"];

#[tokio::test]
async fn a_reflected_credential_is_redacted_in_every_position_and_encoding() {
    let percent = |text: &str| {
        text.bytes()
            .map(|byte| format!("%{byte:02X}"))
            .collect::<String>()
    };
    let unicode = |text: &str| {
        text.bytes()
            .map(|byte| format!("\\u{:04x}", byte))
            .collect::<String>()
    };
    let forms = [
        TOKEN.to_owned(),
        TOKEN.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D"),
        TOKEN.replace('/', "%2f").replace('+', "%2b").replace('=', "%3d"),
        TOKEN.replace('/', "\\/"),
        TOKEN.replace('+', "\\u002b").replace('=', "\\u003d"),
        percent(TOKEN),
        unicode(TOKEN),
        STANDARD.encode(TOKEN),
        URL_SAFE.encode(format!("Bearer {TOKEN}")),
        URL_SAFE_NO_PAD.encode(format!("{{\"authorization\":\"Bearer {TOKEN}\"}}")),
        STANDARD
            .encode(format!("x{TOKEN}"))
            .replace('+', "%2B")
            .replace('/', "%2F"),
        TOKEN.bytes().map(|byte| format!("{byte:02x}")).collect(),
    ];
    for form in forms {
        let shown = form.clone();
        let vendor = Vendor::start(move |_, _| {
            let headers = format!("x-echo: a {shown} b\r\nwww-authenticate: Bearer error=\"{shown}\"\r\n");
            answer("200 OK", &headers, format!("{shown} \"{shown}\" {shown}"))
        })
        .await;
        let seen = egress(&settings())
            .send(&reach(&vendor.url(), &RULES), get("/x"))
            .await
            .unwrap();
        let body = String::from_utf8(seen.body.to_vec()).unwrap();
        let everything = format!("{body} {:?}", seen.headers);
        assert_eq!(
            everything.matches("[redacted]").count(),
            5,
            "{form}: {everything}"
        );
        // The middle of every form is the secret itself.
        let middle = &form[form.len() / 2..][..12];
        assert!(
            !everything.contains(middle),
            "{form}: {middle} is left in {everything}"
        );
    }
}

#[tokio::test]
async fn a_reflected_credential_is_redacted_whatever_was_sent_and_answered() {
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    let rules = methods.map(|method| format!("{method} api:/{{*}}"));
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    for status in [
        "200 OK",
        "201 Created",
        "302 Found",
        "307 Redirect",
        "308 Redirect",
        "400 Bad",
        "401 No",
        "403 No",
        "404 None",
        "409 Conflict",
        "422 No",
        "500 Oops",
        "503 Down",
    ] {
        let vendor = Vendor::start(move |_, seen| {
            let sent = seen.header("authorization")[0].to_owned();
            let encoded = STANDARD.encode(&sent);
            // Links to itself are kept, and so might be what they carry.
            let headers = format!(
                "location: /next?token={}\r\nx-request: {sent}\r\nwww-authenticate: {encoded}\r\n",
                sent.replace(' ', "+")
            );
            let body = format!("{{\"sent\":\"{sent}\",\"encoded\":\"{encoded}\"}}");
            answer(status, &headers, body)
        })
        .await;
        let egress = egress(&settings());
        for method in methods {
            let reach = reach(&vendor.url(), &rules);
            let request = GuestRequest {
                body: (method != "GET").then(|| Bytes::from_static(b"{\"a\":1}")),
                ..request(method, "/x")
            };
            let seen = egress.send(&reach, request).await.unwrap();
            let everything = format!("{} {:?}", String::from_utf8_lossy(&seen.body), seen.headers);
            assert_eq!(seen.status.as_str(), &status[..3]);
            for secret in [
                TOKEN,
                &TOKEN[4..],
                &STANDARD.encode(format!("Bearer {TOKEN}"))[12..40],
            ] {
                assert!(!everything.contains(secret), "{method} {status}: {everything}");
            }
            assert_eq!(
                everything.matches("[redacted]").count(),
                5,
                "{method} {status}: {everything}"
            );
        }
    }
}

#[tokio::test]
async fn no_failure_quotes_the_credential_that_a_vendor_threw_back() {
    for back in [
        (|sent: &str| Act::Last(format!("{sent}\r\n\r\n").into_bytes())) as fn(&str) -> Act,
        |sent| Act::Last(format!("HTTP/1.1 200 OK\r\n{sent}\r\n\r\n").into_bytes()),
        |sent| Act::Last(format!("HTTP/1.1 200 {sent}\r\ncontent-length: {sent}\r\n\r\n").into_bytes()),
        |sent| {
            Act::Last(
                format!("HTTP/1.1 200 OK\r\ncontent-encoding: {sent}\r\ncontent-length: 2\r\n\r\n{{}}")
                    .into_bytes(),
            )
        },
        |sent| {
            Act::Last(format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{sent}\r\n").into_bytes())
        },
        |sent| answer("429 Slow", "retry-after: 3600\r\n", sent),
        |sent| Act::Last(format!("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{sent}").into_bytes()),
    ] {
        for method in ["GET", "POST"] {
            let vendor = Vendor::start(move |_, seen| back(seen.header("authorization")[0])).await;
            let outcome = egress(&settings())
                .send(
                    &reach(&vendor.url(), &["GET api:/x", "POST api:/x"]),
                    request(method, "/x"),
                )
                .await;
            let fault = outcome.expect_err("it is no answer");
            let everything = format!("{fault:?} {} {}", fault.public(), fault.chain());
            assert!(!everything.contains(&TOKEN[4..]), "{everything}");
        }
    }
}

#[tokio::test]
async fn a_credential_cut_across_pieces_of_a_body_is_found() {
    let vendor = Vendor::start(|_, _| {
        let mut bytes = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        for byte in format!("<<{TOKEN}>>").bytes() {
            bytes.extend(format!("1\r\n{}\r\n", char::from(byte)).bytes());
        }
        bytes.extend(b"0\r\n\r\n");
        Act::Answer(bytes)
    })
    .await;
    let seen = egress(&settings())
        .send(&reach(&vendor.url(), &RULES), get("/x"))
        .await
        .unwrap();
    assert_eq!(seen.body, "<<[redacted]>>");
}

#[tokio::test]
async fn a_header_named_after_the_credential_is_dropped() {
    const PLAIN: &str = "AbCdEfGh12345678";
    let vendor =
        Vendor::start(|_, _| answer("200 OK", &format!("x-{PLAIN}: 1\r\nx-kept: 1\r\n"), "{}")).await;
    let account = Account::with(|_| {
        (
            Material::Token(Secret::new(PLAIN.into())),
            Placement::Header {
                name: "x-key".into(),
                format: "{secret}".into(),
            },
        )
    });
    let reach = Reach {
        credentials: account,
        ..reach(&vendor.url(), &RULES)
    };
    let seen = egress(&settings()).send(&reach, get("/x")).await.unwrap();
    assert_eq!(seen.headers, [("x-kept".to_owned(), "1".to_owned())]);
}

#[tokio::test]
async fn a_password_is_redacted_alone_and_within_the_basic_header() {
    let vendor = Vendor::start(|_, seen| {
        ok(format!(
            "{} correct-horse {}",
            seen.header("authorization")[0],
            STANDARD.encode("correct-horse")
        ))
    })
    .await;
    let account = Account::with(|_| {
        let (username, password) = (
            Secret::new("ada@example.org".into()),
            Secret::new("correct-horse".into()),
        );
        (Material::Basic { username, password }, Placement::Basic)
    });
    let reach = Reach {
        credentials: account,
        ..reach(&vendor.url(), &RULES)
    };
    let seen = egress(&settings()).send(&reach, get("/x")).await.unwrap();
    let sent = vendor.seen()[0].header("authorization")[0].to_owned();
    assert_eq!(
        sent,
        format!("Basic {}", STANDARD.encode("ada@example.org:correct-horse"))
    );
    let body = String::from_utf8(seen.body.to_vec()).unwrap();
    assert_eq!(body.matches("[redacted]").count(), 3, "{body}");
    assert!(!body.contains("horse") && !body.contains("YWRhQGV4"), "{body}");
}

#[tokio::test]
async fn the_replaced_credential_is_redacted_as_well_as_the_new_one() {
    let vendor = Vendor::start(|number, seen| {
        let body = format!("{} {TOKEN}", seen.header("authorization")[0]);
        if number == 1 {
            answer("401 Unauthorized", "", body)
        } else {
            ok(body)
        }
    })
    .await;
    let seen = egress(&settings())
        .send(&reach(&vendor.url(), &RULES), get("/x"))
        .await
        .unwrap();
    let body = String::from_utf8(seen.body.to_vec()).unwrap();
    assert!(
        body.starts_with("Bearer [redacted]") && !body.contains(TOKEN),
        "{body}"
    );
}

//! A vendor that echoes the credential does not hand it to the guest.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use valetkey::egress::{Material, Reach};
use valetkey::secret::Secret;
use valetkey_manifest::Placement;

use crate::vendor::{Act, Vendor, answer, ok};
use crate::world::{Account, TOKEN, egress, get, reach, settings};

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

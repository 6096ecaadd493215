//! What a guest may ask for. Refused means: the right fault, and not one byte on the wire.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use valetkey::config;
use valetkey::egress::{GuestRequest, Reach};
use valetkey::error::Kind;

use crate::vendor::{Vendor, ok};
use crate::world::{Account, TOKEN, egress, get, post, reach, refused, request, settings};

const DENIED: Kind = Kind::EgressDenied;

#[tokio::test]
async fn an_undeclared_endpoint_or_another_origin_is_never_contacted() {
    let vendor = Vendor::start(|_, _| ok("{}")).await;
    let other = Vendor::start(|_, _| ok("{}")).await;
    let egress = egress(&settings());
    let reach = reach(&format!("{}/base", vendor.url()), &["GET api:/{*}"]);
    let to = |url: &str| GuestRequest {
        url: Some(url.to_owned()),
        ..get("")
    };

    let unknown = GuestRequest {
        endpoint: "upload".into(),
        ..get("/x")
    };
    refused(egress.send(&reach, unknown).await, DENIED, "host_not_allowed");
    let port = vendor.port;
    for (url, reason) in [
        (format!("https://127.0.0.1:{port}/base/x"), "scheme"),
        (format!("file://127.0.0.1:{port}/base/x"), "scheme"),
        ("http:/base/x".to_owned(), "scheme"),
        ("http:base/x".to_owned(), "scheme"),
        ("javascript:x".to_owned(), "scheme"),
        (format!("//127.0.0.1:{}/base/x", other.port), "port"),
        ("//evil.test/base/x".to_owned(), "host_not_allowed"),
        ("///evil.test/base/x".to_owned(), "host_not_allowed"),
        ("/\\evil.test/base/x".to_owned(), "path"),
        ("/other/x".to_owned(), "path"),
        ("/base/../x".to_owned(), "path"),
        ("/base/x#y".to_owned(), "path"),
        ("../x".to_owned(), "path"),
        ("x/../../../x".to_owned(), "path"),
        ("%2e%2e/x".to_owned(), "path"),
        ("\\\\evil.test".to_owned(), "path"),
        (format!("http://127.0.0.1:{}/base/x", other.port), "port"),
        ("http://127.0.0.1/base/x".to_owned(), "port"),
        (format!("http://localhost:{port}/base/x"), "host_not_allowed"),
        (format!("http://127.1:{port}/base/x"), "host_not_allowed"),
        (format!("http://2130706433:{port}/base/x"), "host_not_allowed"),
        (format!("http://evil.test:{port}/base/x"), "host_not_allowed"),
        (
            format!("http://127.0.0.1:{port}.evil.test/base/x"),
            "host_not_allowed",
        ),
        (
            format!("http://127.0.0.1:{port}@evil.test/base/x"),
            "host_not_allowed",
        ),
        (
            format!("http://evil.test@127.0.0.1:{port}/base/x"),
            "host_not_allowed",
        ),
        (format!("http://127.0.0.1:{port}\\@evil.test/base/x"), "path"),
        (
            format!("http://evil.test\\@127.0.0.1:{port}/base/x"),
            "host_not_allowed",
        ),
        (format!("http:///127.0.0.1:{port}/base/x"), "host_not_allowed"),
        (format!("http://127.0.0.1:{port}/other/x"), "path"),
        (format!("http://127.0.0.1:{port}/based/x"), "path"),
        (format!("http://127.0.0.1:{port}/base"), "path"),
        (format!("http://127.0.0.1:{port}/base/../x"), "path"),
        (format!("http://127.0.0.1:{port}/base/%2e%2e/x"), "path"),
        (format!("http://127.0.0.1:{port}/base/x#y"), "path"),
        (format!("http://127.0.0.1:{port}/base/x y"), "path"),
        (format!("http://127.0.0.1:{port}/base/x?a=<b>"), "path"),
    ] {
        let fault = refused(egress.send(&reach, to(&url)).await, DENIED, reason);
        assert!(fault.public().contains("Nothing was sent."), "{url}");
    }
    let both = GuestRequest {
        url: Some(format!("{}/base/x", vendor.url())),
        ..get("/x")
    };
    refused(egress.send(&reach, both).await, DENIED, "path");
    let both = GuestRequest {
        url: Some("/base/x".to_owned()),
        ..get("/x")
    };
    refused(egress.send(&reach, both).await, DENIED, "path");
    assert_eq!((vendor.accepted(), other.accepted()), (0, 0));

    let next = format!("HTTP://127.0.0.1:{port}/base/x?page=%2F2&a[]=1");
    let answer = egress.send(&reach, to(&next)).await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(vendor.seen()[0].target(), "/base/x?page=%2F2&a[]=1");
}

#[tokio::test]
async fn a_relative_url_leads_where_rfc_3986_says() {
    let vendor = Vendor::start(|_, _| ok("{}")).await;
    let egress = egress(&settings());
    let reach = reach(&format!("{}/base", vendor.url()), &["GET api:/{*}"]);
    let same = format!("//127.0.0.1:{}/base/a?p=2", vendor.port);
    for (request, url, target) in [
        ("", "/base/a/b?page=%2F2&a[]=1", "/base/a/b?page=%2F2&a[]=1"),
        ("", same.as_str(), "/base/a?p=2"),
        ("", "a?p=2", "/base/a?p=2"),
        ("", "?p=2", "/base/?p=2"),
        ("/things/7", "?p=2", "/base/things/7?p=2"),
        ("/things/7", "8", "/base/things/8"),
        ("/things/7", "./8?p=2", "/base/things/8?p=2"),
        (
            "/things/7",
            "../others/8?at=https://x/",
            "/base/others/8?at=https://x/",
        ),
        ("/things/", "8", "/base/things/8"),
        ("/things/7", "..", "/base/"),
    ] {
        let request = GuestRequest {
            url: Some(url.to_owned()),
            ..get(request)
        };
        egress.send(&reach, request).await.unwrap();
        assert_eq!(vendor.seen().last().unwrap().target(), target, "{url}");
    }
}

#[tokio::test]
async fn a_next_page_goes_by_the_tools_rules_as_every_request_does() {
    let vendor = Vendor::start(|_, _| ok("{}")).await;
    let egress = egress(&settings());
    let to = |url: &str| GuestRequest {
        url: Some(url.to_owned()),
        ..get("")
    };
    let next = "/services/data/v62.0/query/01gA-2000";
    let own = reach(&vendor.url(), &["GET api:/services/data/v62.0/query"]);
    let fault = refused(egress.send(&own, to(next)).await, DENIED, "tool_policy");
    assert!(fault.public().contains("`allow`"), "{}", fault.public());
    assert_eq!(vendor.accepted(), 0);

    let further = [
        "GET api:/services/data/v62.0/query",
        "GET api:/services/data/v62.0/query/{locator}",
    ];
    egress
        .send(&reach(&vendor.url(), &further), to(next))
        .await
        .unwrap();
    assert_eq!(vendor.seen()[0].target(), next);
}

#[tokio::test]
async fn headers_that_belong_to_the_host_are_refused_in_every_spelling() {
    let vendor = Vendor::start(|_, _| ok("{}")).await;
    let egress = egress(&settings());
    let reach = reach(&vendor.url(), &["GET api:/x"]);
    let with = |name: &str, value: &str| GuestRequest {
        headers: vec![(name.to_owned(), value.to_owned())],
        ..get("/x")
    };
    for name in [
        "authorization",
        "Authorization",
        "AUTHORIZATION",
        "proxy-authorization",
        "Proxy_Authorization",
        "cookie",
        "Cookie2",
        "host",
        "HOST",
        "content-length",
        "Content_Length",
        "transfer-encoding",
        "Transfer_Encoding",
        "connection",
        "keep-alive",
        "upgrade",
        "te",
        "trailer",
        "expect",
        "forwarded",
        "via",
        "x-forwarded-for",
        "X-Forwarded-Host",
        "x_forwarded_proto",
        "X-Forwarded",
        "x-http-method-override",
        "X_HTTP_Method_Override",
        "accept-encoding",
        "Accept_Encoding",
        "proxy-connection",
        "http2-settings",
        "x-original-url",
        "x-real-ip",
        "sec-fetch-site",
        ":authority",
        "a b",
        "",
        "x\r\nhost",
        "x:",
        "ünder",
    ] {
        refused(
            egress.send(&reach, with(name, "x")).await,
            DENIED,
            "header_forbidden",
        );
    }
    for value in [
        "a\r\nHost: evil.test",
        "a\nb",
        "a\rb",
        "a\0b",
        "a\r\n b",
        "a\u{7f}",
        "caf\u{e9}",
    ] {
        refused(
            egress.send(&reach, with("x-note", value)).await,
            DENIED,
            "header_forbidden",
        );
    }
    let twice = GuestRequest {
        headers: vec![
            ("x-a".into(), "1".into()),
            ("Host".into(), "a".into()),
            ("host".into(), "b".into()),
        ],
        ..get("/x")
    };
    refused(egress.send(&reach, twice).await, DENIED, "header_forbidden");
    let many = GuestRequest {
        headers: vec![("x-a".into(), "1".into()); 100],
        ..get("/x")
    };
    refused(egress.send(&reach, many).await, DENIED, "request_too_large");
    assert_eq!(vendor.accepted(), 0);

    egress.send(&reach, with("X-Note", "fine")).await.unwrap();
    let seen = &vendor.seen()[0];
    assert_eq!(seen.header("x-note"), ["fine"]);
    assert_eq!(seen.header("authorization"), [format!("Bearer {TOKEN}")]);
    assert_eq!(seen.header("host"), [format!("127.0.0.1:{}", vendor.port)]);
    assert_eq!(seen.header("accept-encoding"), ["gzip"]);
}

#[tokio::test]
async fn only_plain_methods_are_sent() {
    let vendor = Vendor::start(|_, _| ok("{}")).await;
    let egress = egress(&settings());
    let reach = reach(&vendor.url(), &["GET api:/x"]);
    for method in [
        "CONNECT",
        "TRACE",
        "OPTIONS",
        "get",
        "Get",
        "GET ",
        "GET /evil HTTP/1.1\r\nHost: x",
        "",
        "PROPFIND",
    ] {
        refused(egress.send(&reach, request(method, "/x")).await, DENIED, "method");
    }
    assert_eq!(vendor.accepted(), 0);
}

#[tokio::test]
async fn a_tool_sends_what_it_declares_and_nothing_else() {
    let vendor = Vendor::start(|_, _| ok("{}")).await;
    let egress = egress(&settings());
    let rules = ["GET api:/contacts/{id}", "POST api:/contacts/search"];
    let reach = Reach {
        read_only: true,
        ..reach(&vendor.url(), &rules)
    };
    for undeclared in [
        request("DELETE", "/contacts/1"),
        request("PATCH", "/contacts/1"),
        post("/contacts", "{}"),
        post("/contacts/1", "{}"),
        get("/contacts/search/more"),
        get("/contacts"),
        get("/contacts/1/notes"),
        get("/companies/1"),
    ] {
        let fault = refused(egress.send(&reach, undeclared).await, DENIED, "tool_policy");
        assert!(fault.public().contains("acme"));
    }
    let nothing = Reach {
        allowed: Arc::new([]),
        ..reach.clone()
    };
    refused(
        egress.send(&nothing, get("/contacts/1")).await,
        DENIED,
        "tool_policy",
    );
    assert_eq!(vendor.accepted(), 0);

    assert_eq!(egress.send(&reach, get("/contacts/1")).await.unwrap().status, 200);
    assert_eq!(
        egress
            .send(&reach, post("/contacts/search", "{}"))
            .await
            .unwrap()
            .status,
        200
    );
    assert_eq!(vendor.count(), 2);
}

#[tokio::test]
async fn a_request_larger_than_allowed_is_not_begun() {
    let vendor = Vendor::start(|_, _| ok("{}")).await;
    let egress = egress(&config::Egress {
        max_request_bytes: 10,
        ..settings()
    });
    let reach = reach(&vendor.url(), &["POST api:/x", "GET api:/x"]);
    refused(
        egress.send(&reach, post("/x", "12345678901")).await,
        DENIED,
        "request_too_large",
    );
    let long = GuestRequest {
        query: vec![("q".into(), "x".repeat(20_000))],
        ..get("/x")
    };
    refused(egress.send(&reach, long).await, DENIED, "request_too_large");
    assert_eq!(vendor.accepted(), 0);
    assert_eq!(
        egress
            .send(&reach, post("/x", "1234567890"))
            .await
            .unwrap()
            .status,
        200
    );
}

#[tokio::test]
async fn the_guest_cannot_take_the_credentials_place() {
    use valetkey::egress::Material;
    use valetkey::secret::Secret;
    use valetkey_manifest::Placement;
    let vendor = Vendor::start(|_, _| ok("{}")).await;
    let egress = egress(&settings());
    let by = |placement: Placement| {
        Account::with(move |_| {
            (
                Material::Token(Secret::new("k e&y/12345678".into())),
                placement.clone(),
            )
        })
    };
    let rules = ["GET api:/x"];
    let in_query = Reach {
        credentials: by(Placement::Query {
            name: "api_key".into(),
        }),
        ..reach(&vendor.url(), &rules)
    };
    let spoofed = GuestRequest {
        query: vec![("API_KEY".into(), "mine".into())],
        ..get("/x")
    };
    refused(egress.send(&in_query, spoofed).await, DENIED, "header_forbidden");
    let linked = GuestRequest {
        url: Some(format!("{}/x?a=1&api%5fkey=mine", vendor.url())),
        ..get("")
    };
    refused(egress.send(&in_query, linked).await, DENIED, "header_forbidden");
    let in_header = Reach {
        credentials: by(Placement::Header {
            name: "X-Api-Key".into(),
            format: "{secret}".into(),
        }),
        ..in_query.clone()
    };
    let spoofed = GuestRequest {
        headers: vec![("x-API-key".into(), "mine".into())],
        ..get("/x")
    };
    refused(egress.send(&in_header, spoofed).await, DENIED, "header_forbidden");
    assert_eq!(vendor.accepted(), 0);

    let query = vec![("a b".into(), "c&d=é".into())];
    egress
        .send(&in_query, GuestRequest { query, ..get("/x") })
        .await
        .unwrap();
    egress.send(&in_header, get("/x")).await.unwrap();
    let seen = vendor.seen();
    assert_eq!(
        seen[0].target(),
        "/x?a%20b=c%26d%3D%C3%A9&api_key=k%20e%26y%2F12345678"
    );
    assert_eq!(seen[1].header("x-api-key"), ["k e&y/12345678"]);
    assert!(seen.iter().all(|seen| seen.header("authorization").is_empty()));
}

/// Whatever a guest puts into path, query and url, a request that leaves goes to the endpoint's
/// authority, below its base path.
#[test]
fn no_spelling_moves_a_request_to_another_authority() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (vendor, other) = runtime.block_on(async {
        (
            Vendor::start(|_, _| ok("{}")).await,
            Vendor::start(|_, _| ok("{}")).await,
        )
    });
    let egress = egress(&settings());
    let (real, fake) = (
        format!("127.0.0.1:{}", vendor.port),
        format!("127.0.0.1:{}", other.port),
    );
    let reach = reach(&format!("http://{real}/base"), &["GET api:/{*}"]);

    let piece = prop_oneof![
        4 => select(vec![
            "/", "//", "\\", "..", ".", "%2e", "%2E", "%2f", "%5c", "%00", "@", ":", "?", "#", ";", "%", "%25", "a", "b",
            "base", "http:", "https://", "\r\n", "\n", " ", "\t", "é", "::1", "[", "]", "%40", "&", "=", "{", "evil.test",
        ]).prop_map(str::to_owned),
        1 => Just(fake.clone()),
        1 => Just(real.clone()),
        1 => any::<char>().prop_map(|char| char.to_string()),
    ];
    let text = prop::collection::vec(piece, 0..7).prop_map(|pieces| pieces.concat());
    let path = prop_oneof![text.clone(), text.clone().prop_map(|text| format!("/{text}"))];
    let url = prop_oneof![
        text.clone(),
        text.clone().prop_map({
            let real = real.clone();
            move |text| format!("http://{real}/base/{text}")
        }),
        text.clone().prop_map({
            let real = real.clone();
            move |text| format!("http://{real}{text}")
        }),
        text.clone().prop_map(move |text| format!("http://{fake}{text}")),
    ];
    let query = prop::collection::vec((text.clone(), text), 0..2);
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 3_000,
        failure_persistence: None,
        ..Default::default()
    });
    let mut sent = 0;
    let counted = std::cell::Cell::new(0_u32);
    runner
        .run(
            &(path, prop::option::of(url), query, any::<bool>()),
            |(path, url, query, both)| {
                let path = if url.is_some() && !both {
                    String::new()
                } else {
                    path
                };
                let before = vendor.count();
                let outcome = runtime.block_on(egress.send(
                    &reach,
                    GuestRequest {
                        url,
                        query,
                        ..get(&path)
                    },
                ));
                let seen = vendor.seen();
                match outcome {
                    Err(fault) => {
                        prop_assert_eq!(fault.kind(), DENIED);
                        prop_assert_eq!(seen.len(), before);
                    }
                    Ok(_) => {
                        counted.set(counted.get() + 1);
                        prop_assert_eq!(seen.len(), before + 1);
                        let last = seen.last().unwrap();
                        prop_assert_eq!(last.header("host"), [real.as_str()]);
                        prop_assert!(last.target().starts_with("/base/"), "{}", last.target());
                        let path = last.target().split('?').next().unwrap_or_default();
                        let odd = |segment: &str| matches!(segment, "." | "..");
                        prop_assert!(!path.contains("//") && !path.split('/').any(odd), "{}", path);
                        prop_assert_eq!(
                            last.head.lines().filter(|line| line.starts_with("GET ")).count(),
                            1
                        );
                    }
                }
                prop_assert_eq!(other.accepted(), 0);
                Ok(())
            },
        )
        .unwrap();
    sent += counted.get();
    assert!(
        sent > 100,
        "only {sent} of the requests were sent: the property was hardly tried"
    );
}

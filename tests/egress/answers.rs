//! What a vendor may send back: redirects as data, bodies within bounds, nothing that is not HTTP.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use valetkey::config;
use valetkey::error::Kind;

use crate::vendor::{Act, Vendor, answer, ok};
use crate::world::{egress, get, header, post, reach, refused, request, settings};

const RULES: [&str; 3] = ["GET api:/{*}", "HEAD api:/{*}", "POST api:/{*}"];

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

#[tokio::test]
async fn a_redirect_is_data_and_its_target_is_shown_only_on_the_own_origin() {
    let elsewhere = Vendor::start(|_, _| ok("{}")).await;
    let own = Vendor::start(|_, seen| {
        let location = seen.header("x-location")[0].to_owned();
        let status = format!("{} Redirect", seen.target().trim_start_matches('/'));
        answer(&status, &format!("location: {location}\r\n"), "")
    })
    .await;
    let egress = egress(&config::Egress {
        max_header_bytes: 128 * 1024,
        ..settings()
    });
    let reach = reach(&own.url(), &RULES);
    let port = own.port;
    let mut sent = 0;
    for status in [301, 302, 303, 307, 308] {
        for (location, shown) in [
            ("/next".to_owned(), true),
            ("?page=2".to_owned(), true),
            (format!("http://127.0.0.1:{port}/next"), true),
            (elsewhere.url(), false),
            (format!("https://127.0.0.1:{port}/next"), false),
            (format!("http://api.127.0.0.1:{port}/"), false),
            (format!("http://127.0.0.1:{port}@evil.test/"), false),
            (format!("//127.0.0.1:{}/x", elsewhere.port), false),
            ("http://evil.test/".to_owned(), false),
            ("javascript:alert(1)".to_owned(), false),
        ] {
            let mut asked = get(&format!("/{status}"));
            asked.headers.push(("x-location".into(), location.clone()));
            let seen = egress.send(&reach, asked).await.unwrap();
            sent += 1;
            assert_eq!(seen.status, status);
            assert_eq!(
                header(&seen, "location"),
                shown.then_some(location.as_str()),
                "{status} {location}"
            );
        }
    }
    assert_eq!(own.count(), sent, "no redirect was followed");
    assert_eq!(elsewhere.accepted(), 0);
}

#[tokio::test]
async fn a_location_of_65_kib_or_with_line_breaks_is_no_answer() {
    let long = Vendor::start(|_, _| {
        answer(
            "302 Found",
            &format!("location: /{}\r\n", "x".repeat(65 * 1024)),
            "",
        )
    })
    .await;
    let egress = egress(&settings());
    refused(
        egress.send(&reach(&long.url(), &RULES), get("/x")).await,
        Kind::VendorUnavailable,
        "response_too_large",
    );
    let broken = Vendor::start(|_, _| answer("302 Found", "location: /a\r\n b: c\r\nd\r\n", "")).await;
    refused(
        egress.send(&reach(&broken.url(), &RULES), get("/x")).await,
        Kind::VendorUnavailable,
        "protocol",
    );
}

#[tokio::test]
async fn cookies_and_connection_headers_stay_with_us() {
    let vendor = Vendor::start(|_, _| {
        answer(
            "200 OK",
            "Set-Cookie: a=b\r\nKeep-Alive: timeout=5\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\nX-Kept: 2\r\n\
             Link: </next>; rel=\"next\"\r\nAlt-Svc: h3=\":443\"\r\n",
            "{}",
        )
    })
    .await;
    let seen = egress(&settings())
        .send(&reach(&vendor.url(), &RULES), get("/x"))
        .await
        .unwrap();
    let names: Vec<_> = seen.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["x-kept", "link"]);
}

#[tokio::test]
async fn gzip_is_decoded_in_whatever_pieces_it_comes() {
    let text = "{\"results\":[1,2,3]}".repeat(10_000);
    let packed = gzip(text.as_bytes());
    let one = packed.clone();
    let whole = Vendor::start(move |_, _| answer("200 OK", "content-encoding: gzip\r\n", &one)).await;
    let chunked = Vendor::start(move |_, _| {
        let mut bytes =
            b"HTTP/1.1 200 OK\r\ncontent-encoding: x-gzip\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        for piece in packed.chunks(7) {
            bytes.extend(format!("{:x}\r\n", piece.len()).bytes());
            bytes.extend(piece);
            bytes.extend(b"\r\n");
        }
        bytes.extend(b"0\r\n\r\n");
        Act::Answer(bytes)
    })
    .await;
    let egress = egress(&settings());
    for vendor in [&whole, &chunked] {
        let seen = egress
            .send(&reach(&vendor.url(), &RULES), get("/x"))
            .await
            .unwrap();
        assert_eq!(seen.body, text.as_bytes());
        assert_eq!(header(&seen, "content-encoding"), None);
    }
}

#[tokio::test]
async fn an_encoding_that_was_not_asked_for_is_a_breach_of_protocol() {
    let egress = egress(&settings());
    for encoding in [
        "br",
        "zstd",
        "deflate",
        "gzip, gzip",
        "gzip\r\ncontent-encoding: gzip",
        "identity, gzip",
        "compress",
    ] {
        let body = gzip(b"{}");
        let vendor =
            Vendor::start(move |_, _| answer("200 OK", &format!("content-encoding: {encoding}\r\n"), &body))
                .await;
        refused(
            egress.send(&reach(&vendor.url(), &RULES), get("/x")).await,
            Kind::VendorUnavailable,
            "protocol",
        );
    }
    let (mut cut, mut flipped, mut trailing) = (gzip(b"{\"a\":1}"), gzip(b"{\"a\":1}"), gzip(b"{\"a\":1}"));
    cut.truncate(cut.len() - 3);
    let last = flipped.len() - 6;
    flipped[last] ^= 1;
    trailing.extend_from_slice(b"more");
    for body in [cut, flipped, trailing, b"not gzip at all".to_vec()] {
        let vendor = Vendor::start(move |_, _| answer("200 OK", "content-encoding: gzip\r\n", &body)).await;
        refused(
            egress.send(&reach(&vendor.url(), &RULES), get("/x")).await,
            Kind::VendorUnavailable,
            "protocol",
        );
    }
}

/// The most memory that this process ever held, in bytes.
fn peak_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .expect("VmHWM");
    line.split_whitespace()
        .nth(1)
        .expect("a number")
        .parse::<usize>()
        .expect("a number")
        * 1024
}

#[tokio::test]
async fn a_bomb_costs_no_more_than_the_cap() {
    const MIB: usize = 1024 * 1024;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let zeros = vec![0; MIB];
    for _ in 0..200 {
        encoder.write_all(&zeros).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    let nested = gzip(&bomb);
    assert!(bomb.len() < 2 * MIB);
    let vendor = Vendor::start(move |_, seen| {
        let body = if seen.target() == "/nested" {
            &nested
        } else {
            &bomb
        };
        answer("200 OK", "content-encoding: gzip\r\n", body)
    })
    .await;
    // Without the ratio the size stops it, without the size the ratio.
    let sized = egress(&config::Egress {
        max_ratio: 100_000,
        ..settings()
    });
    let rated = egress(&config::Egress {
        max_response_bytes: 1024 * MIB,
        ..settings()
    });
    let before = peak_memory();
    for egress in [&sized, &rated] {
        let reach = reach(&vendor.url(), &RULES);
        refused(
            egress.send(&reach, get("/x")).await,
            Kind::VendorUnavailable,
            "response_too_large",
        );
    }
    let grown = peak_memory() - before;
    assert!(
        grown < 2 * settings().max_response_bytes + 8 * MIB,
        "{} MiB",
        grown / MIB
    );
    // One layer is undone, the inner one is data.
    let seen = sized
        .send(&reach(&vendor.url(), &RULES), get("/nested"))
        .await
        .unwrap();
    assert_eq!(&seen.body[..2], [0x1f, 0x8b]);
}

#[tokio::test]
async fn a_body_without_end_is_cut_off_at_the_cap() {
    let small = config::Egress {
        max_response_bytes: 256 * 1024,
        ..settings()
    };
    let chunk = [b"4000\r\n".as_slice(), &[b'x'; 0x4000], b"\r\n"].concat();
    for head in [
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 10737418240\r\n\r\n",
    ] {
        let chunk = chunk.clone();
        let vendor = Vendor::start(move |_, _| Act::Endless(head.into(), chunk.clone())).await;
        let outcome = egress(&small)
            .send(&reach(&vendor.url(), &RULES), get("/x"))
            .await;
        refused(outcome, Kind::VendorUnavailable, "response_too_large");
        vendor.ended().await;
        assert!(
            vendor.written() < 16 * 1024 * 1024,
            "{} bytes were taken",
            vendor.written()
        );
    }
}

#[tokio::test]
async fn framing_that_lies_is_a_breach_of_protocol() {
    let egress = egress(&settings());
    for (name, bytes) in [
        (
            "length too long",
            "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{}",
        ),
        (
            "two lengths",
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}x",
        ),
        (
            "negative length",
            "HTTP/1.1 200 OK\r\ncontent-length: -2\r\n\r\n{}",
        ),
        ("signed length", "HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\n{}"),
        (
            "length in words",
            "HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\n{}",
        ),
        (
            "chunk size overflow",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nx\r\n",
        ),
        (
            "chunk size in words",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nx\r\n0\r\n\r\n",
        ),
        (
            "chunks cut off",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n",
        ),
        ("HTTP/0.9", "{\"a\":1}"),
        ("HTML without head", "<html>hello</html>\r\n\r\n"),
        ("another protocol", "SSH-2.0-OpenSSH_9.9\r\n"),
        ("status in words", "HTTP/1.1 OK\r\n\r\n"),
    ] {
        let vendor = Vendor::start(move |_, _| Act::Last(bytes.into())).await;
        let fault = refused(
            egress.send(&reach(&vendor.url(), &RULES), get("/x")).await,
            Kind::VendorUnavailable,
            "protocol",
        );
        assert_eq!(vendor.count(), 1, "{name}: {fault:?}");
    }
    let fields = "x-a: b\r\n".repeat(200);
    let many = Vendor::start(move |_, _| answer("200 OK", &fields, "{}")).await;
    refused(
        egress.send(&reach(&many.url(), &RULES), get("/x")).await,
        Kind::VendorUnavailable,
        "response_too_large",
    );
}

#[tokio::test]
async fn bytes_after_the_declared_end_are_nobodys_answer() {
    let vendor = Vendor::start(|number, _| {
        let smuggled = "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nsmuggled";
        match number {
            1 => Act::Answer(format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{{}}{smuggled}").into()),
            _ => ok("{\"real\":1}"),
        }
    })
    .await;
    let egress = egress(&settings());
    let reach = reach(&vendor.url(), &RULES);
    assert_eq!(egress.send(&reach, get("/x")).await.unwrap().body, "{}");
    assert_eq!(egress.send(&reach, get("/x")).await.unwrap().body, "{\"real\":1}");
}

#[tokio::test]
async fn answers_without_a_body_have_none() {
    let vendor = Vendor::start(|_, seen| match seen.target() {
        "/204" => Act::Last(b"HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello".to_vec()),
        "/304" => Act::Last(b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\nhello".to_vec()),
        _ => Act::Last(b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 5\r\n\r\nhello".to_vec()),
    })
    .await;
    let egress = egress(&settings());
    let reach = reach(&vendor.url(), &RULES);
    for asked in [get("/204"), get("/304"), request("HEAD", "/x")] {
        let seen = egress.send(&reach, asked).await.unwrap();
        assert!(seen.body.is_empty(), "{}", seen.status);
    }
}

#[tokio::test]
async fn a_writes_garbled_answer_is_reported_as_ambiguous() {
    let vendor =
        Vendor::start(|_, _| Act::Last(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{}".to_vec())).await;
    let outcome = egress(&settings())
        .send(&reach(&vendor.url(), &RULES), post("/x", "{}"))
        .await;
    refused(outcome, Kind::AmbiguousOutcome, "protocol");
    assert_eq!(vendor.count(), 1);
}

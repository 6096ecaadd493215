//! Names that lead to places that must not be reached.

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use valetkey::clock::Clock;
use valetkey::config;
use valetkey::error::Kind;

use crate::vendor::{Vendor, ok};
use crate::world::{Names, TOKEN, egress_on, egress_with, get, refused, settings, strict_or_not};

#[tokio::test]
async fn no_name_that_resolves_to_a_special_purpose_address_is_dialled() {
    let vendor = Vendor::start(|_, _| ok("{}")).await;
    let url = format!("https://api.vendor.test:{}", vendor.port);
    let reach = strict_or_not(&url, &["GET api:/x"], false);
    for address in [
        "0.1.2.3",
        "10.0.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.1.2.3",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:7f00:1",
        "64:ff9b::a00:1",
        "64:ff9b:1::a00:1",
        "100::1",
        "2001::1",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ] {
        let ip: IpAddr = address.parse().unwrap();
        for answer in [vec![ip], vec!["8.8.8.8".parse().unwrap(), ip]] {
            let egress = egress_with(&settings(), Names::new(move |_, _| answer.clone()));
            let fault = refused(
                egress.send(&reach, get("/x")).await,
                Kind::EgressDenied,
                "address",
            );
            assert!(
                !fault.public().contains(address),
                "the message would map our network: {}",
                fault.public()
            );
        }
    }
    assert_eq!(vendor.accepted(), 0);
}

#[tokio::test]
async fn a_name_that_changes_its_mind_is_checked_at_every_connection() {
    let vendor = Vendor::start(|_, _| {
        crate::vendor::Act::Last(
            b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}".to_vec(),
        )
    })
    .await;
    let names = Names::new(|number, _| {
        vec![IpAddr::from(if number == 0 {
            [127, 0, 0, 1]
        } else {
            [169, 254, 169, 254]
        })]
    });
    let clock = Clock::system();
    let egress = egress_on(&settings(), &clock, names.clone());
    let reach = strict_or_not(
        &format!("http://vendor.test:{}", vendor.port),
        &["GET api:/x"],
        true,
    );
    // The first answer is kept for a moment, as the one that was checked.
    for _ in 0..3 {
        assert_eq!(egress.send(&reach, get("/x")).await.unwrap().status, 200);
    }
    assert_eq!((vendor.accepted(), names.asked.load(Ordering::SeqCst)), (3, 1));
    clock.advance(Duration::from_secs(31));
    // What is refused is not kept: each attempt asks and checks anew.
    for asked in 2..=3 {
        refused(
            egress.send(&reach, get("/x")).await,
            Kind::EgressDenied,
            "address",
        );
        assert_eq!(names.asked.load(Ordering::SeqCst), asked);
    }
    assert_eq!(vendor.accepted(), 3);
}

#[tokio::test]
async fn a_vendor_that_moved_is_looked_up_again_at_once() {
    let vendor = Vendor::start(|_, _| {
        crate::vendor::Act::Last(
            b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}".to_vec(),
        )
    })
    .await;
    // Nobody listens at the first address.
    let names = Names::new(|number, _| vec![IpAddr::from([127, 0, 0, if number == 0 { 2 } else { 1 }])]);
    let egress = egress_with(&settings(), names.clone());
    let reach = strict_or_not(
        &format!("http://vendor.test:{}", vendor.port),
        &["GET api:/x"],
        true,
    );
    assert_eq!(egress.send(&reach, get("/x")).await.unwrap().status, 200);
    assert_eq!(names.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn without_a_cache_every_connection_asks() {
    let vendor = Vendor::start(|_, _| {
        crate::vendor::Act::Last(
            b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}".to_vec(),
        )
    })
    .await;
    let names = Names::local();
    let settings = config::Egress {
        dns_cache_ms: 0,
        ..settings()
    };
    let egress = egress_with(&settings, names.clone());
    let reach = strict_or_not(
        &format!("http://vendor.test:{}", vendor.port),
        &["GET api:/x"],
        true,
    );
    for _ in 0..3 {
        assert_eq!(egress.send(&reach, get("/x")).await.unwrap().status, 200);
    }
    assert_eq!(names.asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_development_connection_reaches_loopback_alone() {
    let vendor = Vendor::start(|_, _| ok("{}")).await;
    for address in [
        [10, 0, 0, 1],
        [8, 8, 8, 8],
        [169, 254, 169, 254],
        [192, 168, 1, 1],
    ] {
        let egress = egress_with(&settings(), Names::new(move |_, _| vec![IpAddr::from(address)]));
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://vendor.test:{}", vendor.port);
            let reach = strict_or_not(&url, &["GET api:/x"], true);
            refused(
                egress.send(&reach, get("/x")).await,
                Kind::EgressDenied,
                "address",
            );
        }
    }
    assert_eq!(vendor.accepted(), 0);
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_a_vendor_that_is_not_there() {
    let egress = egress_with(&settings(), Names::new(|_, _| Vec::new()));
    let reach = strict_or_not("https://gone.vendor.test", &["POST api:/x"], false);
    let fault = refused(
        egress.send(&reach, crate::world::post("/x", "{}")).await,
        Kind::VendorUnavailable,
        "unreachable",
    );
    assert!(fault.chain().contains("gone.vendor.test") && !fault.chain().contains(TOKEN));
}

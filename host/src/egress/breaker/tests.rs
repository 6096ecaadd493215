//! The breaker alone, on a clock of its own.

use std::sync::{Arc, LazyLock};

use super::*;

fn breakers(failures: u32) -> Breakers {
    let settings = config::Egress {
        breaker_failures: failures,
        breaker_pause_ms: 4_000,
        ..config::Egress::default()
    };
    Breakers::new(&settings, Clock::system())
}

fn vendor(connection_key: &str) -> Vendor {
    Vendor {
        connector: "acme".to_owned(),
        connection_key: connection_key.to_owned(),
        development: false,
        budgets: Arc::new([]),
        throttles: Arc::new([]),
        refusals: Arc::new([]),
        errors: None,
    }
}

static HOST: LazyLock<Authority> = LazyLock::new(|| Authority::from_static("api.example"));

fn fail(breakers: &Breakers, vendor: &Vendor, times: u32) {
    for _ in 0..times {
        breakers.enter(vendor, &HOST).unwrap().settle(Sign::Down);
    }
}

fn wait(outcome: Result<Pass<'_>, Fault>) -> Duration {
    let Err(fault) = outcome else {
        panic!("let through")
    };
    assert_eq!(
        (fault.kind(), fault.reason_code()),
        (Kind::VendorUnavailable, Some("breaker"))
    );
    let Retry::After(wait) = fault.retry_advice() else {
        panic!("no time to come back")
    };
    wait
}

#[test]
fn failures_in_a_row_open_it_and_any_answer_between_them_does_not() {
    let (breakers, acme) = (breakers(3), vendor("env/acme"));
    fail(&breakers, &acme, 2);
    breakers.enter(&acme, &HOST).unwrap().settle(Sign::Alive);
    assert_eq!(
        breakers.count.load(Ordering::SeqCst),
        0,
        "what is well is forgotten"
    );
    fail(&breakers, &acme, 2);
    breakers.enter(&acme, &HOST).unwrap().settle(Sign::None);
    assert!(
        breakers.enter(&acme, &HOST).unwrap().settle(Sign::Down),
        "the third opens it"
    );
    assert!(breakers.check(&acme, &HOST).is_err());
    assert!(wait(breakers.enter(&acme, &HOST)) <= Duration::from_secs(4));
}

#[test]
fn another_connection_and_another_origin_of_the_same_are_not_touched() {
    let (breakers, acme) = (breakers(2), vendor("env/acme"));
    fail(&breakers, &acme, 2);
    assert!(breakers.check(&acme, &HOST).is_err());
    assert!(
        breakers
            .check(&acme, &Authority::from_static("upload.example"))
            .is_ok()
    );
    assert!(breakers.check(&vendor("other/acme"), &HOST).is_ok());
}

#[test]
fn after_the_pause_one_probe_decides() {
    let (breakers, acme) = (breakers(2), vendor("env/acme"));
    fail(&breakers, &acme, 2);
    breakers.clock.advance(Duration::from_millis(3_900));
    assert!(breakers.enter(&acme, &HOST).is_err());
    breakers.clock.advance(Duration::from_millis(200));
    let probe = breakers.enter(&acme, &HOST).unwrap();
    for _ in 0..10 {
        assert_eq!(wait(breakers.enter(&acme, &HOST)), PROBING, "one probe at a time");
    }
    assert!(probe.settle(Sign::Down));
    assert!(
        wait(breakers.enter(&acme, &HOST)) > Duration::from_secs(3),
        "a whole pause again"
    );
    breakers.clock.advance(Duration::from_secs(5));
    assert!(!breakers.enter(&acme, &HOST).unwrap().settle(Sign::Alive));
    let together = [breakers.enter(&acme, &HOST), breakers.enter(&acme, &HOST)];
    assert!(together.iter().all(Result::is_ok), "all may go again");
}

#[test]
fn a_probe_that_is_dropped_leaves_its_place_to_the_next() {
    let (breakers, acme) = (breakers(1), vendor("env/acme"));
    fail(&breakers, &acme, 1);
    breakers.clock.advance(Duration::from_secs(5));
    drop(breakers.enter(&acme, &HOST).unwrap());
    let probe = breakers.enter(&acme, &HOST).unwrap();
    assert!(probe.probe);
    assert!(!probe.settle(Sign::None));
    assert!(breakers.enter(&acme, &HOST).unwrap().probe);
}

#[test]
fn what_was_under_way_when_it_opened_does_not_lengthen_the_pause() {
    let (breakers, acme) = (breakers(2), vendor("env/acme"));
    let late: Vec<_> = (0..5).map(|_| breakers.enter(&acme, &HOST).unwrap()).collect();
    fail(&breakers, &acme, 2);
    breakers.clock.advance(Duration::from_millis(3_000));
    for pass in late {
        assert!(pass.settle(Sign::Down));
    }
    breakers.clock.advance(Duration::from_millis(1_100));
    assert!(breakers.enter(&acme, &HOST).unwrap().probe);
}

#[test]
fn a_clock_that_is_stepped_back_does_not_keep_it_open() {
    let (breakers, acme) = (breakers(1), vendor("env/acme"));
    fail(&breakers, &acme, 1);
    breakers.clock.step_back(Duration::from_secs(3_600));
    assert!(breakers.enter(&acme, &HOST).unwrap().probe);
}

#[test]
fn zero_failures_never_open_it() {
    let (breakers, acme) = (breakers(0), vendor("env/acme"));
    fail(&breakers, &acme, 100);
    assert!(breakers.check(&acme, &HOST).is_ok());
}

#[test]
fn origins_that_nobody_asks_any_more_are_forgotten() {
    let (breakers, acme) = (breakers(3), vendor("env/acme"));
    for number in 0..SWEEP_FROM {
        let host: Authority = format!("site-{number}.example").parse().unwrap();
        breakers.enter(&acme, &host).unwrap().settle(Sign::Down);
    }
    breakers.clock.advance(FORGOTTEN_AFTER);
    fail(&breakers, &acme, 1);
    assert_eq!(breakers.lock().by_origin.len(), 1);
}

#[test]
fn only_what_says_down_counts() {
    for (status, throttled, sign) in [
        (200, false, Sign::Alive),
        (302, false, Sign::Alive),
        (401, false, Sign::Alive),
        (404, false, Sign::Alive),
        (429, true, Sign::Alive),
        (500, false, Sign::Down),
        (501, false, Sign::Alive),
        (502, false, Sign::Down),
        (503, false, Sign::Down),
        (503, true, Sign::Alive),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(Sign::of_status(status, throttled), sign, "{status} {throttled}");
    }
    for (why, cut_short, sign) in [
        (Why::Unreachable, true, Sign::Down),
        (Why::Timeout, false, Sign::Down),
        (Why::Timeout, true, Sign::None),
        (Why::ConnectTimeout, true, Sign::None),
        (Why::Lost, false, Sign::Down),
        (Why::Tls, false, Sign::None),
        (Why::Address, false, Sign::None),
        (Why::TooLarge, false, Sign::Alive),
    ] {
        assert_eq!(Sign::of_failure(why, cut_short), sign, "{why:?}");
    }
}

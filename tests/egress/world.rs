//! What one call may reach, built for a test: an account with a known token, endpoints, rules.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::time::Instant;
use valetkey::clock::Clock;
use valetkey::config;
use valetkey::egress::{
    Credential, Credentials, Egress, GuestRequest, GuestResponse, Material, Meter, Reach, Resolve, Vendor,
    allowed, endpoint,
};
use valetkey::error::{Fault, Kind};
use valetkey::secret::Secret;
use valetkey_manifest::{Budget, Placement, Throttle};

/// The token of the account's first generation; later ones end in their number.
pub const TOKEN: &str = "tok/secret+value=0123456789";

/// An account whose token changes with every renewal.
pub struct Account {
    generation: AtomicU64,
    /// How often a renewal was asked for.
    pub renewals: AtomicU32,
    /// How often a credential was asked for.
    pub asked: AtomicU32,
    made: Mutex<Option<Arc<Credential>>>,
    make: Box<dyn Fn(u64) -> (Material, Placement) + Send + Sync>,
}

impl Account {
    /// The token of a generation.
    pub fn token(generation: u64) -> String {
        if generation == 1 {
            TOKEN.to_owned()
        } else {
            format!("{TOKEN}-{generation}")
        }
    }

    /// An account with a bearer token.
    pub fn bearer() -> Arc<Self> {
        Self::with(|generation| {
            let placement = Placement::Header {
                name: "authorization".into(),
                format: "Bearer {secret}".into(),
            };
            (Material::Token(Secret::new(Self::token(generation))), placement)
        })
    }

    /// An account with any credential.
    pub fn with(make: impl Fn(u64) -> (Material, Placement) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            generation: AtomicU64::new(1),
            renewals: AtomicU32::new(0),
            asked: AtomicU32::new(0),
            made: Mutex::new(None),
            make: Box::new(make),
        })
    }

    fn credential(&self) -> Arc<Credential> {
        let generation = self.generation.load(Ordering::SeqCst);
        let mut made = self.made.lock().expect("not poisoned");
        match &*made {
            Some(found) if found.generation == generation => found.clone(),
            _ => {
                let (material, placement) = (self.make)(generation);
                made.insert(Arc::new(Credential::new(generation, material, placement)))
                    .clone()
            }
        }
    }
}

impl Credentials for Account {
    fn current(&self, _deadline: Instant) -> BoxFuture<'_, Result<Arc<Credential>, Fault>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        async { Ok(self.credential()) }.boxed()
    }

    fn renew(&self, rejected: u64, _deadline: Instant) -> BoxFuture<'_, Result<Arc<Credential>, Fault>> {
        self.renewals.fetch_add(1, Ordering::SeqCst);
        let next = rejected + 1;
        let _ = self
            .generation
            .compare_exchange(rejected, next, Ordering::SeqCst, Ordering::SeqCst);
        async { Ok(self.credential()) }.boxed()
    }
}

/// The n-th look-up (from 0) of a name.
type LookUp = dyn Fn(usize, &str) -> Vec<IpAddr> + Send + Sync;

/// Names as a test wants them; every look-up may answer differently.
pub struct Names {
    answer: Box<LookUp>,
    /// Look-ups made.
    pub asked: AtomicUsize,
}

impl Names {
    /// A resolver that answers what `answer` says to the n-th look-up (from 0) of a name.
    pub fn new(answer: impl Fn(usize, &str) -> Vec<IpAddr> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            answer: Box::new(answer),
            asked: AtomicUsize::new(0),
        })
    }

    /// Every name is this machine.
    pub fn local() -> Arc<Self> {
        Self::new(|_, _| vec![IpAddr::from([127, 0, 0, 1])])
    }
}

impl Resolve for Names {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        let found = (self.answer)(number, host)
            .into_iter()
            .map(|ip| SocketAddr::new(ip, port))
            .collect();
        async move { Ok(found) }.boxed()
    }
}

/// Settings with short times.
pub fn settings() -> config::Egress {
    config::Egress {
        connect_ms: 2_000,
        tls_ms: 2_000,
        first_byte_ms: 5_000,
        idle_body_ms: 5_000,
        total_ms: 20_000,
        ..config::Egress::default()
    }
}

/// A reach with one endpoint `api` at `url`.
pub fn reach(url: &str, rules: &[&str]) -> Reach {
    let development = url.starts_with("http://") || url.contains("vendor.test");
    strict_or_not(url, rules, development)
}

/// The same, saying whether the connection is marked for development.
pub fn strict_or_not(url: &str, rules: &[&str], development: bool) -> Reach {
    let api = endpoint(url, development, true, &BTreeMap::new()).expect("a good endpoint");
    Reach {
        vendor: Arc::new(Vendor {
            connector: "acme".into(),
            connection_key: "env/acme".into(),
            development,
            budgets: Arc::new([]),
            throttles: Arc::new([]),
            refusals: Arc::new([]),
            errors: None,
        }),
        endpoints: Arc::new(BTreeMap::from([("api".to_owned(), api)])),
        allowed: rules
            .iter()
            .map(|rule| allowed(rule).expect("a good rule"))
            .collect(),
        read_only: false,
        idempotent: false,
        account_key: "ca_1".into(),
        credentials: Account::bearer(),
        deadline: Instant::now() + Duration::from_secs(20),
        meter: Arc::new(Meter::default()),
    }
}

/// The reach with other budgets and throttles.
pub fn limited(reach: Reach, budgets: &[Budget], throttles: &[Throttle]) -> Reach {
    let vendor = Vendor {
        budgets: budgets.into(),
        throttles: throttles.into(),
        ..(*reach.vendor).clone()
    };
    Reach {
        vendor: Arc::new(vendor),
        ..reach
    }
}

/// An egress with the system's resolver.
pub fn egress(settings: &config::Egress) -> Arc<Egress> {
    Arc::new(Egress::new(settings, Clock::system()).expect("an egress"))
}

/// An egress whose names are this machine or what `names` says.
pub fn egress_with(settings: &config::Egress, names: Arc<Names>) -> Arc<Egress> {
    Arc::new(Egress::with_resolver(settings, Clock::system(), names).expect("an egress"))
}

/// An egress whose clock the test moves.
pub fn egress_on(settings: &config::Egress, clock: &Clock, names: Arc<Names>) -> Arc<Egress> {
    Arc::new(Egress::with_resolver(settings, clock.clone(), names).expect("an egress"))
}

/// A request without a body.
pub fn request(method: &str, path: &str) -> GuestRequest {
    GuestRequest {
        method: method.into(),
        endpoint: "api".into(),
        path: path.into(),
        ..GuestRequest::default()
    }
}

/// `GET path`.
pub fn get(path: &str) -> GuestRequest {
    request("GET", path)
}

/// `POST path` with a body.
pub fn post(path: &str, body: &str) -> GuestRequest {
    GuestRequest {
        body: Some(body.to_owned().into()),
        ..request("POST", path)
    }
}

/// The fault, which must be of this kind and reason.
pub fn refused(outcome: Result<GuestResponse, Fault>, kind: Kind, reason: &str) -> Fault {
    match outcome {
        Ok(answer) => panic!("answered {} instead of {reason}", answer.status),
        Err(fault) => {
            assert_eq!(
                (fault.kind(), fault.reason_code()),
                (kind, Some(reason)),
                "{fault:?}"
            );
            assert!(!fault.public().contains(TOKEN));
            fault
        }
    }
}

/// A header of an answer.
pub fn header<'a>(answer: &'a GuestResponse, name: &str) -> Option<&'a str> {
    answer
        .headers
        .iter()
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.as_str())
}

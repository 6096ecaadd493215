//! A sandbox of its own for each test: real engines, real components, real egress.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tempfile::TempDir;
use tokio::time::Instant;

use valetkey::capability::{CallContext, Grant, GuestLog, Limits};
use valetkey::clock::Clock;
use valetkey::config;
use valetkey::egress::{self, Credential, Credentials, Egress, Material, Meter, Reach, Vendor};
use valetkey::error::Fault;
use valetkey::sandbox::{Component, GuestOutput, Sandbox};
use valetkey_manifest::{AuthKind, Placement};
use valetkey_tests::artifacts;

/// A sandbox and its settings.
pub struct Bench {
    pub sandbox: Arc<Sandbox>,
    pub settings: config::Sandbox,
    pub cache: TempDir,
}

impl Bench {
    pub fn new() -> Self {
        Self::with(config::Sandbox {
            max_instances: 64,
            ..config::Sandbox::default()
        })
    }

    pub fn with(settings: config::Sandbox) -> Self {
        let cache = tempfile::tempdir().expect("a folder");
        let sandbox = Arc::new(sandbox(&settings, cache.path()));
        Self {
            sandbox,
            settings,
            cache,
        }
    }

    /// Loads a guest of `tests/guests`.
    pub async fn load(&self, guest: &str) -> Arc<Component> {
        self.load_bytes(artifacts::guest(guest)).await
    }

    pub async fn load_bytes(&self, bytes: Vec<u8>) -> Arc<Component> {
        let inspection = self.sandbox.inspect(&bytes).expect("a good component");
        let component = self.sandbox.compile(bytes.into(), &inspection).await;
        Arc::new(component.expect("it compiles"))
    }

    /// A grant with the default limits, ten seconds, and no vendor.
    pub fn grant(&self) -> Grant {
        self.reaching("http://127.0.0.1:1")
    }

    /// The same with a vendor.
    pub fn reaching(&self, url: &str) -> Grant {
        grant(&self.settings, url)
    }

    /// Runs a tool and expects that it gives no result.
    pub async fn fault(&self, component: &Arc<Component>, grant: Grant, tool: &str, input: &str) -> Fault {
        match self.call(component, grant, tool, input).await {
            Ok(output) => panic!("`{tool}` answered {:.200}", output.data),
            Err(fault) => fault,
        }
    }

    pub async fn call(
        &self,
        component: &Arc<Component>,
        grant: Grant,
        tool: &str,
        input: &str,
    ) -> Result<GuestOutput, Fault> {
        let context = CallContext::default();
        self.sandbox
            .call(component, grant, context, tool, input.to_owned())
            .await
    }
}

/// A sandbox over a folder of compiled code.
pub fn sandbox(settings: &config::Sandbox, cache: &std::path::Path) -> Sandbox {
    let egress = Egress::new(&config::Egress::default(), Clock::system()).expect("an egress");
    Sandbox::new(settings, cache, Arc::new(egress)).expect("a sandbox")
}

/// A grant that reaches the development vendor at `url`.
pub fn grant(settings: &config::Sandbox, url: &str) -> Grant {
    let endpoint = egress::endpoint(url, true, false, &BTreeMap::new()).expect("an endpoint");
    let allowed = ["GET api:/{*}", "POST api:/{*}"].map(|rule| egress::allowed(rule).expect("a rule"));
    Grant {
        reach: Reach {
            vendor: Arc::new(Vendor {
                connector: "guest".to_owned(),
                connection_key: "test/guest".to_owned(),
                development: true,
                budgets: Arc::new([]),
                throttles: Arc::new([]),
                refusals: Arc::new([]),
                errors: None,
            }),
            endpoints: Arc::new(BTreeMap::from([("api".to_owned(), endpoint)])),
            allowed: allowed.into(),
            read_only: false,
            idempotent: false,
            account_key: "account".into(),
            credentials: Arc::new(NoCredential),
            deadline: Instant::now() + Duration::from_secs(10),
            meter: Arc::new(Meter::default()),
        },
        limits: Limits::from(settings),
        credential_kind: AuthKind::None,
        scopes: Arc::new([]),
        account_config: Arc::new(BTreeMap::new()),
        log: Arc::new(GuestLog::default()),
        files: None,
        progress: None,
        tape: None,
    }
}

/// The vendor of these tests asks for nothing.
struct NoCredential;

impl Credentials for NoCredential {
    fn current(&self, _deadline: Instant) -> BoxFuture<'_, Result<Arc<Credential>, Fault>> {
        async {
            let placement = Placement::Header {
                name: "authorization".to_owned(),
                format: "Bearer {secret}".to_owned(),
            };
            Ok(Arc::new(Credential::new(1, Material::None, placement)))
        }
        .boxed()
    }

    fn renew(&self, _rejected: u64, deadline: Instant) -> BoxFuture<'_, Result<Arc<Credential>, Fault>> {
        self.current(deadline)
    }
}

//! What the sandbox costs: the HubSpot connector's search in a fresh instance, dropped after the
//! call, beside the same work natively. The vendor answers at once, from memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::StatusCode;
use serde_json::Value;

use valetkey::capability::{CallContext, Grant, GuestLog, Limits};
use valetkey::config;
use valetkey::egress::{
    self, Credential, Credentials, GuestRequest, GuestResponse, Meter, Outbound, Reach, Vendor,
};
use valetkey::error::Fault;
use valetkey::sandbox::{Component, GuestOutput, Sandbox};
use valetkey_guest::{Page, engine};
use valetkey_manifest::AuthKind;
use valetkey_manifest::tool::Declaration;

use super::execute::{TOOL, answer, connector, declaration};
use super::process::thread_cpu_us;
use super::table;

const CALLS: u32 = 20_000;
const ROUNDS: usize = 5;
const INPUT: &str = r#"{"query":"ada"}"#;
const PAGE_SIZE: u32 = 10;

/// Runs and prints.
pub fn run() -> anyhow::Result<()> {
    let mut rows = Vec::new();
    let bench = Arc::new(Bench::of_hubspot()?);
    let native = table::median((0..ROUNDS).map(|_| per_call(1, &bench, native)).collect());
    rows.push(row("same work, native Rust", 1, native, native));
    let mut one_thread = f64::NAN;
    for threads in [1, 2] {
        let fresh = table::median((0..ROUNDS).map(|_| per_call(threads, &bench, fresh)).collect());
        if threads == 1 {
            one_thread = fresh;
        }
        rows.push(row("fresh instance + call + drop", threads, fresh, native));
        if threads == 2 {
            rows.push(row("… two threads ÷ one", threads, fresh, one_thread));
        }
    }
    table::print(
        &format!(
            "The sandbox per call ({TOOL}, {} bytes of answer), medians of {ROUNDS} × {CALLS} calls",
            answer().len()
        ),
        &["", "threads", "CPU µs per call", "ratio"],
        &rows,
    );
    Ok(())
}

fn row(name: &str, threads: usize, us: f64, base: f64) -> Vec<String> {
    vec![
        name.to_owned(),
        threads.to_string(),
        format!("{us:.1}"),
        format!("{:.2}", us / base),
    ]
}

/// CPU microseconds per call while `threads` threads do nothing else. CPU time, because the clock
/// on the wall also counts what else the machine does.
fn per_call(threads: usize, bench: &Arc<Bench>, work: fn(&Bench)) -> f64 {
    let workers: Vec<_> = (0..threads)
        .map(|_| {
            let bench = Arc::clone(bench);
            std::thread::spawn(move || {
                let before = thread_cpu_us();
                work(&bench);
                (thread_cpu_us() - before) / f64::from(CALLS)
            })
        })
        .collect();
    let total: f64 = workers
        .into_iter()
        .map(|worker| worker.join().expect("a worker ends well"))
        .sum();
    total / threads as f64
}

fn native(bench: &Bench) {
    for _ in 0..CALLS {
        let input: Value = serde_json::from_str(INPUT).expect("JSON");
        let declaration: Declaration = serde_json::from_str(&bench.declaration).expect("a declaration");
        let page = Page {
            token: None,
            size: Some(PAGE_SIZE),
        };
        let declared = declaration.request.as_ref().expect("it is declared");
        let paginator = declaration.paginator.as_ref();
        let request = engine::request(declared, paginator, &input, &page, &|_| None).expect("a request");
        std::hint::black_box(request);
        let response = valetkey_guest::Response {
            status: 200,
            headers: bench.headers.clone(),
            body: bench.answer.to_vec(),
        };
        std::hint::black_box(engine::output(&declaration, &page, response).expect("an output"));
    }
}

fn fresh(bench: &Bench) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        for _ in 0..CALLS {
            std::hint::black_box(bench.call(TOOL, INPUT).await.expect("an answer"));
        }
    });
}

/// A compiled connector over a vendor that answers at once.
pub struct Bench {
    pub sandbox: Sandbox,
    pub component: Arc<Component>,
    declaration: Arc<str>,
    answer: Bytes,
    headers: Vec<(String, String)>,
    reach: Reach,
    _cache: Arc<tempfile::TempDir>,
}

impl Bench {
    fn of_hubspot() -> anyhow::Result<Self> {
        let (component, _) = connector()?;
        let cache = Arc::new(tempfile::tempdir()?);
        Self::of(
            component,
            serde_json::to_string(&declaration()?)?,
            answer(),
            cache,
        )
    }

    /// Of any component, its code kept in `cache`.
    pub fn of(
        component: Vec<u8>,
        declaration: String,
        answer: String,
        cache: Arc<tempfile::TempDir>,
    ) -> anyhow::Result<Self> {
        let answer = Bytes::from(answer);
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let memory = Memory {
            answer: answer.clone(),
            headers: headers.clone(),
        };
        let settings = config::Sandbox {
            compile_seconds: 600,
            ..config::Sandbox::default()
        };
        let sandbox = Sandbox::new(&settings, cache.path(), Arc::new(memory))?;
        let inspection = sandbox.inspect(&component)?;
        let id = inspection.manifest.connector.id.clone();
        let compiled = super::execute::runtime()?.block_on(sandbox.compile(component.into(), &inspection))?;
        let endpoint = egress::endpoint("http://127.0.0.1:1", true, false, &BTreeMap::new());
        let endpoint = endpoint.map_err(anyhow::Error::msg)?;
        Ok(Self {
            sandbox,
            component: Arc::new(compiled),
            declaration: declaration.into(),
            answer,
            headers,
            reach: Reach {
                vendor: Arc::new(Vendor {
                    connection_key: format!("bench/{id}"),
                    connector: id,
                    development: true,
                    budgets: Arc::new([]),
                    throttles: Arc::new([]),
                    refusals: Arc::new([]),
                    errors: None,
                }),
                endpoints: Arc::new(BTreeMap::from([("api".to_owned(), endpoint)])),
                allowed: Arc::new([]),
                read_only: true,
                idempotent: true,
                account_key: "account".into(),
                credentials: Arc::new(NoCredential),
                deadline: tokio::time::Instant::now() + Duration::from_secs(3_600),
                meter: Arc::new(Meter::default()),
            },
            _cache: cache,
        })
    }

    /// One call, as the host makes it.
    pub async fn call(&self, tool: &str, input: &str) -> Result<GuestOutput, Fault> {
        let context = CallContext {
            execution_id: "exe_00000000000000000000000000000000".to_owned(),
            declaration: Some(Arc::clone(&self.declaration)),
            page_token: None,
            page_size: Some(PAGE_SIZE),
            ext: Vec::new(),
        };
        self.sandbox
            .call(&self.component, self.grant(), context, tool, input.to_owned())
            .await
    }

    fn grant(&self) -> Grant {
        Grant {
            reach: self.reach.clone(),
            limits: Limits::from(&config::Sandbox::default()),
            credential_kind: AuthKind::Bearer,
            scopes: Arc::new([]),
            account_config: Arc::new(BTreeMap::new()),
            log: Arc::new(GuestLog::default()),
            files: None,
            progress: None,
            tape: None,
        }
    }
}

/// A vendor that answers at once.
struct Memory {
    answer: Bytes,
    headers: Vec<(String, String)>,
}

impl Outbound for Memory {
    fn send<'a>(&'a self, _: &'a Reach, _: GuestRequest) -> BoxFuture<'a, Result<GuestResponse, Fault>> {
        Box::pin(std::future::ready(Ok(GuestResponse {
            file: None,
            status: StatusCode::OK,
            headers: self.headers.clone(),
            body: self.answer.clone(),
        })))
    }
}

/// Nothing asks: the vendor is not one.
struct NoCredential;

impl Credentials for NoCredential {
    fn current(&self, _: tokio::time::Instant) -> BoxFuture<'_, Result<Arc<Credential>, Fault>> {
        unreachable!("no request leaves this bench")
    }

    fn renew(&self, _: u64, _: tokio::time::Instant) -> BoxFuture<'_, Result<Arc<Credential>, Fault>> {
        unreachable!("no request leaves this bench")
    }
}

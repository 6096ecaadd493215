//! A host of its own for an author's cases: the real parts on a temporary folder, connected to a
//! vendor on loopback. Every call goes the way that it goes in service, `call::run` and all below.
//!
//! Called by `run`. Each case gets a connection and an account of its own, so that budgets,
//! pauses and refreshed tokens of one mean nothing to another.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Map, Value};
use valetkey_manifest::auth::Placement;
use valetkey_manifest::{Auth, AuthKind, Manifest};

use super::case::{Case, GivenFile};
use super::faults::Injected;
use super::replay::{FIRST_TOKEN, REFRESH_TOKEN, Run, Script, Seen, Vendor};
use super::suite::Settings;
use crate::access::{Caller, Scope};
use crate::accounts::{GivenCredential, NewAccount, NewConnection, NewOAuthApp, Selector};
use crate::call::{self, Extras, Outcome, Request};
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Fault, Kind};
use crate::id::{ConnectionName, ConnectorId, EnvironmentId, Identifier};
use crate::journal::Actor;
use crate::random;
use crate::runtime::{self, FIRST_ENVIRONMENT, Runtime};
use crate::secret::Secret;

/// The user whose account it is, as an application would name them.
const IDENTIFIER: &str = "author";
/// A credential of no certain form.
const MADE_UP: &str = "case-credential-0001";

/// The host and its vendor.
pub(super) struct Stage {
    runtime: Arc<Runtime>,
    vendor: Vendor,
    caller: Caller,
    // After the runtime, whose files are in it.
    _folder: Folder,
}

/// What came of one run of a case.
pub(super) struct Played {
    /// The tool's answer with the vendor's own URLs, and whether there is more; or the fault.
    pub(super) result: Result<(Value, bool), Fault>,
    /// What came to the vendor.
    pub(super) seen: Seen,
    /// The guest's log lines.
    pub(super) log: Vec<String>,
}

impl Stage {
    /// Brings up the host.
    pub(super) async fn open() -> anyhow::Result<Self> {
        let folder = Folder::make()?;
        let mut config = Config::default();
        config.storage.data_dir = folder.0.join("data");
        // A vendor that is made to fail is not left alone, and a refused token is refreshed at once.
        config.egress.breaker_failures = 0;
        config.oauth.renew_interval_seconds = 0;
        // The author's machine may be busy, or the host built without optimisation.
        config.sandbox.compile_seconds = 300;
        let client = runtime::init(&config, Clock::system()).await?;
        let runtime = Runtime::open(config, Clock::system(), "http://127.0.0.1".to_owned()).await?;
        let caller = Caller {
            client: client.client_id,
            environment: EnvironmentId::new(FIRST_ENVIRONMENT)?,
            scopes: Scope::ALL.into_iter().collect(),
        };
        let vendor = Vendor::start()
            .await
            .context("no port is free for the replaying vendor")?;
        Ok(Self {
            runtime,
            vendor,
            caller,
            _folder: folder,
        })
    }

    /// Installs the connector.
    pub(super) async fn install(&self, component: Vec<u8>) -> Result<Arc<Manifest>, Fault> {
        let installed = self.runtime.registry.install(component, &Actor::Operator).await?;
        let id = ConnectorId::new(installed.connector).map_err(Fault::internal)?;
        let snapshot = self.runtime.registry.snapshot();
        let connector = snapshot.connectors.get(&id);
        let connector = connector.ok_or_else(|| Fault::internal("what was installed is not there"))?;
        Ok(Arc::clone(&connector.active.version.manifest))
    }

    /// Ends the host.
    pub(super) async fn close(self) {
        self.runtime.close().await;
    }

    /// Runs a case: connects an account for it and calls the tool.
    pub(super) async fn play(
        &self,
        manifest: &Manifest,
        settings: &Settings,
        case: &Case,
        injected: Option<(Injected, usize)>,
        deadline: Option<Duration>,
    ) -> Result<Played, Fault> {
        let auth = scheme(manifest, case)?;
        let config = account_config(manifest, settings, case);
        let (number, run) = self.vendor.begin(Script {
            bases: bases(manifest, &config),
            exchanges: recorded(case, &config),
            injected,
            verify: check_request(manifest, &config),
            discover: site_request(manifest, &config),
            secret_parameter: match auth.and_then(|auth| auth.placement.as_ref()) {
                Some(Placement::Query { name }) => Some(name.clone()),
                _ => None,
            },
        });
        let played = async {
            let connection = self
                .connect(number, manifest, auth, settings, config, &run)
                .await?;
            let params = self.params(case).await?;
            run.call();
            Ok(self.call(case, params, connection, &run, deadline).await)
        };
        let played = played.await;
        self.vendor.forget(number);
        played
    }

    /// Makes the connection and the account of a run.
    async fn connect(
        &self,
        number: u32,
        manifest: &Manifest,
        auth: Option<&Auth>,
        settings: &Settings,
        account_config: BTreeMap<String, String>,
        run: &Run,
    ) -> Result<ConnectionName, Fault> {
        let name = ConnectionName::new(format!("case-{number}")).map_err(Fault::internal)?;
        let kind = auth.map_or(AuthKind::None, |auth| auth.kind);
        let oauth = (kind == AuthKind::Oauth2).then(|| NewOAuthApp {
            client_id: "case".to_owned(),
            client_secret: Some("case-client-secret".to_owned()),
            authorize_url: Some(run.token_url()),
            token_url: Some(run.token_url()),
            revoke_url: None,
            issuer: None,
        });
        let token_url = auth.and_then(|auth| auth.grant.as_ref()).map(|_| run.token_url());
        let connection = NewConnection {
            token_url,
            connection_name: name.clone(),
            connector: ConnectorId::new(&*manifest.connector.id).map_err(Fault::internal)?,
            auth: auth.map(|auth| auth.id.clone()),
            scopes: oauth.as_ref().map(|_| every_scope(manifest)),
            oauth,
            endpoints: manifest
                .endpoints
                .keys()
                .map(|name| (name.clone(), run.endpoint(name)))
                .collect(),
            development: true,
            pinned_version: None,
            proxy: false,
            user_verify_urls: Vec::new(),
            application_name: None,
        };
        let (environment, actor) = (&self.caller.environment, Actor::Operator);
        let accounts = &self.runtime.accounts;
        accounts
            .create_connection(environment, connection, &actor)
            .await?;
        let account = NewAccount {
            connection_name: name.clone(),
            identifier: Identifier::new(IDENTIFIER).map_err(Fault::internal)?,
            account_config,
            credential: auth.and_then(|auth| credential(auth, manifest, settings)),
        };
        accounts
            .create_account(environment, account, &actor)
            .await
            .map_err(|fault| not_connected(&fault))?;
        Ok(name)
    }

    /// The case's parameters, with the ids of its files.
    async fn params(&self, case: &Case) -> Result<Map<String, Value>, Fault> {
        let (files, environment) = (&self.runtime.files, &self.caller.environment);
        let mut params = Value::Object(case.params.clone());
        for (name, given) in &case.files {
            let called = given.name.as_deref().unwrap_or("file");
            let content_type = given.content_type.as_deref();
            let content_type = content_type.unwrap_or("application/octet-stream");
            let mut file = files.begin(environment, None, called, content_type);
            file.push(given.bytes().unwrap_or_default().into()).await?;
            let id = file.finish().await?.id.to_string();
            fill(&mut params, &GivenFile::placeholder(name), &id);
        }
        match params {
            Value::Object(params) => Ok(params),
            _ => Ok(Map::new()),
        }
    }

    async fn call(
        &self,
        case: &Case,
        params: Map<String, Value>,
        connection: ConnectionName,
        run: &Run,
        deadline: Option<Duration>,
    ) -> Played {
        let request = Request {
            tool_name: case.tool.clone(),
            selector: Selector {
                identifier: Identifier::new(IDENTIFIER).ok(),
                connection_name: Some(connection),
                ..Selector::default()
            },
            params,
            agent_run_id: None,
            idempotency_key: None,
            deadline,
            extras: Extras::default(),
        };
        let (id, result) = call::run(&self.runtime, &self.caller, request).await;
        let environment = self.caller.environment.as_str();
        let execution = self.runtime.journal.find(environment, id.as_str());
        let read = |Outcome { data, next_cursor }: Outcome| {
            let data = serde_json::from_str(&run.as_vendors(&data)).map_err(Fault::internal)?;
            Ok((data, next_cursor.is_some()))
        };
        Played {
            result: result.and_then(read),
            seen: run.seen(),
            log: execution
                .map(|execution| execution.guest_log.clone())
                .unwrap_or_default(),
        }
    }
}

/// The auth scheme that a case names, or the manifest's first.
fn scheme<'m>(manifest: &'m Manifest, case: &Case) -> Result<Option<&'m Auth>, Fault> {
    let Some(wanted) = &case.auth else {
        return Ok(manifest.auth.first());
    };
    let found = manifest.auth.iter().find(|auth| auth.id == *wanted);
    let known: Vec<&str> = manifest.auth.iter().map(|auth| auth.id.as_str()).collect();
    match found {
        Some(auth) => Ok(Some(auth)),
        None => Err(Fault::new(
            Kind::InvalidInput,
            format!(
                "`auth: {wanted}` is none of the manifest's: {}.",
                known.join(", ")
            ),
        )),
    }
}

/// Whether a case's account has a token that can be refreshed; none when it has no credential.
pub(super) fn refreshes(manifest: &Manifest, case: &Case) -> Option<bool> {
    match scheme(manifest, case).ok().flatten()?.kind {
        AuthKind::Oauth2 | AuthKind::JwtBearer | AuthKind::ClientCredentials => Some(true),
        AuthKind::ApiKey | AuthKind::Basic | AuthKind::Bearer | AuthKind::Keys => Some(false),
        AuthKind::None => None,
    }
}

/// Whether the request of an exchange carries the account's credential: its endpoint is the one whose URL is
/// the longest that the request's begins with.
pub(super) fn has_credential(manifest: &Manifest, settings: &Settings, case: &Case, index: usize) -> bool {
    let config = account_config(manifest, settings, case);
    let exchanges = recorded(case, &config);
    let Some(exchange) = exchanges.get(index) else {
        return true;
    };
    let is_below = |base: &str| {
        let rest = exchange.request.url.strip_prefix(base);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let endpoints = bases(manifest, &config);
    let below = endpoints.iter().filter(|(_, base)| is_below(base));
    below
        .max_by_key(|(_, base)| base.len())
        .and_then(|(name, _)| manifest.endpoints.get(name))
        .is_none_or(|endpoint| endpoint.credential)
}

/// The manifest's examples, with what the suite and the case say over them.
fn account_config(manifest: &Manifest, settings: &Settings, case: &Case) -> BTreeMap<String, String> {
    let examples = manifest.account_config.iter();
    let mut config: BTreeMap<String, String> = examples
        .filter_map(|(name, input)| Some((name.clone(), input.example.clone()?)))
        .collect();
    config.extend(settings.config.clone());
    config.extend(case.config.clone());
    config
}

/// Puts a text in the place of every text that is this placeholder.
fn fill(value: &mut Value, placeholder: &str, text: &str) {
    match value {
        Value::String(found) if found == placeholder => text.clone_into(found),
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, placeholder, text)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|member| fill(member, placeholder, text)),
        _ => {}
    }
}

fn filled(template: &str, config: &BTreeMap<String, String>) -> String {
    config.iter().fold(template.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{config.{name}}}"), value)
    })
}

fn bases(manifest: &Manifest, config: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let url = |url: &str| filled(url, config).trim_end_matches('/').to_owned();
    let endpoints = manifest.endpoints.iter();
    endpoints
        .map(|(name, endpoint)| (name.clone(), url(&endpoint.url)))
        .collect()
}

/// The exchanges of a case; its URLs may hold `{config.NAME}` like the manifest's.
fn recorded(case: &Case, config: &BTreeMap<String, String>) -> Vec<super::case::Exchange> {
    let mut exchanges = case.exchanges.clone();
    for exchange in &mut exchanges {
        exchange.request.url = filled(&exchange.request.url, config);
    }
    exchanges
}

/// The manifest's check of a credential, and an answer that it accepts.
fn check_request(manifest: &Manifest, config: &BTreeMap<String, String>) -> Option<(String, Value)> {
    let verify = manifest.verify.as_ref()?;
    let endpoints = bases(manifest, config);
    let (_, base) = endpoints.iter().find(|(name, _)| *name == verify.endpoint)?;
    let path = verify.path.split('?').next().unwrap_or_default();
    let mut answer = Value::Object(Map::new());
    for pointer in std::iter::once(&verify.subject).chain(&verify.label) {
        put(&mut answer, pointer, "case-account");
    }
    Some((format!("{base}{path}"), answer))
}

/// The manifest's search for a site, and an answer that finds the one of the case's configuration.
fn site_request(manifest: &Manifest, config: &BTreeMap<String, String>) -> Option<(String, Value)> {
    let discover = manifest.discover.as_ref()?;
    let endpoints = bases(manifest, config);
    let (_, base) = endpoints.iter().find(|(name, _)| *name == discover.endpoint)?;
    let path = discover.path.split('?').next().unwrap_or_default();
    let mut answer = Value::Null;
    let mut site =
        |pointer: &str, text: &str| put(&mut answer, &format!("{}/0{pointer}", discover.items), text);
    site(&discover.label, "case-site");
    for (name, pointer) in &discover.set {
        site(pointer, config.get(name).map_or("case-site", String::as_str));
    }
    Some((format!("{base}{path}"), answer))
}

/// Puts a text where a JSON pointer points, making what is on the way there.
fn put(value: &mut Value, pointer: &str, text: &str) {
    let mut here = value;
    for step in pointer.split('/').skip(1) {
        let name = step.replace("~1", "/").replace("~0", "~");
        here = if step == "0" {
            if !here.is_array() {
                *here = Value::Array(vec![Value::Null]);
            }
            &mut here[0]
        } else {
            if !here.is_object() {
                *here = Value::Object(Map::new());
            }
            &mut here[name.as_str()]
        };
    }
    *here = Value::from(text);
}

fn every_scope(manifest: &Manifest) -> Vec<String> {
    let asked = manifest.auth.iter().filter_map(|auth| auth.oauth2.as_ref());
    let asked = asked.flat_map(|oauth2| &oauth2.scopes);
    let needed = manifest
        .tools
        .iter()
        .flat_map(|tool| tool.scopes.iter().chain(&tool.any_scopes));
    let mut scopes: Vec<String> = asked.chain(needed).cloned().collect();
    scopes.sort();
    scopes.dedup();
    scopes
}

/// A credential that opens nothing anywhere.
fn credential(auth: &Auth, manifest: &Manifest, settings: &Settings) -> Option<GivenCredential> {
    let input = |name: &str| {
        let given = settings.credential.get(name);
        let value = given.map_or(MADE_UP, String::as_str);
        (name.to_owned(), Secret::new(value.to_owned()))
    };
    let usual: &[&str] = match auth.kind {
        AuthKind::None => return None,
        AuthKind::Oauth2 => {
            return Some(GivenCredential::Tokens {
                access: Secret::new(FIRST_TOKEN.to_owned()),
                refresh: Some(Secret::new(REFRESH_TOKEN.to_owned())),
                scopes: every_scope(manifest),
                expires_at_ms: None,
            });
        }
        AuthKind::ApiKey => &["api_key"],
        AuthKind::Bearer => &["token"],
        AuthKind::Basic => &["username", "password"],
        AuthKind::Keys | AuthKind::JwtBearer | AuthKind::ClientCredentials => &[],
    };
    let declared = auth.inputs.keys().map(String::as_str);
    let names = usual.iter().copied().filter(|_| auth.inputs.is_empty());
    Some(GivenCredential::Inputs(
        declared.chain(names).map(input).collect(),
    ))
}

/// What an author does about an account that cannot be connected.
fn not_connected(fault: &Fault) -> Fault {
    let places: Vec<String> = fault
        .fields()
        .iter()
        .map(|problem| format!("{} {}", problem.path, problem.problem))
        .collect();
    Fault::new(
        fault.kind(),
        format!(
            "The case's account could not be connected: {} {} Values of the form that the manifest wants go into tests/tests.toml, below [config] and [credential].",
            fault.public(),
            places.join("; ")
        ),
    )
}

/// A folder that goes with the run.
struct Folder(PathBuf);

impl Folder {
    fn make() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("valetkey-cases-{}", random::token()));
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("{} cannot be made", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed stays in the folder for temporary files.
        drop(fs::remove_dir_all(&self.0));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_account_is_named_where_the_check_looks_for_it() {
        let mut answer = Value::Object(Map::new());
        put(&mut answer, "/data/0/user~1id", "x");
        put(&mut answer, "/label", "y");
        assert_eq!(answer, json!({"data": [{"user/id": "x"}], "label": "y"}));
    }

    #[test]
    fn the_cases_site_is_found() {
        let manifest = json!({
            "connector": {"id": "acme", "title": "Acme", "version": "1.0.0", "contract": "0.1",
                "description": "Reads things."},
            "endpoints": {"api": {"url": "https://acme.example/v1"}},
            "discover": {"endpoint": "api", "path": "/sites?all=1", "items": "", "label": "/name",
                "set": {"cloud": "/id"}},
            "tools": []
        });
        let manifest: Manifest = serde_json::from_value(manifest).unwrap();
        let config = BTreeMap::from([("cloud".to_owned(), "c-1".to_owned())]);
        let (url, answer) = site_request(&manifest, &config).unwrap();
        assert_eq!(url, "https://acme.example/v1/sites");
        assert_eq!(answer, json!([{"id": "c-1", "name": "case-site"}]));
    }
}

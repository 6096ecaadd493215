//! An operator's connections: checked when made, kept sealed with their client secret, all of
//! them in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use valetkey_manifest::auth::{Auth, ClientAuth, OAuth2};
use valetkey_manifest::{AuthKind, Manifest, Placement, TokenGrant};

use super::directory::index_prefix;
use super::model::Connection;
use super::parts::Parts;
use super::request::{ConnectionChange, NewConnection, NewOAuthApp};
use super::sealed::{self, Spot};
use super::{Accounts, token_endpoint};
use crate::error::{Fault, Kind, Problem};
use crate::id::{ConnectionName, ConnectorId, EnvironmentId};
use crate::journal::Actor;
use crate::registry::{Connector, Version};
use crate::secret::Secret;
use crate::store::{Batch, Expect, StoreError, Table};
use crate::text::is_deceptive;

/// The application of a connection that names none.
pub const UNNAMED_APPLICATION: &str = "this application";

/// A connection with its secret.
pub(super) struct Configured {
    connection: ArcSwap<Connection>,
    /// The operator's client secret at the vendor; goes into token requests alone.
    pub client_secret: Option<Secret>,
    /// Read while an account is made, written while the connection is removed; true once it is.
    pub gone: tokio::sync::RwLock<bool>,
}

impl Configured {
    fn new(connection: Connection, client_secret: Option<Secret>) -> Arc<Self> {
        Arc::new(Self {
            connection: ArcSwap::from_pointee(connection),
            client_secret,
            gone: tokio::sync::RwLock::new(false),
        })
    }

    /// The connection now.
    pub fn connection(&self) -> Arc<Connection> {
        self.connection.load_full()
    }

    /// The token endpoint for an account with this configuration.
    pub fn token_endpoint(
        &self,
        config: &BTreeMap<String, String>,
    ) -> Result<token_endpoint::Endpoint, Fault> {
        let connection = self.connection();
        let url = connection
            .oauth2
            .as_ref()
            .map_or("", |oauth2| oauth2.token_url.as_str());
        let url = token_endpoint::fill(url, config)?;
        Ok(token_endpoint::Endpoint::of(
            &connection,
            self.client_secret.as_ref(),
            url,
        ))
    }

    /// The manifest that the connection goes by: of its pinned version, else of the active one.
    pub fn manifest(&self, parts: &Parts) -> Result<Arc<Manifest>, Fault> {
        self.version(parts).map(|version| Arc::clone(&version.manifest))
    }

    /// The version that the connection goes by.
    pub fn version(&self, parts: &Parts) -> Result<Arc<Version>, Fault> {
        let connection = self.connection();
        let snapshot = parts.registry.snapshot();
        let version = snapshot
            .connectors
            .get(&connection.connector)
            .and_then(|connector| match &connection.pinned_version {
                Some(pinned) => connector.versions.get(pinned),
                None => Some(&connector.active),
            });
        match version {
            Some(activation) => Ok(Arc::clone(&activation.version)),
            None => Err(Fault::new(
                Kind::NotFound,
                format!(
                    "The connector `{}` of connection `{}` is not loaded. Install it.",
                    connection.connector, connection.name
                ),
            )),
        }
    }
}

/// A connection as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    connection: Connection,
    client_secret: Option<String>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.client_secret.zeroize();
    }
}

fn key(environment: &EnvironmentId, name: &ConnectionName) -> Vec<u8> {
    format!("{environment}\0{name}").into_bytes()
}

fn spot<'a>(environment: &'a EnvironmentId, name: &'a str) -> Spot<'a> {
    Spot {
        record: "connection",
        environment,
        connection: name,
        identifier: "",
        field: "all",
    }
}

fn encode(parts: &Parts, connection: &Connection, client_secret: Option<&Secret>) -> Result<Vec<u8>, Fault> {
    let kept = Kept {
        connection: connection.clone(),
        // Goes into the seal.
        client_secret: client_secret.map(|secret| secret.expose().to_owned()),
    };
    sealed::seal(
        &parts.vault,
        spot(&connection.environment, connection.name.as_str()),
        1,
        &kept,
    )
}

/// Reads every connection. One that does not open is reported and left out; the others serve.
pub(super) async fn load(parts: &Parts) -> Result<Vec<Arc<Configured>>, Fault> {
    let mut found = Vec::new();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = parts
            .store
            .scan(Table::Connections, b"", after.as_deref(), 256)
            .await?;
        let Some((last, _)) = page.last() else {
            return Ok(found);
        };
        after = Some(last.clone());
        for (key, record) in page {
            let named = std::str::from_utf8(&key)
                .ok()
                .and_then(|key| key.split_once('\0'));
            let Some((environment, name)) = named else {
                continue;
            };
            let opened = EnvironmentId::new(environment)
                .map_err(Fault::internal)
                .and_then(|environment| {
                    sealed::open::<Kept>(&parts.vault, spot(&environment, name), &record.value)
                });
            match opened {
                Ok(mut kept) => {
                    // The host may have moved: its public address is a setting, not a fact.
                    kept.connection.redirect_uri = redirect_uri(parts, &kept.connection);
                    let secret = kept.client_secret.take().map(Secret::new);
                    found.push(Configured::new(kept.connection.clone(), secret));
                }
                Err(fault) => tracing::error!(
                    environment,
                    connection = name,
                    cause = fault.chain(),
                    "a connection does not open; its accounts cannot be used"
                ),
            }
        }
    }
}

impl Accounts {
    /// Configures a connection.
    ///
    /// # Errors
    /// `invalid_input` with every complaint; `conflict` when the name is taken.
    pub async fn create_connection(
        &self,
        environment: &EnvironmentId,
        new: NewConnection,
        actor: &Actor,
    ) -> Result<Arc<Connection>, Fault> {
        let _turn = self.pinning.lock().await;
        let snapshot = self.parts.registry.snapshot();
        let Some(connector) = snapshot.connectors.get(&new.connector) else {
            let known: Vec<&str> = snapshot.connectors.keys().map(ConnectorId::as_str).collect();
            return Err(Fault::invalid(
                format!(
                    "No connector `{}` is installed. Installed: {}.",
                    new.connector,
                    list(&known)
                ),
                vec![problem("/connector", "is not installed")],
            ));
        };
        let (connection, secret) = self.check(environment, new, connector)?;
        let bytes = encode(&self.parts, &connection, secret.as_ref())?;
        let batch = Batch::new().put(
            Table::Connections,
            key(environment, &connection.name),
            Expect::Absent,
            bytes,
        );
        let name = connection.name.clone();
        let configured = Configured::new(connection, secret);
        // To the end, also when the caller goes away: memory follows the store.
        let (store, directory) = (Arc::clone(&self.parts.store), Arc::clone(&self.directory));
        let added = Arc::clone(&configured);
        let task = tokio::spawn(async move {
            store.commit(batch).await?;
            directory.add(added);
            Ok(())
        });
        match task.await.map_err(Fault::internal)? {
            Err(StoreError::Conflict) => {
                return Err(Fault::new(
                    Kind::Conflict,
                    format!(
                        "There is a connection `{name}` already. Choose another name, or delete that one first."
                    ),
                ));
            }
            done => done?,
        }
        self.parts
            .note(actor, environment, "connection.create", name.as_str(), "ok")
            .await?;
        Ok(configured.connection())
    }

    /// Connections of an environment by name.
    ///
    /// # Errors
    /// The store fails.
    #[allow(
        clippy::unused_async,
        reason = "a store of several hosts will have to be asked"
    )]
    pub async fn connections(&self, environment: &EnvironmentId) -> Result<Vec<Arc<Connection>>, Fault> {
        Ok(self
            .directory
            .all(environment)
            .iter()
            .map(|configured| configured.connection())
            .collect())
    }

    /// One connection.
    ///
    /// # Errors
    /// `not_found`.
    #[allow(
        clippy::unused_async,
        reason = "a store of several hosts will have to be asked"
    )]
    pub async fn connection(
        &self,
        environment: &EnvironmentId,
        name: &ConnectionName,
    ) -> Result<Arc<Connection>, Fault> {
        Ok(self.configured(environment, name)?.connection())
    }

    /// Changes a connection: the connector version that serves it, whether it takes raw requests.
    ///
    /// # Errors
    /// `not_found` for an unknown connection or a version that is not loaded.
    pub async fn change_connection(
        &self,
        environment: &EnvironmentId,
        name: &ConnectionName,
        change: ConnectionChange,
        actor: &Actor,
    ) -> Result<Arc<Connection>, Fault> {
        let _turn = self.pinning.lock().await;
        let configured = self.configured(environment, name)?;
        let gone = configured.gone.write().await;
        if *gone {
            return Err(Fault::new(
                Kind::NotFound,
                format!("Connection `{name}` was just removed."),
            ));
        }
        let mut connection = Connection::clone(&configured.connection());
        let mut actions = Vec::new();
        if let Some(version) = change.pinned_version {
            if let Some(version) = &version {
                self.expect_loaded(&connection.connector, version)?;
            }
            connection.pinned_version = version;
            actions.push("connection.pin");
        }
        if let Some(proxy) = change.proxy {
            connection.proxy = proxy;
            actions.push(if proxy {
                "connection.proxy_on"
            } else {
                "connection.proxy_off"
            });
        }
        let bytes = encode(&self.parts, &connection, configured.client_secret.as_ref())?;
        let batch = Batch::new().put(Table::Connections, key(environment, name), Expect::Any, bytes);
        self.parts.store.commit(batch).await?;
        configured.connection.store(Arc::new(connection));
        for action in actions {
            self.parts
                .note(actor, environment, action, name.as_str(), "ok")
                .await?;
        }
        Ok(configured.connection())
    }

    fn expect_loaded(&self, connector: &ConnectorId, version: &str) -> Result<(), Fault> {
        let snapshot = self.parts.registry.snapshot();
        let loaded = snapshot
            .connectors
            .get(connector)
            .map(|connector| &connector.versions);
        if loaded.is_some_and(|versions| versions.contains_key(version)) {
            return Ok(());
        }
        let known: Vec<&str> = loaded
            .into_iter()
            .flat_map(|versions| versions.keys().map(String::as_str))
            .collect();
        Err(Fault::new(
            Kind::NotFound,
            format!(
                "Version `{version}` of `{connector}` is not loaded. Loaded: {}.",
                list(&known)
            ),
        ))
    }

    /// Removes a connection that has no accounts.
    ///
    /// # Errors
    /// `not_found`; `conflict` while it has accounts.
    pub async fn delete_connection(
        &self,
        environment: &EnvironmentId,
        name: &ConnectionName,
        actor: &Actor,
    ) -> Result<(), Fault> {
        let configured = self.configured(environment, name)?;
        let mut gone = configured.gone.write().await;
        let prefix = index_prefix(environment, name);
        if !self
            .parts
            .store
            .scan(Table::AccountIndex, &prefix, None, 1)
            .await?
            .is_empty()
        {
            return Err(Fault::new(
                Kind::Conflict,
                format!(
                    "Connection `{name}` still has connected accounts. Remove them first: `valetkey account remove`, or `DELETE /api/v1/connected_accounts/{{id}}`."
                ),
            ));
        }
        self.parts
            .store
            .commit(Batch::new().delete(Table::Connections, key(environment, name), Expect::Any))
            .await?;
        *gone = true;
        self.directory.remove(environment, name);
        self.parts
            .note(actor, environment, "connection.delete", name.as_str(), "ok")
            .await
    }

    /// A connection with its secret.
    pub(super) fn configured(
        &self,
        environment: &EnvironmentId,
        name: &ConnectionName,
    ) -> Result<Arc<Configured>, Fault> {
        self.directory.configured(environment, name).ok_or_else(|| {
            let known = self.directory.all(environment);
            let known: Vec<String> = known
                .iter()
                .map(|configured| configured.connection().name.to_string())
                .collect();
            Fault::new(
                Kind::NotFound,
                format!("There is no connection `{name}`. Connections: {}.", list(&known)),
            )
        })
    }

    /// Everything that can be wrong with a new connection, at once.
    fn check(
        &self,
        environment: &EnvironmentId,
        new: NewConnection,
        connector: &Connector,
    ) -> Result<(Connection, Option<Secret>), Fault> {
        let mut problems = Vec::new();
        let activation = match &new.pinned_version {
            None => Some(&connector.active),
            Some(version) => connector.versions.get(version),
        };
        let manifest = match activation {
            Some(activation) => &activation.version.manifest,
            None => {
                let known: Vec<&str> = connector.versions.keys().map(String::as_str).collect();
                problems.push(problem(
                    "/pinned_version",
                    format!("is not loaded; loaded: {}", list(&known)),
                ));
                &connector.active.version.manifest
            }
        };
        let scheme = choose(manifest, new.auth.as_deref(), &mut problems);
        let kind = scheme.map_or(AuthKind::None, |scheme| scheme.kind);
        check_endpoints(manifest, &new, &mut problems);
        for (index, url) in new.user_verify_urls.iter().enumerate() {
            if let Err(wrong) = token_endpoint::check_url(url, new.development) {
                problems.push(problem(format!("/user_verify_urls/{index}"), wrong));
            }
        }
        let application_name = new
            .application_name
            .clone()
            .unwrap_or_else(|| UNNAMED_APPLICATION.to_owned());
        if application_name.is_empty()
            || application_name.len() > 100
            || application_name.chars().any(is_deceptive)
        {
            problems.push(problem(
                "/application_name",
                "must have 1 to 100 bytes without control, invisible or direction-changing characters",
            ));
        }
        let mut app = new.oauth;
        let secret = app
            .as_mut()
            .and_then(|app| app.client_secret.take())
            .filter(|secret| !secret.is_empty())
            .map(Secret::new);
        let suggested = scheme.and_then(|scheme| scheme.oauth2.clone());
        let oauth2 = match (kind, suggested, &app) {
            (AuthKind::Oauth2, Some(suggested), Some(app)) => Some(confirm(
                suggested,
                app,
                secret.is_some(),
                new.development,
                &mut problems,
            )),
            (AuthKind::Oauth2, Some(_), None) => {
                problems.push(problem(
                    "/oauth",
                    "is missing: give the client_id and client_secret of your application at the vendor",
                ));
                None
            }
            (AuthKind::Oauth2, None, _) => {
                problems.push(problem(
                    "/auth",
                    "is OAuth, and the connector names no endpoints for it",
                ));
                None
            }
            (_, _, Some(_)) => {
                problems.push(problem("/oauth", "does not belong to this kind of credential"));
                None
            }
            _ => None,
        };
        let grant = confirmed_grant(
            kind,
            scheme.and_then(|scheme| scheme.grant.clone()),
            new.token_url,
            new.development,
            &mut problems,
        );
        let scopes = new.scopes.unwrap_or_else(|| {
            let by_consent = oauth2.as_ref().map(|oauth2| oauth2.scopes.clone());
            let by_inputs = grant.as_ref().map(|grant| grant.scopes.clone());
            by_consent.or(by_inputs).unwrap_or_default()
        });
        for (index, scope) in scopes.iter().enumerate() {
            // RFC 6749 section 3.3: printable ASCII without quote and backslash.
            if scope.is_empty()
                || !scope
                    .bytes()
                    .all(|byte| (0x21..0x7f).contains(&byte) && byte != b'"' && byte != b'\\')
            {
                problems.push(problem(format!("/scopes/{index}"), "is not a scope"));
            }
        }
        if !problems.is_empty() {
            return Err(Fault::invalid(
                "The connection was not made; see `fields` for what is wrong.",
                problems,
            ));
        }
        let mut connection = Connection {
            environment: environment.clone(),
            name: new.connection_name,
            connector: new.connector,
            auth: scheme.map(|scheme| scheme.id.clone()).unwrap_or_default(),
            kind,
            oauth2,
            grant,
            oauth_client_id: app.map(|app| app.client_id),
            has_client_secret: secret.is_some(),
            scopes,
            placement: scheme
                .and_then(|scheme| scheme.placement.clone())
                .unwrap_or_else(|| usual_placement(kind)),
            endpoints: new.endpoints,
            development: new.development,
            pinned_version: new.pinned_version,
            proxy: new.proxy,
            user_verify_urls: new.user_verify_urls,
            application_name,
            redirect_uri: None,
            created_at_ms: self.parts.now_ms(),
        };
        connection.redirect_uri = redirect_uri(&self.parts, &connection);
        Ok((connection, secret))
    }
}

/// The redirect URI of a connection: its own, so that no vendor's answer counts for another.
fn redirect_uri(parts: &Parts, connection: &Connection) -> Option<String> {
    let path = format!("/oauth/callback/{}/{}", connection.environment, connection.name);
    connection
        .oauth2
        .is_some()
        .then(|| format!("{}{path}", parts.public_url))
}

fn choose<'a>(manifest: &'a Manifest, wanted: Option<&str>, problems: &mut Vec<Problem>) -> Option<&'a Auth> {
    let Some(wanted) = wanted else {
        return manifest.auth.first();
    };
    let found = manifest.auth.iter().find(|scheme| scheme.id == wanted);
    if found.is_none() {
        let known: Vec<&str> = manifest.auth.iter().map(|scheme| scheme.id.as_str()).collect();
        problems.push(problem(
            "/auth",
            format!("is not one of the connector's: {}", list(&known)),
        ));
    }
    found
}

fn check_endpoints(manifest: &Manifest, new: &NewConnection, problems: &mut Vec<Problem>) {
    for (name, url) in &new.endpoints {
        let path = format!("/endpoints/{name}");
        if !manifest.endpoints.contains_key(name) {
            let known: Vec<&str> = manifest.endpoints.keys().map(String::as_str).collect();
            problems.push(problem(
                path,
                format!("is not an endpoint of the connector: {}", list(&known)),
            ));
        } else if let Err(wrong) = token_endpoint::check_endpoint(url, new.development) {
            problems.push(problem(path, wrong));
        }
    }
}

/// The manifest's suggestion with the operator's words in its place: what is used from now on.
fn confirm(
    suggested: OAuth2,
    app: &NewOAuthApp,
    has_secret: bool,
    development: bool,
    problems: &mut Vec<Problem>,
) -> OAuth2 {
    let mut oauth2 = suggested;
    // Words come from the manifest in force, not from the one of that day.
    oauth2.scope_titles.clear();
    if let Some(url) = &app.authorize_url {
        oauth2.authorize_url.clone_from(url);
        // The suggested issuer belongs to the suggested server.
        oauth2.issuer = None;
        oauth2.iss_required = false;
    }
    if let Some(url) = &app.token_url {
        oauth2.token_url.clone_from(url);
        // The suggested revocation endpoint belongs to the suggested server.
        oauth2.revoke_url = None;
    }
    if app.revoke_url.is_some() {
        oauth2.revoke_url.clone_from(&app.revoke_url);
    }
    if app.issuer.is_some() {
        oauth2.issuer.clone_from(&app.issuer);
    }
    if app.client_id.is_empty() || app.client_id.chars().any(char::is_control) {
        problems.push(problem(
            "/oauth/client_id",
            "is empty or holds control characters",
        ));
    }
    if !has_secret {
        oauth2.client_auth = ClientAuth::None;
    }
    let urls = [
        ("/oauth/authorize_url", Some(&oauth2.authorize_url)),
        ("/oauth/token_url", Some(&oauth2.token_url)),
        ("/oauth/revoke_url", oauth2.revoke_url.as_ref()),
    ];
    for (path, url) in urls {
        if let Some(url) = url
            && let Err(wrong) = token_endpoint::check_url(url, development)
        {
            problems.push(problem(path, wrong));
        }
    }
    oauth2
}

/// The manifest's way to access tokens with the operator's endpoint in its place.
fn confirmed_grant(
    kind: AuthKind,
    suggested: Option<TokenGrant>,
    token_url: Option<String>,
    development: bool,
    problems: &mut Vec<Problem>,
) -> Option<TokenGrant> {
    match (kind, suggested) {
        (AuthKind::JwtBearer | AuthKind::ClientCredentials, Some(mut grant)) => {
            grant.token_url = token_url.unwrap_or(grant.token_url);
            if let Err(wrong) = token_endpoint::check_url(&grant.token_url, development) {
                problems.push(problem("/token_url", wrong));
            }
            Some(grant)
        }
        _ => {
            if token_url.is_some() {
                problems.push(problem(
                    "/token_url",
                    "does not belong to this kind of credential; for OAuth it is `oauth.token_url`",
                ));
            }
            None
        }
    }
}

fn usual_placement(kind: AuthKind) -> Placement {
    match kind {
        AuthKind::Basic => Placement::Basic,
        AuthKind::Oauth2
        | AuthKind::ApiKey
        | AuthKind::Bearer
        | AuthKind::Keys
        | AuthKind::JwtBearer
        | AuthKind::ClientCredentials
        | AuthKind::None => Placement::Header {
            name: "authorization".to_owned(),
            format: "Bearer {secret}".to_owned(),
        },
    }
}

/// One complaint.
pub(super) fn problem(path: impl Into<String>, problem: impl Into<String>) -> Problem {
    Problem {
        path: path.into(),
        problem: problem.into(),
    }
}

/// Names joined for a message.
pub(super) fn list<T: AsRef<str>>(names: &[T]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names
        .iter()
        .map(|name| format!("`{}`", name.as_ref()))
        .collect::<Vec<_>>()
        .join(", ")
}

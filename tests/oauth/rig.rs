//! A whole host with one connector whose vendor is the test's, and the steps of connecting.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::Instant;
use valetkey::accounts::{
    Account, Accounts, GivenCredential, Link, LinkRequest, NewAccount, NewConnection, NewOAuthApp, Selector,
    Step, Usable,
};
use valetkey::config::Config;
use valetkey::egress::{Credential, Material};
use valetkey::error::Fault;
use valetkey::id::{AccountId, ConnectionName, ConnectorId, EnvironmentId, Identifier};
use valetkey::journal::Actor;
use valetkey::manifest;
use valetkey::runtime::Runtime;
use valetkey::secret::Secret;
use valetkey_manifest::auth::{ClientAuth, OAuth2, RevokeToken, Rotation, SecretInput, TokenBody};
use valetkey_manifest::{Auth, AuthKind, Manifest, Verify};
use valetkey_tests::{TestHost, artifacts, guests};

use crate::vendor::Vendor;

pub const CONNECTOR: &str = "echo";

/// A host and a vendor.
pub struct Rig {
    pub host: TestHost,
    pub vendor: Vendor,
}

impl Rig {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// A host with the connection `main` to a friendly vendor.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let vendor = Vendor::start().await;
        let host = TestHost::start_with(change).await;
        install(&host, &manifest()).await;
        let rig = Self { host, vendor };
        rig.connection("main", |_| {}).await;
        rig
    }

    /// Makes a connection, its application registered at the vendor.
    pub async fn connection(&self, name: &str, change: impl FnOnce(&mut NewConnection)) {
        let mut new = new_connection(name, &self.vendor.url);
        change(&mut new);
        self.accounts()
            .create_connection(&environment(), new, &actor())
            .await
            .expect("a connection");
    }

    pub fn accounts(&self) -> &Arc<Accounts> {
        &self.host.runtime.accounts
    }

    pub fn advance(&self, seconds: u64) {
        self.host.clock().advance(Duration::from_secs(seconds));
    }

    /// Connects an identifier on `main` through the whole flow.
    pub async fn connect(&self, identifier: &str) -> AccountId {
        connect(self.accounts(), "main", identifier).await
    }

    pub async fn account(&self, id: &AccountId) -> Arc<Account> {
        self.accounts()
            .account(&environment(), id)
            .await
            .expect("an account")
    }

    pub async fn pick(&self, identifier: &str) -> Result<Usable, Fault> {
        pick(self.accounts(), identifier).await
    }

    /// The token that a call would use now.
    pub async fn token(&self, identifier: &str) -> Result<String, Fault> {
        let usable = self.pick(identifier).await?;
        usable
            .credentials
            .current(soon())
            .await
            .map(|credential| text(&credential))
    }

    /// What is on the disk now, opened as another host would after a crash of this one.
    pub async fn crash(&self) -> Revived {
        let dir = tempfile::tempdir().expect("a folder");
        copy(self.host.folder(), dir.path());
        let mut config = self.host.runtime.config.clone();
        config.storage.data_dir = dir.path().join("data");
        let runtime = Runtime::open(config, self.host.clock().clone(), self.host.base_url.clone()).await;
        Revived {
            runtime: runtime.expect("it opens after a crash"),
            _dir: dir,
        }
    }
}

/// A host after a crash.
pub struct Revived {
    pub runtime: Arc<Runtime>,
    _dir: TempDir,
}

impl Revived {
    pub async fn token(&self, identifier: &str) -> Result<String, Fault> {
        let usable = pick(&self.runtime.accounts, identifier).await?;
        usable
            .credentials
            .current(soon())
            .await
            .map(|credential| text(&credential))
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            std::fs::create_dir(&target).expect("a folder");
            let mode = entry.metadata().expect("metadata").permissions();
            std::fs::set_permissions(&target, mode).expect("its mode");
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("a copy");
        }
    }
}

pub fn environment() -> EnvironmentId {
    EnvironmentId::new("dev").expect("an environment")
}

pub fn name(name: &str) -> ConnectionName {
    ConnectionName::new(name).expect("a name")
}

pub fn identifier(identifier: &str) -> Identifier {
    Identifier::new(identifier).expect("an identifier")
}

pub fn actor() -> Actor {
    Actor::Client("tests".to_owned())
}

pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

pub fn text(credential: &Credential) -> String {
    match &credential.material {
        Material::Token(token) => token.expose().to_owned(),
        Material::Basic { username, password } => format!("{}:{}", username.expose(), password.expose()),
        Material::Exchanged { token, .. } => token.expose().to_owned(),
        Material::Inputs(_) | Material::None => String::new(),
    }
}

pub async fn pick(accounts: &Arc<Accounts>, who: &str) -> Result<Usable, Fault> {
    let selector = Selector {
        identifier: Some(identifier(who)),
        ..Selector::default()
    };
    accounts
        .pick(
            &environment(),
            &ConnectorId::new(CONNECTOR).expect("an id"),
            &selector,
        )
        .await?
        .usable()
}

pub fn link_request(connection: &str, who: &str) -> LinkRequest {
    LinkRequest {
        connection_name: name(connection),
        identifier: identifier(who),
        user_verify_url: None,
        state: None,
        account_config: BTreeMap::new(),
    }
}

pub fn new_account(connection: &str, who: &str, credential: Option<GivenCredential>) -> NewAccount {
    NewAccount {
        connection_name: name(connection),
        identifier: identifier(who),
        account_config: BTreeMap::new(),
        credential,
    }
}

/// The cookie of a browser.
pub fn browser(name: &str) -> Secret {
    Secret::new(format!("browser-{name}"))
}

/// The ticket of a link.
pub fn ticket(link: &str) -> String {
    link.rsplit_once('/').expect("a link").1.to_owned()
}

/// The parameters of a URL.
pub fn parameters(url: &str) -> BTreeMap<String, String> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), decode(value)))
        .collect()
}

pub fn decode(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let digits: String = bytes.by_ref().take(2).map(char::from).collect();
                out.push(u8::from_str_radix(&digits, 16).expect("an escape"));
            }
            byte => out.push(byte),
        }
    }
    String::from_utf8(out).expect("UTF-8")
}

pub fn redirect(step: Step) -> String {
    match step {
        Step::Redirect(url) => url,
        other => panic!("not a redirect: {other:?}"),
    }
}

pub fn query(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// Follows a link as a program does; answers the authorization URL's parameters.
pub async fn open(accounts: &Accounts, link: &str) -> BTreeMap<String, String> {
    parameters(&redirect(
        accounts.follow_link(&ticket(link)).await.expect("an open link"),
    ))
}

/// A link that the owner has opened, and the state that the vendor was given.
pub async fn begin(accounts: &Accounts, connection: &str, who: &str) -> (Link, String) {
    let link = accounts
        .create_link(&environment(), link_request(connection, who), &actor())
        .await
        .expect("a link");
    let sent = open(accounts, &link.authorization_link).await;
    (link, sent["state"].clone())
}

/// The whole flow with a vendor that takes any code.
pub async fn connect(accounts: &Accounts, connection: &str, who: &str) -> AccountId {
    let (link, state) = begin(accounts, connection, who).await;
    let back = query(&[("code", "good"), ("state", &state)]);
    let step = accounts
        .callback(&environment(), &name(connection), back, None)
        .await
        .expect("connected");
    assert!(matches!(step, Step::Connected(_)), "{step:?}");
    link.connected_account_id
}

pub fn new_connection(name_: &str, url: &str) -> NewConnection {
    NewConnection {
        connection_name: name(name_),
        connector: ConnectorId::new(CONNECTOR).expect("an id"),
        auth: None,
        oauth: Some(NewOAuthApp {
            client_id: "client".to_owned(),
            client_secret: Some("client-secret-canary".to_owned()),
            authorize_url: Some(format!("{url}/authorize")),
            token_url: Some(format!("{url}/token")),
            revoke_url: Some(format!("{url}/revoke")),
            issuer: None,
        }),
        token_url: None,
        scopes: None,
        endpoints: BTreeMap::from([("api".to_owned(), url.to_owned())]),
        development: true,
        pinned_version: None,
        proxy: false,
        user_verify_urls: vec!["https://app.example/verify".to_owned()],
        application_name: Some("The tests".to_owned()),
    }
}

/// The connector's manifest. Its vendor is elsewhere: connections name the test's.
pub fn manifest() -> Manifest {
    let mut manifest = guests::manifest(CONNECTOR);
    if let Some(api) = manifest.endpoints.get_mut("api") {
        api.credential = true;
    }
    let oauth2 = OAuth2 {
        authorize_url: "https://vendor.example/authorize".to_owned(),
        token_url: "https://vendor.example/token".to_owned(),
        revoke_url: Some("https://vendor.example/revoke".to_owned()),
        issuer: None,
        iss_required: false,
        scopes: vec!["read".to_owned(), "write".to_owned()],
        scope_titles: BTreeMap::from([("read".to_owned(), "Read everything".to_owned())]),
        scope_separator: " ".to_owned(),
        scope_param: "scope".to_owned(),
        authorize_params: BTreeMap::from(
            [("access_type", "offline"), ("prompt", "consent")]
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        ),
        client_auth: ClientAuth::Post,
        token_body: TokenBody::Form,
        token_response: None,
        grant_errors: Vec::new(),
        rotation: Rotation::SingleUse,
        default_lifetime_seconds: None,
        revoke_token: RevokeToken::Refresh,
        coded: None,
    };
    let auth = |id: &str, kind, oauth2, inputs| Auth {
        id: id.to_owned(),
        kind,
        title: id.to_owned(),
        oauth2,
        grant: None,
        inputs,
        placement: None,
    };
    let key = SecretInput {
        pattern: Some("key-[a-z]+".to_owned()),
        ..SecretInput::titled("Key")
    };
    let basic = OAuth2 {
        client_auth: ClientAuth::Basic,
        ..oauth2.clone()
    };
    manifest.auth = vec![
        auth("oauth2", AuthKind::Oauth2, Some(oauth2), BTreeMap::new()),
        auth("oauth2_basic", AuthKind::Oauth2, Some(basic), BTreeMap::new()),
        auth(
            "key",
            AuthKind::ApiKey,
            None,
            BTreeMap::from([("api_key".to_owned(), key)]),
        ),
        auth("basic", AuthKind::Basic, None, BTreeMap::new()),
    ];
    manifest.verify = Some(Verify {
        endpoint: "api".to_owned(),
        method: "GET".to_owned(),
        path: "/whoami".to_owned(),
        headers: BTreeMap::new(),
        body: None,
        subject: "/id".to_owned(),
        label: Some("/name".to_owned()),
    });
    manifest
}

pub async fn install(host: &TestHost, manifest: &Manifest) {
    let component = manifest::embed(&artifacts::guest(CONNECTOR), manifest).expect("a component");
    host.runtime
        .registry
        .install(component, &Actor::Operator)
        .await
        .expect("it is installed");
}

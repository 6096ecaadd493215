//! A certified authorization server that rotates refresh tokens and ends the whole grant when one
//! is used twice; a plain client signs in and consents.

use std::collections::BTreeMap;
use std::process::Stdio;

use http::Method;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use valetkey::accounts::{AccountState, Reason, Revocation};
use valetkey::id::AccountId;
use valetkey_tests::artifacts;
use valetkey_tests::http::{Answer, Client};

use crate::rig::{Rig, actor, environment, link_request};

/// The provider, and a rig with the connection `certified` to it.
struct Certified {
    rig: Rig,
    url: String,
    _provider: Child,
}

impl Certified {
    async fn start() -> Self {
        let rig = Rig::start().await;
        let folder = artifacts::repository().join("tests/oauth/provider");
        assert!(
            folder.join("node_modules").exists(),
            "the authorization server is missing; get it with: npm ci --prefix tests/oauth/provider"
        );
        let mut provider = Command::new("node")
            .arg(folder.join("provider.mjs"))
            .arg(format!("{}/oauth/callback/dev/certified", rig.host.base_url))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("node runs");
        let output = provider.stdout.take().expect("its output");
        let port = BufReader::new(output)
            .lines()
            .next_line()
            .await
            .expect("a line")
            .expect("a port");
        let url = format!("http://127.0.0.1:{port}");
        rig.connection("certified", |new| {
            new.auth = Some("oauth2_basic".to_owned());
            new.scopes = Some(
                ["openid", "offline_access", "crm.read"]
                    .map(str::to_owned)
                    .to_vec(),
            );
            if let Some(app) = &mut new.oauth {
                app.client_id = "valetkey".to_owned();
                app.client_secret = Some("provider-secret".to_owned());
                app.authorize_url = Some(format!("{url}/auth"));
                app.token_url = Some(format!("{url}/token"));
                app.revoke_url = Some(format!("{url}/token/revocation"));
                app.issuer = Some(url.clone());
            }
        })
        .await;
        Self {
            rig,
            url,
            _provider: provider,
        }
    }

    /// A person opens the link, signs in and consents.
    async fn connect(&self, who: &str) -> AccountId {
        let request = link_request("certified", who);
        let link = self
            .rig
            .accounts()
            .create_link(&environment(), request, &actor())
            .await
            .expect("a link");
        let mut browser = Browser::default();
        let mut page = browser.get(&link.authorization_link).await;
        for form in ["prompt=login&login=ada&password=any", "prompt=consent"] {
            let url = browser.at.clone();
            assert!(url.contains("/interaction/"), "{url}: {}", page.text());
            page = browser.post(&url, form).await;
        }
        assert!(page.status.is_success(), "{}", page.text());
        assert!(browser.at.starts_with(&self.rig.host.base_url), "{}", browser.at);
        link.connected_account_id
    }

    /// What the provider says of an access token.
    async fn status(&self, token: &str) -> u16 {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        Client::default()
            .send(Method::GET, &format!("{}/me", self.url), &headers, "")
            .await
            .status
            .as_u16()
    }
}

/// A client with cookies that follows redirects.
#[derive(Default)]
struct Browser {
    client: Client,
    cookies: BTreeMap<String, String>,
    at: String,
}

impl Browser {
    async fn get(&mut self, url: &str) -> Answer {
        self.go(Method::GET, url, "").await
    }

    async fn post(&mut self, url: &str, form: &str) -> Answer {
        self.go(Method::POST, url, form).await
    }

    async fn go(&mut self, method: Method, url: &str, form: &str) -> Answer {
        let (mut method, mut url, mut form) = (method, url.to_owned(), form.to_owned());
        for _ in 0..10 {
            let cookies: Vec<String> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let cookies = cookies.join("; ");
            let headers = [
                ("cookie", cookies.as_str()),
                ("content-type", "application/x-www-form-urlencoded"),
            ];
            let answer = self.client.send(method, &url, &headers, form).await;
            for cookie in answer.headers.get_all("set-cookie") {
                let cookie = cookie
                    .to_str()
                    .expect("a cookie")
                    .split(';')
                    .next()
                    .unwrap_or_default();
                if let Some((name, value)) = cookie.split_once('=') {
                    self.cookies.insert(name.to_owned(), value.to_owned());
                }
            }
            self.at.clone_from(&url);
            if !answer.status.is_redirection() {
                return answer;
            }
            let location = answer.header("location");
            url = if location.starts_with('/') {
                let end = url.match_indices('/').nth(2).map_or(url.len(), |(at, _)| at);
                format!("{}{location}", &url[..end])
            } else {
                location
            };
            (method, form) = (Method::GET, String::new());
        }
        panic!("too many redirects, the last to {url}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certified_server_grants_rotates_and_revokes() {
    let certified = Certified::start().await;
    let rig = &certified.rig;
    let id = certified.connect("ada").await;
    let account = rig.account(&id).await;
    assert_eq!(account.state, AccountState::Active);
    assert_eq!(&*account.scopes, ["openid", "offline_access", "crm.read"]);
    let first = rig.token("ada").await.unwrap();
    assert_eq!(certified.status(&first).await, 200);

    // Again and again, a hundred at once: the server would end the grant at the second use of a
    // refresh token.
    let mut last = first;
    for _ in 0..3 {
        rig.advance(31);
        let calls = (0..100).map(|_| rig.token("ada"));
        for token in futures_util::future::join_all(calls).await {
            let token = token.unwrap();
            assert_ne!(token, last);
        }
        last = rig.token("ada").await.unwrap();
        assert_eq!(certified.status(&last).await, 200);
    }

    let revocation = rig
        .accounts()
        .disconnect(&environment(), &id, &actor())
        .await
        .unwrap();
    assert_eq!(revocation, Revocation::Revoked);
    assert_eq!(
        certified.status(&last).await,
        401,
        "the whole grant is gone at the server"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_that_somebody_else_used_ends_in_a_visible_authorization() {
    let certified = Certified::start().await;
    let rig = &certified.rig;
    let id = certified.connect("ada").await;
    let thief = rig.crash().await;
    rig.advance(31);
    assert!(rig.token("ada").await.is_ok());
    // The copy presents the token that was used: the server ends the family.
    assert_eq!(
        thief.token("ada").await.unwrap_err().reason_code(),
        Some("refresh_rejected")
    );
    rig.advance(31);
    let fault = rig.token("ada").await.unwrap_err();
    assert_eq!(fault.reason_code(), Some("refresh_rejected"));
    let account = rig.account(&id).await;
    assert_eq!(
        (account.state, account.reason),
        (AccountState::Expired, Some(Reason::RefreshRejected))
    );

    // Authorized again, it works again, under a later generation.
    certified.connect("ada").await;
    assert_eq!(certified.status(&rig.token("ada").await.unwrap()).await, 200);
    assert!(rig.account(&id).await.generation > account.generation);
}

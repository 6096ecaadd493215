//! The hosted pages.

use http::Method;

use valetkey_tests::TestHost;
use valetkey_tests::http::Answer;

use crate::edge::{Vendor, host_with, link};
use crate::refusals::assert_guarded;

const CANARY: &str = "canary-4711";

fn assert_page(answer: &Answer, status: u16) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_guarded(answer);
    let text = answer.text();
    for forbidden in ["<script", "http://", "https://", "style=", CANARY] {
        assert!(!text.contains(forbidden), "{forbidden} in {text}");
    }
}

#[tokio::test]
async fn a_flow_that_is_not_ours_is_a_page_that_repeats_nothing() {
    let host = TestHost::start().await;
    let url = |path: &str| format!("{}{path}", host.base_url);
    assert_page(&host.http.get(&url(&format!("/connect/{CANARY}"))).await, 400);
    let callback = "/oauth/callback/dev/hubspot";
    for query in [
        String::new(),
        format!("?state={CANARY}&code={CANARY}"),
        format!("?state={CANARY}&state={CANARY}&code=x"),
        format!("?error={CANARY}&code={CANARY}&state={CANARY}"),
        format!("?state={}", CANARY.repeat(2000)),
        "?%ff=%fe".to_owned(),
    ] {
        assert_page(&host.http.get(&url(&format!("{callback}{query}"))).await, 400);
    }
    let form = format!("state={CANARY}&code={CANARY}");
    assert_page(&host.http.post_form(&url(callback), &form).await, 400);
    let elsewhere = format!("/oauth/callback/{CANARY}/hubspot?state=x&code=y");
    assert_page(&host.http.get(&url(&elsewhere)).await, 400);
    assert_page(
        &host.http.send(Method::DELETE, &url("/connect/x"), &[], "").await,
        400,
    );
}

#[tokio::test]
async fn the_form_works_without_scripts_and_escapes_names() {
    let vendor = Vendor::start().await;
    let host = host_with(&vendor).await;
    let link = link(&host, "user-1").await;
    let page = host.http.get(&link).await;
    assert_page(&page, 200);
    let text = page.text();
    assert!(
        text.contains("&lt;b&gt;Acme") || text.contains("&#60;b&#62;Acme"),
        "{text}"
    );
    assert!(
        text.contains("type=\"password\"") && text.contains("name=\"token\""),
        "{text}"
    );
    assert!(
        page.header("content-security-policy")
            .contains("form-action 'self'")
    );

    let foreign = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("sec-fetch-site", "cross-site"),
    ];
    let form = "token=pat-na1-0123456789";
    assert_page(&host.http.send(Method::POST, &link, &foreign, form).await, 400);

    let wrong = host.http.post_form(&link, &format!("token={CANARY}")).await;
    assert_page(&wrong, 422);
    assert!(wrong.text().contains("role=\"alert\""), "{}", wrong.text());
    let action = wrong
        .text()
        .split("action=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next().map(str::to_owned))
        .expect("a form");
    let done = host
        .http
        .post_form(&format!("{}{action}", host.base_url), form)
        .await;
    assert_page(&done, 200);
    assert!(done.text().contains("is connected"), "{}", done.text());
    assert_page(&host.http.get(&link).await, 400);
}

#[tokio::test]
async fn the_stylesheet_is_ours() {
    let host = TestHost::start().await;
    let style = host.http.get(&format!("{}/page.css", host.base_url)).await;
    assert_eq!(
        (style.status.as_u16(), style.header("content-type").as_str()),
        (200, "text/css; charset=utf-8")
    );
    assert!(style.text().contains("prefers-color-scheme: dark"));
    assert!(!style.text().contains("url("));
    assert_guarded(&style);
}

//! Every page on which nothing goes on.

use std::time::Duration;

use serde_json::json;

use crate::browser::Browser;
use crate::stage::{crm, links};

#[tokio::test]
async fn every_dead_end_is_a_page_that_says_what_to_do() {
    let Some(browser) = Browser::find() else { return };
    let world = crm(None).await;
    let expired = links(&world.host, "crm", 1, &json!({})).await.remove(0);
    world.host.clock().advance(Duration::from_secs(601));
    let base = &world.host.base_url;
    let elsewhere = base.replace("127.0.0.1", "elsewhere.localhost");
    let dead = "This link does not work any more";
    let pages = json!([
        {"name": "dead-link", "url": expired, "status": 400, "title": dead},
        {"name": "dead-link", "url": format!("{base}/connect/unknown"), "status": 400, "title": dead},
        {"name": "dead-link", "url": format!("{base}/oauth/callback/dev/crm"), "status": 400, "title": dead},
        {"name": "nothing-here", "url": format!("{base}/"), "status": 404, "title": "There is nothing here"},
        {"name": "nothing-here", "url": format!("{base}/nowhere"), "status": 404, "title": "There is nothing here"},
        {"name": "wrong-address", "url": format!("{elsewhere}/connect/x"), "status": 421, "title": "Wrong address"},
    ]);
    browser.run("refuse", &world.host, json!({"pages": pages})).await;
}

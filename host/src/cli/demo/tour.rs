//! The calls of the demo: what they answer, what happened underneath, and whether it is what it
//! should be.

use serde_json::{Value, json};
use valetkey_vendors::{Fault, Side, Simulator};

use super::api::Api;
use super::screen::Screen;

/// One call that was answered.
struct Called {
    data: Value,
    next_cursor: Option<String>,
    execution: Value,
}

/// Calls tools one after the other; answers how many expectations did not hold.
pub(super) async fn call_tools(api: &Api, simulator: &Simulator, screen: &Screen) -> usize {
    let mut tour = Tour {
        api,
        screen,
        failures: 0,
    };
    tour.search_over_pages().await;
    tour.create_and_read_back().await;
    tour.read_and_send_mail().await;

    screen.title("Every access token expires now");
    simulator.expire_access_tokens();
    let params = json!({ "limit": 5, "properties": ["dealname", "amount"] });
    if let Some(deals) = tour.call("hubspot_deals_search", params).await {
        tour.list(&deals.data["results"], |deal| {
            text(&deal["properties"]["dealname"])
        });
        tour.expect(deals.execution["renewals"] == 1, "the token is refreshed once");
    }

    screen.title("The vendor says: too many requests, come back in a second");
    simulator.fail(Fault::throttle(Side::Api, 1, "1").under("/hubspot"));
    let params = json!({ "limit": 5, "properties": ["name", "domain"] });
    if let Some(companies) = tour.call("hubspot_companies_search", params).await {
        tour.list(&companies.data["results"], |company| {
            text(&company["properties"]["name"])
        });
        let waited = companies.execution["waited_ms"].as_u64().unwrap_or(0);
        tour.expect(waited >= 900, "the host waits as told, then goes on");
    }
    tour.failures
}

struct Tour<'a> {
    api: &'a Api,
    screen: &'a Screen,
    failures: usize,
}

impl Tour<'_> {
    async fn search_over_pages(&mut self) {
        self.screen.title("More contacts than the vendor gives at once");
        let params = json!({ "limit": 420, "properties": ["firstname", "lastname", "email"] });
        let Some(contacts) = self.call("hubspot_contacts_search", params.clone()).await else {
            return;
        };
        let name = |contact: &Value| {
            let of = |name: &str| text(&contact["properties"][name]);
            format!("{} {} <{}>", of("firstname"), of("lastname"), of("email"))
        };
        self.list(&contacts.data["results"], name);
        self.expect(count(&contacts.data["results"]) == 420, "420 contacts come back");
        self.expect(
            contacts.execution["pages"] == 3,
            "they are three pages at the vendor",
        );
        let Some(cursor) = contacts.next_cursor else {
            return self.expect(false, "there is a cursor for the rest");
        };
        let mut rest = params;
        rest["cursor"] = json!(cursor);
        if let Some(rest) = self.call("hubspot_contacts_search", rest).await {
            self.list(&rest.data["results"], name);
            self.expect(
                count(&rest.data["results"]) == 30 && rest.next_cursor.is_none(),
                "the cursor leads to the 30 that were left",
            );
        }
    }

    async fn create_and_read_back(&mut self) {
        self.screen.title("A new contact");
        let email = "grace.hopper@navy.example";
        let params = json!({ "limit": 1, "filters": [
            { "propertyName": "email", "operator": "EQ", "value": email },
        ] });
        let before = self.call("hubspot_contacts_search", params).await;
        let earlier = before.as_ref().map(|found| &found.data["results"][0]["id"]);
        let id = match earlier.and_then(Value::as_str) {
            Some(id) => Some(id.to_owned()),
            None => {
                let params = json!({ "properties": {
                    "email": email, "firstname": "Grace", "lastname": "Hopper",
                } });
                let created = self.call("hubspot_contact_create", params).await;
                created.map(|created| text(&created.data["id"]))
            }
        };
        let Some(id) = id else { return };
        let params = json!({ "contact_id": id, "properties": ["firstname", "lastname", "email"] });
        if let Some(contact) = self.call("hubspot_contact_get", params).await {
            self.screen.result(&format!(
                "  {} is contact {id}",
                text(&contact.data["properties"]["email"])
            ));
            self.expect(
                contact.data["properties"]["email"] == email,
                "it reads back as it was written",
            );
        }
    }

    async fn read_and_send_mail(&mut self) {
        self.screen.title("Mail");
        let params = json!({ "query": "is:unread", "limit": 5 });
        if let Some(mails) = self.call("gmail_fetch_mails", params).await {
            let items = &mails.data["messages"];
            self.list(items, |mail| {
                format!("{} — {}", text(&mail["from"]), text(&mail["subject"]))
            });
            self.expect(count(items) == 5, "five unread mails come back");
        }
        let to = "grace.hopper@navy.example";
        let params = json!({ "to": [to], "subject": "Hello from Valetkey", "body": "Sent by a tool call." });
        let Some(sent) = self.call("gmail_send_mail", params).await else {
            return;
        };
        let id = text(&sent.data["id"]);
        self.screen.result(&format!("  sent as message {id}"));
        let params = json!({ "message_id": id });
        if let Some(mail) = self.call("gmail_get_message_by_id", params).await {
            self.expect(
                mail.data.to_string().contains("Hello from Valetkey"),
                "the mailbox has it among the sent ones",
            );
        }
    }

    /// Calls a tool and says what happened underneath.
    async fn call(&mut self, tool: &str, params: Value) -> Option<Called> {
        let mut shown = params.clone();
        if shown["cursor"].is_string() {
            shown["cursor"] = json!("…");
        }
        self.screen.say(&format!("{tool} {shown}"));
        let called = match self.try_call(tool, &params).await {
            Ok(called) => called,
            Err(error) => {
                self.screen.bad(&format!("{tool}: {error:#}"));
                self.failures += 1;
                return None;
            }
        };
        self.screen.aside(&underneath(&called.execution));
        Some(called)
    }

    async fn try_call(&self, tool: &str, params: &Value) -> anyhow::Result<Called> {
        let answer = self.api.execute(tool, params).await?;
        let id = text(&answer["execution_id"]);
        let execution = self.api.get(&format!("/api/v1/executions/{id}")).await?;
        Ok(Called {
            data: answer["data"].clone(),
            next_cursor: answer["next_cursor"].as_str().map(str::to_owned),
            execution,
        })
    }

    /// Shows the first few of a list.
    fn list(&self, items: &Value, line: impl Fn(&Value) -> String) {
        let shown = 3;
        for item in items.as_array().into_iter().flatten().take(shown) {
            self.screen.result(&format!("  {}", line(item)));
        }
        let more = count(items).saturating_sub(shown);
        if more > 0 {
            self.screen.result(&format!("  and {more} more"));
        }
    }

    fn expect(&mut self, holds: bool, what: &str) {
        if holds {
            self.screen.done(what);
        } else {
            self.failures += 1;
            self.screen.bad(&format!("expected: {what}"));
        }
    }
}

/// One line of an execution's record.
fn underneath(execution: &Value) -> String {
    let number = |name: &str| execution[name].as_u64().unwrap_or(0);
    let mut parts = vec![format!("{} ms", number("duration_ms"))];
    let counted = [
        ("requests", "request", "requests"),
        ("pages", "page", "pages"),
        ("renewals", "refresh", "refreshes"),
        ("retries", "retry", "retries"),
    ];
    for (name, one, many) in counted {
        match number(name) {
            0 => {}
            // Every call has a page; two tell something.
            1 if name == "pages" => {}
            1 => parts.push(format!("1 {one}")),
            n => parts.push(format!("{n} {many}")),
        }
    }
    if number("waits") > 0 {
        parts.push(format!(
            "waited {} ms for the vendor's limits",
            number("waited_ms")
        ));
    }
    parts.push(text(&execution["execution_id"]));
    parts.join(" · ")
}

fn count(items: &Value) -> usize {
    items.as_array().map_or(0, Vec::len)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

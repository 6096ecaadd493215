//! The simulated Google Calendar and Microsoft Graph: what is written is read back, pages go on,
//! and accounts, scopes and errors are as the vendors have them.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use valetkey_tests::http::{Answer, Client};
use valetkey_vendors::{Budget, Options, Simulator};

const REDIRECT_URI: &str = "http://127.0.0.1:9/callback";
/// The pair of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALENDAR: &str = "https://www.googleapis.com/auth/calendar";
const GRAPH: &str = "offline_access+User.Read+Mail.ReadWrite+Mail.Send+Calendars.ReadWrite\
    +Calendars.Read.Shared+Contacts.ReadWrite+People.Read+MailboxSettings.ReadWrite";

struct Rig {
    simulator: Simulator,
    http: Client,
}

impl Rig {
    async fn start() -> Self {
        Self {
            simulator: Simulator::start(Options::default()).await.expect("a free port"),
            http: Client::default(),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.simulator.base_url)
    }

    /// The token answer of a whole code flow.
    async fn connect(&self, authorize: &str, token: &str, scopes: &str, user: &str) -> Value {
        let url = self.url(&format!(
            "{authorize}?response_type=code&client_id=simulated-client&redirect_uri={REDIRECT_URI}&state=s1\
             &scope={scopes}&login_hint={user}&code_challenge={CHALLENGE}&code_challenge_method=S256\
             &access_type=offline&prompt=consent"
        ));
        let answer = self.http.get(&url).await;
        let location = answer.header("location");
        let code = location
            .split(['?', '&'])
            .find_map(|pair| pair.strip_prefix("code="))
            .expect("a code")
            .to_owned();
        let form = format!(
            "client_id=simulated-client&client_secret=simulated-secret&grant_type=authorization_code\
             &code={code}&redirect_uri={REDIRECT_URI}&code_verifier={VERIFIER}"
        );
        self.http.post_form(&self.url(token), &form).await.expect(200)
    }

    async fn google(&self, scopes: &str, user: &str) -> Value {
        self.connect("/google/o/oauth2/v2/auth", "/google/token", scopes, user)
            .await
    }

    async fn microsoft(&self, user: &str) -> Value {
        let at = "/microsoft/common/oauth2/v2.0";
        self.connect(&format!("{at}/authorize"), &format!("{at}/token"), GRAPH, user)
            .await
    }

    async fn send(&self, token: &Value, method: Method, path: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap_or_default());
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            (
                "prefer",
                "IdType=\"ImmutableId\", outlook.body-content-type=\"text\"",
            ),
        ];
        let body = if body.is_null() {
            Bytes::new()
        } else {
            body.to_string().into()
        };
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            self.url(path)
        };
        self.http.send(method, &url, &headers, body).await
    }

    async fn get(&self, token: &Value, path: &str) -> Answer {
        self.send(token, Method::GET, path, Value::Null).await
    }

    async fn post(&self, token: &Value, path: &str, body: Value) -> Answer {
        self.send(token, Method::POST, path, body).await
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[tokio::test]
async fn an_event_is_created_changed_moved_and_deleted_in_one_users_calendar_alone() {
    let rig = Rig::start().await;
    let ada = rig.google(CALENDAR, "ada").await;
    let bob = rig.google(CALENDAR, "bob").await;
    let events = "/calendar/v3/calendars/primary/events";
    let new = json!({"summary": "Budget", "start": {"dateTime": "2026-04-01T10:00:00+02:00"},
        "end": {"dateTime": "2026-04-01T11:00:00+02:00"}, "attendees": [{"email": "eve@x.example"}]});
    let made = rig
        .post(&ada, &format!("{events}?sendUpdates=all"), new)
        .await
        .expect(200);
    let path = format!("{events}/{}", text(&made["id"]));
    assert_eq!(rig.get(&ada, &path).await.expect(200)["summary"], "Budget");
    assert_eq!(
        rig.get(&bob, &path).await.status,
        404,
        "not in another's calendar"
    );

    let busy = json!({"timeMin": "2026-04-01T07:00:00Z", "timeMax": "2026-04-01T10:00:00Z",
        "items": [{"id": "primary"}, {"id": "bob@mail.example"}]});
    let busy = rig.post(&ada, "/calendar/v3/freeBusy", busy).await.expect(200);
    assert_eq!(
        busy["calendars"]["primary"]["busy"][0]["start"],
        "2026-04-01T08:00:00.000Z"
    );
    assert_eq!(
        busy["calendars"]["bob@mail.example"]["errors"][0]["reason"],
        "notFound"
    );

    let answer = json!({"attendeesOmitted": true, "attendees": [{"email": "eve@x.example", "responseStatus": "accepted"}]});
    let changed = rig.send(&ada, Method::PATCH, &path, answer).await.expect(200);
    assert_eq!(changed["attendees"][0]["responseStatus"], "accepted");
    let moved = rig
        .post(
            &ada,
            &format!("{path}/move?destination=ada-team@group.calendar.example"),
            Value::Null,
        )
        .await
        .expect(200);
    assert_eq!(moved["organizer"]["email"], "ada-team@group.calendar.example");
    let there = format!(
        "/calendar/v3/calendars/ada-team@group.calendar.example/events/{}",
        text(&made["id"])
    );
    assert_eq!(
        rig.send(&ada, Method::DELETE, &there, Value::Null).await.status,
        204
    );
    let again = rig
        .send(&ada, Method::DELETE, &there, Value::Null)
        .await
        .expect(410);
    assert_eq!(again["error"]["errors"][0]["reason"], "deleted");
}

#[tokio::test]
async fn a_calendar_is_walked_page_by_page_and_its_changes_since_then_are_told() {
    let rig = Rig::start().await;
    let ada = rig.google(CALENDAR, "ada").await;
    let events = "/calendar/v3/calendars/primary/events";
    let (mut page, mut seen, mut pages) = (String::new(), Vec::new(), 0);
    let sync = loop {
        let body = rig
            .get(&ada, &format!("{events}?maxResults=25{page}"))
            .await
            .expect(200);
        for event in body["items"].as_array().expect("events") {
            assert!(text(&event["summary"]).ends_with("of ada"), "{event}");
            seen.push(event["id"].clone());
        }
        pages += 1;
        match body["nextPageToken"].as_str() {
            Some(next) => page = format!("&pageToken={next}"),
            None => break text(&body["nextSyncToken"]).to_owned(),
        }
    };
    assert_eq!((pages, seen.len()), (3, 61));
    rig.post(&ada, &format!("{events}/quickAdd?text=Lunch"), Value::Null)
        .await
        .expect(200);
    let changes = rig
        .get(&ada, &format!("{events}?syncToken={sync}"))
        .await
        .expect(200);
    assert_eq!(changes["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(changes["items"][0]["summary"], "Lunch");
    let old = rig
        .get(&ada, &format!("{events}?syncToken=other"))
        .await
        .expect(410);
    assert_eq!(old["error"]["errors"][0]["reason"], "fullSyncRequired");
}

#[tokio::test]
async fn scopes_and_budgets_of_the_calendar_are_kept() {
    let rig = Rig::start().await;
    let reader = rig
        .google("https://www.googleapis.com/auth/calendar.readonly", "ada")
        .await;
    let events = "/calendar/v3/calendars/primary/events";
    assert_eq!(rig.get(&reader, events).await.status, 200);
    let refused = rig
        .post(&reader, &format!("{events}/quickAdd?text=Lunch"), Value::Null)
        .await
        .expect(403);
    assert_eq!(refused["error"]["errors"][0]["reason"], "insufficientPermissions");
    rig.simulator.set_calendar_budget(Some(Budget {
        requests: 0,
        window_ms: 60_000,
    }));
    let refused = rig.get(&reader, events).await.expect(429);
    assert_eq!(refused["error"]["errors"][0]["reason"], "rateLimitExceeded");
}

#[tokio::test]
async fn a_mail_is_drafted_sent_answered_moved_and_found_in_one_users_mailbox_alone() {
    let rig = Rig::start().await;
    let ada = rig.microsoft("ada").await;
    let bob = rig.microsoft("bob").await;
    let me = "/graph/v1.0/me";
    let draft = json!({"subject": "Offer", "body": {"contentType": "text", "content": "Hello <you>"},
        "toRecipients": [{"emailAddress": {"address": "eve@x.example"}}]});
    let draft = rig.post(&ada, &format!("{me}/messages"), draft).await.expect(201);
    let path = format!("{me}/messages/{}", text(&draft["id"]));
    assert_eq!(
        draft["body"]["content"], "Hello <you>\r\n",
        "plain text, as preferred"
    );
    assert_eq!(rig.get(&bob, &path).await.status, 404, "not in another's mailbox");

    let file =
        json!({"@odata.type": "#microsoft.graph.fileAttachment", "name": "a.txt", "contentBytes": "aGk="});
    let file = rig
        .post(&ada, &format!("{path}/attachments"), file)
        .await
        .expect(201);
    let content = rig
        .get(&ada, &format!("{path}/attachments/{}/$value", text(&file["id"])))
        .await;
    assert_eq!(content.text(), "hi");
    assert_eq!(
        rig.post(&ada, &format!("{path}/send"), Value::Null).await.status,
        202
    );
    let sent = rig.get(&ada, &path).await.expect(200);
    assert_eq!(sent["isDraft"], false, "the immutable id is still good");

    let found = rig
        .get(
            &ada,
            &format!("{me}/mailFolders/sentitems/messages?$select=subject"),
        )
        .await
        .expect(200);
    assert_eq!(found["value"][0]["subject"], "Offer");
    let moved = rig
        .post(&ada, &format!("{path}/move"), json!({"destinationId": "archive"}))
        .await
        .expect(201);
    assert_eq!(moved["id"], draft["id"]);
    let answer = json!({"comment": "Thank you."});
    assert_eq!(rig.post(&ada, &format!("{path}/reply"), answer).await.status, 202);
    let search = format!("{me}/messages?$search=%22subject:offer%22&$top=2");
    let page = rig.get(&ada, &search).await.expect(200);
    assert!(page["value"].as_array().is_some_and(|found| found.len() == 2));
    let next = text(&page["@odata.nextLink"]).to_owned();
    assert!(next.starts_with(&rig.url("/graph/v1.0/me/messages?")), "{next}");
    assert_eq!(rig.get(&ada, &next).await.status, 200);
}

#[tokio::test]
async fn graph_events_are_read_back_and_made_once_for_one_transaction() {
    let rig = Rig::start().await;
    let ada = rig.microsoft("ada").await;
    let me = "/graph/v1.0/me";
    let event = json!({"subject": "Budget", "transactionId": "t1",
        "start": {"dateTime": "2026-04-01T10:00:00", "timeZone": "Europe/Berlin"},
        "end": {"dateTime": "2026-04-01T11:00:00", "timeZone": "Europe/Berlin"}});
    let made = rig
        .post(&ada, &format!("{me}/events"), event.clone())
        .await
        .expect(201);
    let again = rig.post(&ada, &format!("{me}/events"), event).await.expect(201);
    assert_eq!(made["id"], again["id"]);
    let window = "startDateTime=2026-04-01T00:00:00Z&endDateTime=2026-04-02T00:00:00Z";
    let view = rig
        .get(&ada, &format!("{me}/calendarView?{window}"))
        .await
        .expect(200);
    assert_eq!(view["value"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        view["value"][0]["start"]["dateTime"],
        "2026-04-01T08:00:00.0000000"
    );
    let times = json!({"attendees": [], "meetingDuration": "PT1H", "maxCandidates": 1, "timeConstraint": {"timeSlots": [{
        "start": {"dateTime": "2026-04-01T08:00:00", "timeZone": "UTC"}, "end": {"dateTime": "2026-04-01T12:00:00", "timeZone": "UTC"}}]}});
    let times = rig
        .post(&ada, &format!("{me}/findMeetingTimes"), times)
        .await
        .expect(200);
    let slot = &times["meetingTimeSuggestions"][0]["meetingTimeSlot"];
    assert_eq!(
        slot["start"]["dateTime"], "2026-04-01T09:00:00.0000000",
        "after the budget"
    );
    let path = format!("{me}/events/{}", text(&made["id"]));
    let refused = rig
        .post(&ada, &format!("{path}/accept"), json!({}))
        .await
        .expect(400);
    assert_eq!(refused["error"]["code"], "ErrorInvalidRequest");
    assert_eq!(
        rig.send(&ada, Method::DELETE, &path, Value::Null).await.status,
        204
    );
    assert_eq!(
        rig.get(&ada, &path).await.expect(404)["error"]["code"],
        "ErrorItemNotFound"
    );
}

#[tokio::test]
async fn microsoft_answers_a_new_refresh_token_each_time_and_the_old_one_stays_good() {
    let rig = Rig::start().await;
    let first = rig.microsoft("ada").await;
    assert!(!text(&first["scope"]).contains("offline_access"), "{first}");
    let renew = async |token: &Value| {
        let form = format!(
            "client_id=simulated-client&client_secret=simulated-secret&grant_type=refresh_token&refresh_token={}",
            text(&token["refresh_token"])
        );
        let url = rig.url("/microsoft/common/oauth2/v2.0/token");
        rig.http.post_form(&url, &form).await.expect(200)
    };
    let second = renew(&first).await;
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    let third = renew(&first).await;
    assert_eq!(rig.get(&third, "/graph/v1.0/me").await.status, 200);
    rig.simulator.expire_access_tokens();
    let refused = rig.get(&third, "/graph/v1.0/me").await;
    assert!(refused.header("www-authenticate").starts_with("Bearer"));
    assert_eq!(refused.expect(401)["error"]["code"], "InvalidAuthenticationToken");
}

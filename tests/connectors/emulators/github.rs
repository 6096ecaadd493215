//! GitHub's tools against repositories that exist.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

use super::rig::{Rig, Vendor, texts};

const GITHUB: Vendor = Vendor {
    connector: "github",
    service: "github",
    endpoints: &[("api", "")],
    authorize: "/login/oauth/authorize",
    token: "/login/oauth/access_token",
    revoke: None,
    issued: "/access_token",
    applications: "oauth_apps",
};

const GAPS: [(&str, &str); 4] = [
    ("github_issue_reaction_create", "the emulator has no reactions"),
    ("github_notifications_list", "the emulator has no notifications"),
    (
        "github_workflow_dispatch",
        "the emulator has no way to make a workflow",
    ),
    (
        "github_workflow_run_jobs_list",
        "the emulator has no way to make a run",
    ),
];

/// A file's path with letters that an address has to encode.
const NOTES: &str = "notes/Größe.md";
const NOTES_IN_AN_ADDRESS: &str = "notes/Gr%C3%B6%C3%9Fe.md";

/// Parameters for Ada's repository.
fn engine(further: Value) -> Value {
    let mut params = further;
    params["owner"] = json!("ada");
    params["repo"] = json!("engine");
    params
}

/// What the emulator itself says of the repository.
async fn held(rig: &Rig, path: &str) -> Value {
    let path = format!("/repos/ada/engine{path}");
    rig.direct(Method::GET, &path, Value::Null).await.expect(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn github_changes_what_the_emulator_holds() {
    let seed = json!({
        "users": [{"login": "ada", "name": "Ada"}, {"login": "bela", "name": "Bela"}],
        "repos": [{"owner": "ada", "name": "engine", "description": "An analytical one", "auto_init": true}],
    });
    let Some(rig) = Rig::start(&GITHUB, seed).await else {
        return;
    };
    rig.a_wrong_secret_connects_nobody("ada", "incorrect_client_credentials")
        .await;
    rig.connect("main", "bela", "bela").await;
    rig.connect("main", "ada", "ada").await;
    for login in ["ada", "bela"] {
        let whoami = rig.call("github_user_get_authenticated", login, json!({})).await;
        assert_eq!(whoami["login"], login, "each is who was chosen on the page");
    }
    let repos = rig.call("github_repos_list", "ada", json!({})).await;
    assert_eq!(texts(&repos, "full_name"), ["ada/engine"]);
    let repo = rig.call("github_repo_get", "ada", engine(json!({}))).await;
    assert_eq!(repo["default_branch"], "main");
    a_file_lives_on_a_branch(&rig).await;
    issues_are_written_and_closed(&rig).await;
    a_pull_request_is_reviewed_and_merged(&rig).await;
    releases_and_checks_are_read(&rig).await;
    searches_find(&rig).await;
    rig.covers_all_but(&GAPS);
}

async fn a_file_lives_on_a_branch(rig: &Rig) {
    let head = held(rig, "/branches/main").await["commit"]["sha"].clone();
    let branch = engine(json!({"branch": "notes", "sha": head}));
    rig.call("github_branch_create", "ada", branch.clone()).await;
    assert_eq!(held(rig, "/git/ref/heads/notes").await["object"]["sha"], head);
    let error = rig
        .fails("github_branch_create", "ada", branch, "vendor_rejected")
        .await;
    assert_eq!(error["vendor"]["status"], 422, "{error}");
    let branches = rig.call("github_branches_list", "ada", engine(json!({}))).await;
    assert_eq!(texts(&branches, "name"), ["main", "notes"]);

    let file = engine(
        json!({"path": NOTES, "branch": "notes", "message": "Note the size", "content": STANDARD.encode("Größe: 1\n")}),
    );
    let first = rig.call("github_file_create_update", "ada", file.clone()).await;
    let there = format!("/contents/{NOTES_IN_AN_ADDRESS}?ref=notes");
    assert_eq!(held(rig, &there).await["sha"], first["content"]["sha"]);
    let error = rig
        .fails(
            "github_file_create_update",
            "ada",
            file.clone(),
            "vendor_rejected",
        )
        .await;
    assert_eq!(error["vendor"]["status"], 422, "without the present sha: {error}");

    let mut second = file.clone();
    second["sha"] = first["content"]["sha"].clone();
    second["content"] = json!(STANDARD.encode("Größe: 2\n"));
    let second = rig.call("github_file_create_update", "ada", second).await;
    let mut stale = file;
    stale["sha"] = first["content"]["sha"].clone();
    let error = rig
        .fails("github_file_create_update", "ada", stale, "vendor_conflict")
        .await;
    assert_eq!(error["vendor"]["status"], 409, "{error}");

    let at = engine(json!({"path": NOTES, "ref": "notes"}));
    let read = rig.call("github_repo_contents_get", "ada", at.clone()).await;
    assert_eq!(read["content"], STANDARD.encode("Größe: 2\n"));
    let kept = rig.call("github_file_download", "ada", at).await;
    assert_eq!(kept["file"]["size"], "Größe: 2\n".len());
    let tree = engine(json!({"tree_sha": "notes", "recursive": "1"}));
    let tree = rig.call("github_repo_tree_get", "ada", tree).await;
    assert!(texts(&tree["tree"], "path").contains(&NOTES), "{tree}");

    let commits = engine(json!({"sha": "notes", "limit": 2}));
    let (commits, pages) = rig.walk("github_commits_list", "ada", commits, "").await;
    assert_eq!((pages, commits.len()), (2, 3));
    let commit = rig
        .call("github_commit_get", "ada", engine(json!({"ref": "notes"})))
        .await;
    assert_eq!(commit["sha"], second["commit"]["sha"]);
    let compared = engine(json!({"basehead": "main...notes"}));
    let compared = rig.call("github_commits_compare", "ada", compared).await;
    assert_eq!(
        (&compared["ahead_by"], &compared["files"][0]["filename"]),
        (&json!(2), &json!(NOTES))
    );

    let delete =
        json!({"path": NOTES, "branch": "notes", "message": "Forget it", "sha": second["content"]["sha"]});
    rig.call("github_file_delete", "ada", engine(delete)).await;
    let gone = format!("/repos/ada/engine{there}");
    assert_eq!(rig.direct(Method::GET, &gone, Value::Null).await.status, 404);
    let missing = engine(json!({"path": NOTES, "ref": "notes"}));
    rig.fails("github_repo_contents_get", "ada", missing, "vendor_not_found")
        .await;
}

async fn issues_are_written_and_closed(rig: &Rig) {
    for number in 1..=5 {
        let title = format!("Issue {number}");
        let issue = engine(json!({"title": title, "body": "It *fails*.", "assignees": ["ada"]}));
        let made = rig.call("github_issue_create", "ada", issue).await;
        assert_eq!(made["number"], number);
        assert_eq!(held(rig, &format!("/issues/{number}")).await["title"], title);
    }
    let listed = engine(json!({"limit": 2, "sort": "created", "direction": "asc"}));
    let (issues, pages) = rig.walk("github_issues_list", "ada", listed, "").await;
    assert_eq!(pages, 3);
    let titles = ["Issue 1", "Issue 2", "Issue 3", "Issue 4", "Issue 5"];
    assert_eq!(texts(&Value::Array(issues), "title"), titles);

    let closed =
        json!({"issue_number": 1, "state": "closed", "state_reason": "not_planned", "title": "Done"});
    rig.call("github_issue_update", "ada", engine(closed)).await;
    let issue = held(rig, "/issues/1").await;
    assert_eq!(
        (&issue["state"], &issue["title"]),
        (&json!("closed"), &json!("Done"))
    );
    assert_eq!(issue["state_reason"], "not_planned");
    let read = rig
        .call("github_issue_get", "ada", engine(json!({"issue_number": 1})))
        .await;
    assert_eq!(read["state"], "closed");

    for body in ["First", "Second", "Third"] {
        let comment = engine(json!({"issue_number": 1, "body": body}));
        rig.call("github_issue_comment_create", "ada", comment).await;
    }
    let of_one = engine(json!({"issue_number": 1, "limit": 2}));
    let (comments, pages) = rig.walk("github_issue_comments_list", "ada", of_one, "").await;
    assert_eq!(pages, 2);
    assert_eq!(
        texts(&Value::Array(comments), "body"),
        ["First", "Second", "Third"]
    );
    let labels = engine(json!({"issue_number": 2, "labels": ["bug"]}));
    rig.call("github_issue_labels_add", "ada", labels).await;
    assert_eq!(texts(&held(rig, "/issues/2/labels").await, "name"), ["bug"]);

    let missing = engine(json!({"issue_number": 99}));
    rig.fails("github_issue_get", "ada", missing, "vendor_not_found")
        .await;
    let foreign = engine(json!({"path": "BELA", "message": "Mine", "content": STANDARD.encode("x")}));
    let error = rig
        .fails("github_file_create_update", "bela", foreign, "vendor_forbidden")
        .await;
    assert_eq!(error["vendor"]["status"], 403, "{error}");
    assert_eq!(held(rig, "/contents/").await.as_array().map(Vec::len), Some(1));
}

async fn a_pull_request_is_reviewed_and_merged(rig: &Rig) {
    let file =
        json!({"path": "LOG", "branch": "notes", "message": "Log", "content": STANDARD.encode("one\n")});
    rig.call("github_file_create_update", "ada", engine(file)).await;
    let pull = engine(json!({"title": "Notes", "head": "notes", "base": "main", "body": "Please"}));
    let made = rig.call("github_pull_request_create", "ada", pull).await;
    let path = format!("/pulls/{}", made["number"]);
    let of = |further: Value| {
        let mut params = engine(further);
        params["pull_number"] = made["number"].clone();
        params
    };
    assert_eq!(held(rig, &path).await["head"]["ref"], "notes");
    let all = rig
        .call(
            "github_pull_requests_list",
            "ada",
            engine(json!({"state": "open"})),
        )
        .await;
    assert_eq!(texts(&all, "title"), ["Notes"]);
    rig.call(
        "github_pull_request_update",
        "ada",
        of(json!({"title": "All notes"})),
    )
    .await;
    let read = rig.call("github_pull_request_get", "ada", of(json!({}))).await;
    assert_eq!(read["title"], "All notes");
    // The emulator does not compare the branches of a pull request: no file of it has changed.
    let files = rig
        .call("github_pull_request_files_list", "ada", of(json!({})))
        .await;
    assert_eq!(files, json!([]));

    rig.call(
        "github_pull_request_reviewers_request",
        "ada",
        of(json!({"reviewers": ["bela"]})),
    )
    .await;
    assert_eq!(
        texts(&held(rig, &path).await["requested_reviewers"], "login"),
        ["bela"]
    );
    // Of the ways to say a comment's place, the emulator knows `position`, which GitHub closes down; our
    // tool says `line`. So the review comes from us, and the comment from the test.
    let review = of(json!({"event": "COMMENT", "body": "Good"}));
    rig.call("github_pull_request_review_create", "bela", review)
        .await;
    let comment = json!({"path": "LOG", "position": 1, "line": 1, "body": "And two?", "commit_id": made["head"]["sha"]});
    let comments = format!("/repos/ada/engine{path}/comments");
    rig.direct(Method::POST, &comments, comment).await.expect(201);
    assert_eq!(
        texts(&held(rig, &format!("{path}/reviews")).await, "state"),
        ["COMMENTED"]
    );
    let reviews = rig
        .call("github_pull_request_reviews_list", "ada", of(json!({})))
        .await;
    assert_eq!(texts(&reviews, "body"), ["Good"]);
    let comments = rig
        .call("github_pull_request_comments_list", "ada", of(json!({})))
        .await;
    assert_eq!(texts(&comments, "body"), ["And two?"]);

    // GitHub's own description has 409 for a head that moved and 405 for what cannot be merged, as the tool's
    // cases do; the emulator says 422 to both.
    let moved = of(json!({"sha": "0000000000000000000000000000000000000000"}));
    let error = rig
        .fails("github_pull_request_merge", "ada", moved, "vendor_rejected")
        .await;
    assert_eq!(error["vendor"]["status"], 422, "{error}");
    let merge = of(json!({"merge_method": "squash", "commit_title": "All notes"}));
    let merged = rig.call("github_pull_request_merge", "ada", merge).await;
    assert_eq!(merged["merged"], true);
    assert_eq!(held(rig, "/branches/main").await["commit"]["sha"], merged["sha"]);
    let again = of(json!({}));
    let error = rig
        .fails("github_pull_request_merge", "ada", again, "vendor_rejected")
        .await;
    assert_eq!(error["vendor"]["status"], 422, "{error}");
}

/// What the tools only read was made at the emulator itself.
async fn releases_and_checks_are_read(rig: &Rig) {
    let release = json!({"tag_name": "v1", "name": "First", "target_commitish": "main"});
    rig.direct(Method::POST, "/repos/ada/engine/releases", release)
        .await
        .expect(201);
    let releases = rig.call("github_releases_list", "ada", engine(json!({}))).await;
    assert_eq!(texts(&releases, "tag_name"), ["v1"]);
    let head = held(rig, "/branches/main").await["commit"]["sha"].clone();
    let check = json!({"name": "build", "head_sha": head, "status": "completed", "conclusion": "success"});
    rig.direct(Method::POST, "/repos/ada/engine/check-runs", check)
        .await
        .expect(201);
    let checks = rig
        .call("github_check_runs_list", "ada", engine(json!({"ref": "main"})))
        .await;
    let check = &checks["check_runs"][0];
    assert_eq!(
        (&check["name"], &check["conclusion"]),
        (&json!("build"), &json!("success"))
    );
    let runs = rig
        .call("github_workflow_runs_list", "ada", engine(json!({})))
        .await;
    assert_eq!(runs["total_count"], 0);
    let none = engine(json!({"run_id": 1}));
    rig.fails("github_workflow_run_jobs_list", "ada", none, "vendor_not_found")
        .await;
    let none = engine(json!({"workflow_id": "ci.yml", "ref": "main"}));
    rig.fails("github_workflow_dispatch", "ada", none, "vendor_not_found")
        .await;
}

async fn searches_find(rig: &Rig) {
    let open =
        json!({"query": "repo:ada/engine is:issue is:open", "sort": "created", "order": "asc", "limit": 3});
    let (found, pages) = rig.walk("github_search_issues", "ada", open, "/items").await;
    assert_eq!(pages, 2);
    let titles = ["Issue 2", "Issue 3", "Issue 4", "Issue 5"];
    assert_eq!(texts(&Value::Array(found), "title"), titles);
    let found = rig
        .call(
            "github_search_code",
            "ada",
            json!({"query": "analytical repo:ada/engine"}),
        )
        .await;
    assert_eq!(texts(&found["items"], "path"), ["README.md"]);
    let found = rig
        .call("github_search_repos", "ada", json!({"query": "engine user:ada"}))
        .await;
    assert_eq!(texts(&found["items"], "full_name"), ["ada/engine"]);
}

//! What one user has: repositories with their files, commits, issues and pull requests.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::{Value, json};

use crate::calendar::{minutes_before_start, rfc3339_seconds};
use crate::hubspot::Window;
use crate::seed;
use crate::text::number_of;

/// Files by path.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// One user's account.
pub(crate) struct World {
    pub(crate) login: String,
    pub(crate) id: u64,
    pub(crate) requests: Window,
    pub(crate) writes: Window,
    pub(crate) repos: BTreeMap<String, Repo>,
    next_id: u64,
}

/// One repository.
pub(crate) struct Repo {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) owner: String,
    pub(crate) private: bool,
    pub(crate) branches: BTreeMap<String, Branch>,
    pub(crate) commits: BTreeMap<String, Commit>,
    /// Issues and pull requests by number, as they are answered.
    pub(crate) issues: BTreeMap<u64, Value>,
    pub(crate) comments: BTreeMap<u64, Vec<Value>>,
    pub(crate) pulls: BTreeMap<u64, Pull>,
    pub(crate) runs: Vec<Value>,
}

/// A branch: what is in it, and the commits that led there, the newest last.
#[derive(Clone)]
pub(crate) struct Branch {
    pub(crate) files: Files,
    pub(crate) history: Vec<String>,
}

impl Branch {
    pub(crate) fn tip(&self) -> &str {
        self.history.last().map_or("", String::as_str)
    }
}

/// A commit and what it changed.
#[derive(Clone)]
pub(crate) struct Commit {
    pub(crate) sha: String,
    pub(crate) message: String,
    pub(crate) at_ms: i64,
    pub(crate) parents: Vec<String>,
    pub(crate) changes: Vec<Change>,
}

/// A file before and after.
#[derive(Clone)]
pub(crate) struct Change {
    pub(crate) path: String,
    pub(crate) before: Option<Vec<u8>>,
    pub(crate) after: Option<Vec<u8>>,
}

/// What a pull request has beside its issue.
pub(crate) struct Pull {
    pub(crate) head: String,
    pub(crate) base: String,
    pub(crate) draft: bool,
    pub(crate) merged: Option<String>,
    pub(crate) reviewers: Vec<String>,
    pub(crate) reviews: Vec<Value>,
    pub(crate) comments: Vec<Value>,
}

/// The name that git gives to a file's content.
pub(crate) fn blob_sha(content: &[u8]) -> String {
    let mut object = format!("blob {}\0", content.len()).into_bytes();
    object.extend_from_slice(content);
    hex(&object)
}

fn hex(bytes: &[u8]) -> String {
    digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes)
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A person as answers hold them.
pub(crate) fn person(api: &str, login: &str) -> Value {
    json!({
        "login": login,
        "id": number_of(login) % 90_000_000 + 1_000,
        "node_id": format!("U_{login}"),
        "avatar_url": format!("{api}/avatars/{login}"),
        "url": format!("{api}/users/{login}"),
        "html_url": format!("https://github.example/{login}"),
        "repos_url": format!("{api}/users/{login}/repos"),
        "type": "User",
        "site_admin": false,
    })
}

impl World {
    /// What a user begins with: a private repository with `issues` issues, and two public ones.
    pub(crate) fn seeded(user: &str, issues: usize, api: &str) -> Self {
        let id = number_of(user) % 90_000_000 + 1_000;
        let mut world = Self {
            login: user.to_owned(),
            id,
            requests: Window::default(),
            writes: Window::default(),
            repos: BTreeMap::new(),
            // No two users share a number, so that a mixed-up account shows.
            next_id: id * 1_000_000 + 1,
        };
        for (n, name) in ["docs", "shop", "site"].into_iter().enumerate() {
            let mut repo = Repo {
                id: world.new_id(),
                name: name.to_owned(),
                owner: user.to_owned(),
                private: name == "shop",
                branches: BTreeMap::new(),
                commits: BTreeMap::new(),
                issues: BTreeMap::new(),
                comments: BTreeMap::new(),
                pulls: BTreeMap::new(),
                runs: Vec::new(),
            };
            let files = [
                ("README.md", format!("# {name}\n\nOf {user}.\n")),
                (
                    "src/money.rs",
                    "/// Rounds half to even.\nfn round() {}\n".to_owned(),
                ),
                (
                    "src/cart.rs",
                    "/// What is in the cart.\nfn total() {}\n".to_owned(),
                ),
            ];
            repo.branches.insert(
                "main".to_owned(),
                Branch {
                    files: Files::new(),
                    history: Vec::new(),
                },
            );
            for (at, (path, content)) in files.into_iter().enumerate() {
                let when = minutes_before_start(10_000 - n * 100 - at * 10);
                repo.write(
                    "main",
                    path,
                    Some(content.into_bytes()),
                    &format!("Add {path}"),
                    when,
                );
            }
            if name == "shop" {
                for number in 1..=issues {
                    let at = minutes_before_start((issues - number) * 30 + 60);
                    let issue = world.issue(
                        api,
                        &repo,
                        number as u64,
                        &json!({
                            "title": format!("{} ({number})", seed::subject(number)),
                            "body": format!("Seen by {} of {user}.", seed::first_name(number)),
                            "labels": if number % 3 == 0 { json!(["bug"]) } else { json!([]) },
                            "assignees": if number % 4 == 0 { json!([user]) } else { json!([]) },
                        }),
                        at,
                    );
                    repo.issues.insert(number as u64, issue);
                }
            }
            world.repos.insert(name.to_owned(), repo);
        }
        world
    }

    pub(crate) fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// A new issue as it is answered.
    pub(crate) fn issue(&mut self, api: &str, repo: &Repo, number: u64, given: &Value, at_ms: i64) -> Value {
        let address = format!("{api}/repos/{}/{}/issues/{number}", repo.owner, repo.name);
        let at = rfc3339_seconds(at_ms);
        json!({
            "id": self.new_id(),
            "node_id": format!("I_{number}"),
            "number": number,
            "url": address,
            "repository_url": format!("{api}/repos/{}/{}", repo.owner, repo.name),
            "comments_url": format!("{address}/comments"),
            "html_url": format!("https://github.example/{}/{}/issues/{number}", repo.owner, repo.name),
            "title": given["title"],
            "body": given["body"],
            "user": person(api, &self.login),
            "labels": labels(api, repo, &given["labels"]),
            "state": "open",
            "state_reason": null,
            "locked": false,
            "assignees": people(api, &given["assignees"]),
            "milestone": null,
            "comments": 0,
            "created_at": at,
            "updated_at": at,
            "closed_at": null,
        })
    }
}

/// Labels by name, as answers hold them.
pub(crate) fn labels(api: &str, repo: &Repo, names: &Value) -> Vec<Value> {
    let names = names.as_array().into_iter().flatten();
    names
        .filter_map(|name| name.as_str().or_else(|| name["name"].as_str()))
        .map(|name| {
            json!({
                "id": number_of(name) % 1_000_000,
                "node_id": format!("LA_{name}"),
                "url": format!("{api}/repos/{}/{}/labels/{name}", repo.owner, repo.name),
                "name": name,
                "color": "ededed",
                "default": false,
                "description": null,
            })
        })
        .collect()
}

/// People by login, as answers hold them.
pub(crate) fn people(api: &str, logins: &Value) -> Vec<Value> {
    let logins = logins.as_array().into_iter().flatten();
    logins
        .filter_map(Value::as_str)
        .map(|login| person(api, login))
        .collect()
}

impl Repo {
    /// Writes or removes a file by a commit on a branch; the commit's sha.
    pub(crate) fn write(
        &mut self,
        branch: &str,
        path: &str,
        content: Option<Vec<u8>>,
        message: &str,
        at_ms: i64,
    ) -> Option<String> {
        let tip = self.branches.get_mut(branch)?;
        let before = match &content {
            Some(content) => tip.files.insert(path.to_owned(), content.clone()),
            None => tip.files.remove(path),
        };
        let change = Change {
            path: path.to_owned(),
            before,
            after: content,
        };
        Some(self.commit(branch, message, vec![change], at_ms))
    }

    /// Adds a commit to a branch whose files are changed already.
    pub(crate) fn commit(&mut self, branch: &str, message: &str, changes: Vec<Change>, at_ms: i64) -> String {
        let parents: Vec<String> = self
            .branches
            .get(branch)
            .and_then(|branch| branch.history.last().cloned())
            .into_iter()
            .collect();
        let named = format!(
            "{}{branch}{message}{at_ms}{}{parents:?}",
            self.id,
            self.commits.len()
        );
        let sha = hex(named.as_bytes());
        self.commits.insert(
            sha.clone(),
            Commit {
                sha: sha.clone(),
                message: message.to_owned(),
                at_ms,
                parents,
                changes,
            },
        );
        if let Some(branch) = self.branches.get_mut(branch) {
            branch.history.push(sha.clone());
        }
        sha
    }

    /// The number of the next issue or pull request.
    pub(crate) fn next_number(&self) -> u64 {
        self.issues.last_key_value().map_or(1, |(last, _)| last + 1)
    }

    /// The commits up to a branch, a full sha or `HEAD`, the newest last; with the files there when
    /// it is a branch or its tip.
    pub(crate) fn resolve(&self, name: &str) -> Option<(Vec<String>, &Files)> {
        let name = if name == "HEAD" { "main" } else { name };
        let name = name.strip_prefix("refs/heads/").unwrap_or(name);
        if let Some(branch) = self.branches.get(name) {
            return Some((branch.history.clone(), &branch.files));
        }
        self.branches.values().find_map(|branch| {
            let at = branch.history.iter().position(|sha| sha == name)?;
            Some((branch.history[..=at].to_vec(), &branch.files))
        })
    }

    /// Commits of `head` that `base` has not, the oldest first.
    pub(crate) fn ahead(&self, base: &[String], head: &[String]) -> Vec<&Commit> {
        head.iter()
            .filter(|sha| !base.contains(sha))
            .filter_map(|sha| self.commits.get(sha))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_has_the_name_that_git_gives_it() {
        // `printf 'hello\n' | git hash-object --stdin`
        assert_eq!(blob_sha(b"hello\n"), "ce013625030ba8dba906f756967f9e9ca394464a");
    }

    #[test]
    fn the_same_user_has_the_same_world_and_another_user_another() {
        let issue = |user: &str| World::seeded(user, 3, "http://v").repos["shop"].issues[&2].clone();
        assert_eq!(issue("ada"), issue("ada"));
        assert_ne!(issue("ada")["id"], issue("bela")["id"]);
    }

    #[test]
    fn a_branch_goes_its_own_way() {
        let mut world = World::seeded("ada", 1, "http://v");
        let repo = world.repos.get_mut("shop").unwrap();
        let main = repo.branches["main"].clone();
        repo.branches.insert("fix".to_owned(), main.clone());
        repo.write("fix", "a.md", Some(b"a".to_vec()), "Add a", 0)
            .unwrap();
        let fix = repo.branches["fix"].clone();
        assert_eq!(repo.ahead(&main.history, &fix.history).len(), 1);
        assert_eq!(repo.ahead(&fix.history, &main.history).len(), 0);
        assert!(!repo.branches["main"].files.contains_key("a.md"));
        assert_eq!(repo.resolve(fix.tip()).unwrap().0, fix.history);
        assert!(repo.resolve("nowhere").is_none());
    }
}

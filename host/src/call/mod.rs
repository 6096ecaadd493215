//! One tool call, top to bottom: [`run`] is the product. Arguments go down, values come up, no
//! step reaches back.
//!
//! Called by every edge; no edge has logic of its own. It never sees a credential: it lends one
//! to the sandbox as part of a [`Grant`](crate::capability::Grant).

mod admission;
pub mod catalog;
mod cursor;
mod extras;
pub mod finder;
mod pages;
mod proxy;
mod questions;
mod reach;
mod record;
mod recording;
mod replay;
mod search;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::Instant;
use tracing::Instrument as _;
use valetkey_manifest::tool::{CONCISE, RESPONSE_FORMAT};

use crate::access::{Caller, Scope};
use crate::accounts::{Account, Selector, Usable};
use crate::clock::Clock;
use crate::config::{Admission, Config};
use crate::error::{Fault, Kind, Problem};
use crate::files::Shelf;
use crate::id::ExecutionId;
use crate::manifest;
use crate::registry::{Activation, LoadedTool, Snapshot};
use crate::runtime::Runtime;
use crate::servers::Rules;
use crate::store::Store;
use crate::vault::Vault;

use record::Record;

pub use cursor::input_digest;
pub use extras::{Answers, Extras};
pub use questions::{ANSWER_TIME, BAD_STATE};

pub use proxy::{ProxyAnswer, ProxyRequest, proxy};
pub use recording::{Exchange, Message, Recording, Witness, record};

pub use crate::capability::{Progress, Step};

/// A call as an edge takes it.
pub struct Request {
    /// Tool name or alias.
    pub tool_name: String,
    /// Which account.
    pub selector: Selector,
    /// The tool's input, a JSON object, with `limit` and `cursor` for tools that page.
    pub params: Map<String, Value>,
    /// The agent's own name for its run.
    pub agent_run_id: Option<String>,
    /// Makes a repetition of this call answer the first outcome.
    pub idempotency_key: Option<String>,
    /// How long the caller waits; none for the default.
    pub deadline: Option<Duration>,
    /// What only some doors add.
    pub extras: Extras,
}

/// Characters of an idempotency key or an agent's run id.
const MAX_KEY_CHARS: usize = 255;

/// A key or run id of a request, at `place` in it: it stands in the journal as it came.
///
/// # Errors
/// `invalid_input` when it is not 1 to 255 visible ASCII characters.
pub fn visible(place: &str, text: String) -> Result<String, Fault> {
    if (1..=MAX_KEY_CHARS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(text);
    }
    Err(Fault::invalid(
        "The request is not what this path takes; `fields` says where.",
        vec![Problem {
            path: place.to_owned(),
            problem: format!("must be one text of 1 to {MAX_KEY_CHARS} visible ASCII characters"),
        }],
    ))
}

/// What a call answers.
#[derive(Debug)]
pub struct Outcome {
    /// The tool's result, native shape: JSON text that the sandbox checked, passed on as it came.
    pub data: String,
    /// For the next page.
    pub next_cursor: Option<String>,
}

/// What running calls share.
pub struct Calls {
    admission: admission::Slots,
    replays: replay::Replays,
    reaches: reach::Reaches,
    witness: std::sync::OnceLock<Witness>,
}

impl Calls {
    /// Built once by the runtime.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, vault: Arc<Vault>, clock: Clock, config: &Config) -> Self {
        let Admission {
            per_environment,
            per_account,
            queue_factor,
        } = config.admission;
        Self {
            admission: admission::Slots::new(per_environment, per_account, queue_factor),
            replays: replay::Replays::new(store, vault, clock),
            reaches: reach::Reaches::default(),
            witness: std::sync::OnceLock::new(),
        }
    }

    /// From now on what every call says to its vendor is told, for as long as the host runs. Only a
    /// host that its author runs for development has a witness, and only the first is heard.
    pub fn watch(&self, witness: Witness) {
        if self.witness.set(witness).is_err() {
            tracing::warn!("the calls have a witness already");
        }
    }
}

/// Runs a call. Always leaves one record in the journal, under the returned id, also on error and
/// when the caller goes away.
pub async fn run(
    runtime: &Arc<Runtime>,
    caller: &Caller,
    request: Request,
) -> (ExecutionId, Result<Outcome, Fault>) {
    let id = ExecutionId::generate();
    let mut record = Record::begin(runtime, caller, &id, &request);
    let span = record.span();
    let call = async {
        let result = steps(runtime, caller, request, &id, &mut record).await;
        if let Ok(outcome) = &result {
            record.answered(outcome);
        }
        record.finish(&result).await;
        result
    };
    let result = call.instrument(span).await;
    (id, result)
}

async fn steps(
    runtime: &Arc<Runtime>,
    caller: &Caller,
    request: Request,
    id: &ExecutionId,
    record: &mut Record<'_>,
) -> Result<Outcome, Fault> {
    let deadline = Instant::now() + allowed_time(runtime, request.deadline)?;
    caller.require(Scope::ToolsExecute)?;

    let snapshot = runtime.registry.snapshot();
    let (connector, tool_name) = snapshot
        .tools
        .get(&request.tool_name)
        .ok_or_else(|| unknown_tool(&snapshot, &request.tool_name))?;
    let picked = runtime
        .accounts
        .pick(&caller.environment, connector, &request.selector)
        .await?;
    record.account(&picked);

    let answered = async {
        let usable = picked.usable()?;
        as_account(
            runtime, caller, &snapshot, tool_name, &usable, deadline, request, id, record,
        )
        .await
    };
    match answered.await {
        Ok(outcome) => Ok(outcome),
        Err(fault) => Err(with_link(runtime, &picked.account, fault).await),
    }
}

/// The part of the call that acts as the account's owner.
#[allow(clippy::too_many_arguments, reason = "one path in two halves")]
async fn as_account(
    runtime: &Arc<Runtime>,
    caller: &Caller,
    snapshot: &Snapshot,
    tool_name: &str,
    usable: &Usable,
    deadline: Instant,
    request: Request,
    id: &ExecutionId,
    record: &mut Record<'_>,
) -> Result<Outcome, Fault> {
    let activation = serving_version(snapshot, usable)?;
    let tool = tool_of(&activation, tool_name)?;
    record.version(&activation);
    let Extras {
        rules,
        progress,
        answers,
        max_result_chars,
        tape,
        ..
    } = request.extras;
    check_rules(rules.as_ref(), tool, usable)?;
    if tape.is_some() {
        recording::check_allowed(caller, usable)?;
    }
    let witnessed = recording::Witnessed::new(&runtime.calls.witness, id, &activation, tape);

    check_scopes(tool, usable)?;
    let input = check_input(tool, request.params)?;
    let files = runtime
        .files
        .shelf(&caller.environment, usable.account.identifier.as_str())?;
    check_files(tool, &input, &files)?;
    let walk = pages::Walk::plan(runtime, tool, tool_name, usable, &input)?;
    let questions = questions::Questions {
        vault: &runtime.vault,
        clock: &runtime.clock,
        account: &usable.account,
        tool,
        input: &input,
    };
    let answers = answers.map(|answers| questions.open(answers)).transpose()?;

    let claim = match &request.idempotency_key {
        None => None,
        Some(key) => match runtime
            .calls
            .replays
            .claim(
                caller,
                key,
                &replay::fingerprint(tool_name, usable, &input, answers.as_ref()),
                record.meter(),
                deadline,
            )
            .await?
        {
            replay::Claim::Earlier(outcome) => {
                record.replayed();
                return outcome;
            }
            replay::Claim::Ours(claim) => Some(claim),
        },
    };

    let result = async {
        let _slot = runtime
            .calls
            .admission
            .enter(&caller.environment, &usable.account.id, deadline)
            .await?;
        let reach =
            runtime
                .calls
                .reaches
                .reach(&activation.version, tool, usable, deadline, record.meter())?;
        let call = pages::Guest {
            sandbox: &runtime.sandbox,
            limits: reach::limits(&runtime.config.sandbox, &activation.version.manifest),
            component: &activation.version.component,
            connector: &activation.version.manifest.connector,
            account: &usable.account,
            tool,
            tool_name,
            execution_id: id.as_str(),
            reach,
            files,
            log: record.guest_log(),
            progress: progress.as_ref(),
            tape: witnessed.tape(),
            ext: answers.as_ref().map(Answers::ext).unwrap_or_default(),
            room: max_result_chars,
        };
        let outcome = tokio::select! {
            outcome = extras::told(progress.as_ref(), record.meter(), walk.run(runtime, call, &input, record)) => outcome?,
            () = activation.cutoff.cancelled() => return Err(cut_off(record)),
        };
        check_output(tool, &outcome)?;
        questions.seal(outcome)
    }
    .await;

    match claim {
        None => result,
        Some(claim) => claim.settle(result).await,
    }
}

fn allowed_time(runtime: &Runtime, asked: Option<Duration>) -> Result<Duration, Fault> {
    let server = &runtime.config.server;
    let longest = Duration::from_millis(server.max_deadline_ms);
    match asked {
        None => Ok(server.default_deadline()),
        Some(asked) if asked.is_zero() || asked > longest => Err(Fault::invalid(
            format!(
                "The deadline is out of range: `deadline_ms` is 1 to {}.",
                longest.as_millis()
            ),
            vec![Problem {
                path: "/deadline_ms".to_owned(),
                problem: format!("must be 1 to {}", longest.as_millis()),
            }],
        )),
        Some(asked) => Ok(asked),
    }
}

fn unknown_tool(snapshot: &Snapshot, name: &str) -> Fault {
    let nearest = snapshot
        .tools
        .keys()
        .map(|known| (strsim::jaro_winkler(known, name), known))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|left, right| left.0.total_cmp(&right.0));
    let hint = nearest.map_or_else(String::new, |(_, known)| format!(" Did you mean `{known}`?"));
    let shown: String = name.chars().take(64).flat_map(char::escape_default).collect();
    Fault::new(
        Kind::UnknownTool,
        format!("There is no tool `{shown}`.{hint} `GET /api/v1/tools` lists the tools."),
    )
}

/// The version that serves this account's connection: the pinned one, or the active one.
fn serving_version(snapshot: &Snapshot, usable: &Usable) -> Result<Activation, Fault> {
    let connection = &usable.connection;
    let missing = || {
        Fault::new(
            Kind::UnknownTool,
            format!(
                "Connection `{}` needs a version of connector `{}` that is not loaded. The operator installs it or changes the pin.",
                connection.name, connection.connector
            ),
        )
    };
    let connector = snapshot
        .connectors
        .get(&connection.connector)
        .ok_or_else(missing)?;
    match &connection.pinned_version {
        None => Ok(connector.active.clone()),
        Some(pinned) => connector.versions.get(pinned).cloned().ok_or_else(missing),
    }
}

fn tool_of<'a>(activation: &'a Activation, name: &str) -> Result<&'a Arc<LoadedTool>, Fault> {
    activation.version.tools.get(name).ok_or_else(|| {
        let version = &activation.version.manifest.connector.version;
        Fault::new(
            Kind::UnknownTool,
            format!(
                "Version {version} of the connector, which serves this connection, has no tool `{name}`."
            ),
        )
    })
}

/// Refuses a tool that the caller's session does not show on the account's connection: the same
/// answer as for a tool that is not there.
fn check_rules(rules: Option<&Rules>, tool: &LoadedTool, usable: &Usable) -> Result<(), Fault> {
    let shown = rules.is_none_or(|rules| rules.allow(&usable.connection.name, &tool.declared));
    if shown {
        return Ok(());
    }
    Err(Fault::new(
        Kind::UnknownTool,
        format!("There is no tool `{}` for this session.", tool.declared.name),
    ))
}

/// Refuses before anything is sent when the account did not grant what the tool needs.
fn check_scopes(tool: &LoadedTool, usable: &Usable) -> Result<(), Fault> {
    let missing = usable.account.lacks(&tool.declared);
    if missing.is_empty() {
        return Ok(());
    }
    Err(Fault::new(
        Kind::ScopeMissing,
        format!(
            "The account of `{}` did not grant what `{}` needs: {}. Its owner can grant it by the authorization link.",
            usable.account.connection,
            tool.declared.name,
            missing.join(", ")
        ),
    ))
}

/// Adds the link by which the account's owner can mend it to a fault that is theirs to mend.
async fn with_link(runtime: &Runtime, account: &Account, fault: Fault) -> Fault {
    let theirs = matches!(fault.kind(), Kind::ScopeMissing | Kind::AccountNotActive);
    if !theirs || fault.authorization_link().is_some() {
        return fault;
    }
    match runtime.accounts.mending_link(account).await {
        Some(link) => fault.link(link),
        None => fault,
    }
}

/// The input with the schema's top-level defaults filled in, or every complaint at once. Null for
/// an optional parameter that does not take null is the same as leaving it out.
fn check_input(tool: &LoadedTool, params: Map<String, Value>) -> Result<Map<String, Value>, Fault> {
    let mut input = Value::Object(params);
    fill_in_defaults(tool, &mut input);
    let mut valid = tool.input.is_valid(&input);
    if !valid && manifest::take_out_absent(&tool.input_schema, &mut input) {
        fill_in_defaults(tool, &mut input);
        valid = tool.input.is_valid(&input);
    }
    if !valid {
        let problems: Vec<Problem> = tool
            .input
            .iter_errors(&input)
            .take(20)
            .map(|error| Problem {
                path: error.instance_path().to_string(),
                problem: error.masked_with("the value").to_string(),
            })
            .collect();
        return Err(Fault::invalid(
            format!(
                "The parameters of `{}` are not as its schema wants. Correct the fields named and call again.",
                tool.declared.name
            ),
            problems,
        ));
    }
    match input {
        Value::Object(params) => Ok(params),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(Fault::internal("an object became something else"))
        }
    }
}

/// Refuses ids that name no file of this user, at the parameters that hold them.
fn check_files(tool: &LoadedTool, input: &Map<String, Value>, files: &Shelf) -> Result<(), Fault> {
    let named = manifest::file_parameters(&tool.declared.input);
    let given = named.filter_map(|name| Some((name, input.get(name)?.as_str()?)));
    let problems: Vec<Problem> = given
        .filter_map(|(name, id)| {
            let fault = files.lend(id).err()?;
            Some(Problem {
                path: format!("/{name}"),
                problem: fault.public().to_owned(),
            })
        })
        .collect();
    if problems.is_empty() {
        return Ok(());
    }
    Err(Fault::invalid(
        "A parameter names a file that this account does not have. Upload it at `POST /api/v1/files` and give the id that it answers.",
        problems,
    ))
}

/// Fills in the defaults of what the guest sees: of the declared parameters, and `response_format`.
fn fill_in_defaults(tool: &LoadedTool, input: &mut Value) {
    let Some(params) = input.as_object_mut() else {
        return;
    };
    let properties = tool.declared.input.get("properties").and_then(Value::as_object);
    for (name, schema) in properties.into_iter().flatten() {
        if let Some(default) = schema.get("default")
            && !params.contains_key(name)
        {
            params.insert(name.clone(), default.clone());
        }
    }
    if !tool.declared.concise().is_empty() {
        let format = params.entry(RESPONSE_FORMAT);
        format.or_insert_with(|| Value::from(CONCISE));
    }
}

fn check_output(tool: &LoadedTool, outcome: &Outcome) -> Result<(), Fault> {
    let Some(schema) = &tool.output else { return Ok(()) };
    let output: Value = serde_json::from_str(&outcome.data).map_err(Fault::internal)?;
    match schema.iter_errors(&output).next() {
        None => Ok(()),
        Some(error) => Err(Fault::new(
            Kind::ConnectorOutputInvalid,
            format!(
                "The connector's answer is not what `{}` promises (at `{}`). The call may have taken effect; the connector's author must mend it.",
                tool.declared.name,
                error.instance_path()
            ),
        )
        .because(error.masked_with("the value").to_string())),
    }
}

/// The version was replaced or removed and its time to drain is over.
fn cut_off(record: &Record<'_>) -> Fault {
    if record.writes_sent() {
        return Fault::new(
            Kind::AmbiguousOutcome,
            "The connector was replaced while this call ran, after a change had been sent to the vendor. Look whether it took effect before you repeat it.",
        );
    }
    Fault::new(
        Kind::ConnectorTrapped,
        "The connector was replaced while this call ran longer than it may. Nothing was changed; call again.",
    )
    .reason("replaced")
    .retry(crate::error::Retry::Later)
}

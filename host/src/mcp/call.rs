//! `tools/call`: the one call path with the session's user, and the questions that may come before
//! a tool can run: the user's account is not connected, or the tool itself asks.

use std::time::Duration;

use rmcp::ErrorData;
use rmcp::RoleServer;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, ClientCapabilities, ElicitationCapability, InputRequest,
    InputRequests, InputRequiredResult, JsonObject, ProtocolVersion, SamplingCapability,
};
use rmcp::service::RequestContext;
use serde_json::{Map, Value, json};

use super::handler::Door;
use super::meta::{self, Meta};
use super::progress::passed_on;
use super::refusal;
use super::result::{Finished, finish};
use crate::accounts::Selector;
use crate::call::finder;
use crate::call::{ANSWER_TIME, Answers, BAD_STATE, Extras, Outcome, Progress, Request, input_digest, run};
use crate::error::{Fault, Kind};
use crate::id::ExecutionId;
use crate::servers::Exposed;
use crate::trace::Parent;

/// Characters that a cursor and the words on it take beside a page of items.
const CURSOR_CHARS: usize = 600;
/// The key under which the host itself asks for an account to be connected.
const CONNECT: &str = "connect";
/// How long an answer waits for a user who said that they would connect, before it asks again.
const CONNECTING: Duration = Duration::from_secs(20);
/// Between two looks at whether they have.
const LOOK: Duration = Duration::from_millis(250);

/// What the client's program can ask its user, in this request.
struct Client {
    /// Whether questions can be asked in a result at all.
    asks: bool,
    declared: ClientCapabilities,
}

impl Client {
    fn of(context: &RequestContext<RoleServer>) -> Self {
        let version = context.protocol_version();
        Self {
            asks: version.is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str()),
            declared: context.client_capabilities().unwrap_or_default(),
        }
    }

    fn elicitation(&self) -> Option<&ElicitationCapability> {
        self.declared.elicitation.as_ref().filter(|_| self.asks)
    }

    fn takes_urls(&self) -> bool {
        self.elicitation().is_some_and(|can| can.url.is_some())
    }

    /// A client that names no mode has forms.
    fn takes_forms(&self) -> bool {
        self.elicitation()
            .is_some_and(|can| can.form.is_some() || can.url.is_none())
    }

    fn samples(&self) -> bool {
        self.asks && self.declared.sampling.is_some()
    }

    fn names(&self) -> Vec<String> {
        let can = [("elicitation", self.takes_forms()), ("sampling", self.samples())];
        can.iter()
            .filter(|(_, can)| *can)
            .map(|(name, _)| (*name).to_owned())
            .collect()
    }
}

/// One call while it is worked on.
struct Call<'a> {
    door: &'a Door,
    context: &'a RequestContext<RoleServer>,
    client: Client,
    exposed: Exposed,
    selector: Selector,
    arguments: JsonObject,
    answers: Answers,
}

/// Answers `tools/call`.
pub(super) async fn call(
    door: &Door,
    request: CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let arguments = request.arguments.unwrap_or_default();
    let meta = if finder::is_one(&request.name) {
        let shown = door.shown().await?;
        door.searches(&shown)
            .then(|| meta::answer(&request.name, &arguments, &shown))
            .flatten()
    } else {
        None
    };
    let (name, arguments, reads) = match meta {
        None => (request.name.into_owned(), arguments, false),
        Some(answer) => match answer? {
            Meta::Answer(result) => return Ok(result.into()),
            Meta::Call {
                name,
                arguments,
                reads,
            } => (name, arguments, reads),
        },
    };
    let servers = &door.edge.host.servers;
    let exposed = servers.tool(&door.who, &name).await;
    let exposed = exposed
        .map_err(|fault| refusal::protocol(&fault, None))?
        .ok_or_else(|| meta::unknown(&name))?;
    if reads && !exposed.tool.declared.hints.read_only {
        return Ok(refusal::text(format!("`{name}` may change something. Call it with call_tool.")).into());
    }
    let selector = match servers.selector(&door.who, &exposed).await {
        Ok(selector) => selector,
        Err(fault) => return Ok(refusal::text(fault.public().to_owned()).into()),
    };
    let mut call = Call {
        door,
        client: Client::of(context),
        context,
        exposed,
        selector,
        arguments,
        answers: Answers::default(),
    };
    call.answers.capabilities = call.client.names();
    let responses: Map<String, Value> = request.input_responses.unwrap_or_default().into_iter().collect();
    match request.request_state {
        Some(state) if call.asked_to_connect(&state) => {
            let action = responses
                .get(CONNECT)
                .and_then(|answer| answer["action"].as_str());
            if matches!(action, Some("decline" | "cancel")) {
                return Ok(refusal::text(
                    "The user did not want to connect the account, so the tool cannot run. Go on without it, or ask them why."
                        .to_owned(),
                )
                .into());
            }
            call.until_connected().await;
        }
        state => {
            call.answers.state = state;
            call.answers.responses = responses;
        }
    }
    call.answer().await
}

impl Call<'_> {
    async fn answer(self) -> Result<CallToolResponse, ErrorData> {
        let (mut execution, mut result) = self.run().await;
        if let Err(fault) = &result
            && fault.kind() == Kind::AccountNotFound
            && matches!(self.link(fault).await, Ok(None))
        {
            // Nothing has to be authorized on this connection: the account is there now.
            (execution, result) = self.run().await;
        }
        let outcome = match result {
            Ok(outcome) => outcome,
            Err(fault) => return self.refuse(fault, &execution).await,
        };
        let limit = self.arguments.get("limit").and_then(Value::as_u64);
        let paging = self.exposed.tool.declared.paging.as_ref();
        let limit = paging.map(|paging| {
            limit
                .and_then(|limit| usize::try_from(limit).ok())
                .unwrap_or(paging.default_limit as usize)
        });
        let max_chars = self.door.edge.host.config.mcp.max_result_chars;
        match finish(&self.exposed.tool, &outcome, limit, max_chars) {
            Ok(Finished::Result(result)) => Ok(result.into()),
            Ok(Finished::Asks { requests, state }) => self.ask(requests, state),
            Err(fault) => Ok(refusal::result(&fault, &execution)?.into()),
        }
    }

    /// The one call path, in the name of the session's user.
    async fn run(&self) -> (ExecutionId, Result<Outcome, Fault>) {
        let host = &self.door.edge.host;
        let who = &self.door.who;
        let token = self.context.meta.get_progress_token();
        let (progress, steps) = Progress::channel();
        let request = Request {
            tool_name: self.exposed.tool.declared.name.clone(),
            selector: self.selector.clone(),
            params: self.arguments.clone(),
            agent_run_id: self.door.run.id.clone(),
            idempotency_key: None,
            deadline: None,
            extras: Extras {
                rules: Some(who.rules.clone()),
                session: who.session.clone(),
                progress: token.is_some().then_some(progress),
                answers: Some(self.answers.clone()),
                max_result_chars: Some(host.config.mcp.max_result_chars.saturating_sub(CURSOR_CHARS)),
                tape: None,
            },
        };
        // The nearest goes first: what the program said of this one message.
        let parent = Parent::of_meta(&self.context.meta.0.0).or(self.door.run.parent.clone());
        let call = parent.scope(run(host, &who.caller, request));
        match token {
            None => call.await,
            Some(token) => passed_on(self.context, token, steps, call).await,
        }
    }

    /// A fault as a question to the user where they can mend it and the client can ask, else as a
    /// result with the link in its words.
    async fn refuse(&self, fault: Fault, execution: &ExecutionId) -> Result<CallToolResponse, ErrorData> {
        if fault.kind() == Kind::UnknownTool {
            return Err(meta::unknown(&self.exposed.tool.declared.name));
        }
        if fault.reason_code() == Some(BAD_STATE) {
            return Err(ErrorData::invalid_params(fault.public().to_owned(), None));
        }
        let theirs = matches!(
            fault.kind(),
            Kind::AccountNotFound | Kind::AccountNotActive | Kind::ScopeMissing
        );
        if !theirs {
            return Ok(refusal::result(&fault, execution)?.into());
        }
        if self.answers.state.is_some() {
            // A tool that asks has a usable account: whatever this state is, nothing waits for it.
            return Err(ErrorData::invalid_params(
                "This requestState answers nothing that is open now. Call the tool again without it.",
                None,
            ));
        }
        let Ok(Some(link)) = self.link(&fault).await else {
            return Ok(refusal::result(&fault, execution)?.into());
        };
        if !self.client.takes_urls() {
            let fault = Fault::new(fault.kind(), self.wanted(&fault)).link(link);
            return Ok(refusal::result(&fault, execution)?.into());
        }
        let asked = json!({CONNECT: {"method": "elicitation/create", "params": {
            "mode": "url",
            "message": self.wanted(&fault),
            "url": link,
            "elicitationId": execution.as_str(),
        }}});
        let asked = serde_json::from_value(asked)
            .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        let servers = &self.door.edge.host.servers;
        let state = servers
            .seal_connecting(
                &self.door.who,
                self.name(),
                &input_digest(&self.arguments),
                ANSWER_TIME,
            )
            .map_err(|fault| refusal::protocol(&fault, None))?;
        Ok(InputRequiredResult::new(Some(asked), Some(state)).into())
    }

    /// What the user is asked to do.
    fn wanted(&self, fault: &Fault) -> String {
        let title = &self.exposed.version.manifest.connector.title;
        match fault.kind() {
            Kind::AccountNotFound => format!(
                "`{}` needs the user's {title} account, which is not connected yet.",
                self.exposed.tool.declared.name
            ),
            _ => fault.public().to_owned(),
        }
    }

    async fn link(&self, fault: &Fault) -> Result<Option<String>, Fault> {
        if let Some(link) = fault.authorization_link() {
            return Ok(Some(link.to_owned()));
        }
        match &self.selector.connection_name {
            None => Ok(None),
            Some(connection) => {
                let servers = &self.door.edge.host.servers;
                servers.connecting_link(&self.door.who, connection).await
            }
        }
    }

    /// Waits a while for the user who opened the link. The call then shows whether they did.
    async fn until_connected(&self) {
        let servers = &self.door.edge.host.servers;
        let until = tokio::time::Instant::now() + CONNECTING;
        while tokio::time::Instant::now() < until {
            match servers.is_connected(&self.door.who, &self.selector).await {
                Ok(false) => tokio::time::sleep(LOOK).await,
                Ok(true) | Err(_) => return,
            }
        }
    }

    /// Passes a tool's questions on, when the client can ask them.
    fn ask(&self, requests: InputRequests, state: Option<String>) -> Result<CallToolResponse, ErrorData> {
        let mut missing = ClientCapabilities::default();
        for request in requests.values() {
            match request {
                InputRequest::CreateMessage(_) if !self.client.samples() => {
                    missing.sampling = Some(SamplingCapability::default());
                }
                InputRequest::Elicitation(_) if !self.client.takes_forms() => {
                    missing.elicitation = Some(ElicitationCapability::default());
                }
                // The call path lets connectors ask by forms and models alone.
                _ => {}
            }
        }
        if missing != ClientCapabilities::default() {
            if self.client.asks {
                return Err(ErrorData::missing_required_client_capability(missing));
            }
            return Ok(refusal::text(format!(
                "`{}` has to ask the user something first, and this client cannot pass the question on. Ask the user to do it at the vendor, or use a client that can.",
                self.exposed.tool.declared.name
            ))
            .into());
        }
        Ok(InputRequiredResult::new(Some(requests), state).into())
    }

    /// Whether `state` is of the host's own question, to this user about this tool and these arguments.
    fn asked_to_connect(&self, state: &str) -> bool {
        let servers = &self.door.edge.host.servers;
        servers.opens_connecting(&self.door.who, self.name(), &input_digest(&self.arguments), state)
    }

    fn name(&self) -> &str {
        &self.exposed.tool.declared.name
    }
}

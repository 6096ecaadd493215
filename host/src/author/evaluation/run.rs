//! The measure with a model: it is told a task in the user's words, and what it wants to call is
//! held against what the task expects. Nothing is called.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use valetkey_manifest::Manifest;

use super::tasks::{Mismatch, Task, Tasks};
use super::{Offered, chat, offer, offered, share};
use crate::call::finder;
use crate::manifest::{take_out_absent, validator};

pub use super::chat::Usage;
pub use super::offer::Offer;

/// Answers of a model within one task of search mode: a search or two, a look at a tool or two, the call.
const MAX_ROUNDS: usize = 8;

/// Why a request to the endpoint came to nothing.
#[derive(Debug)]
pub enum AskError {
    /// For this task; others may do better.
    Failed(String),
    /// For good: every task would fail the same way (the key is refused, there is no such model).
    Ended(String),
}

/// What a model did with a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The right tool with the right arguments.
    Right,
    /// The right tool, and an argument that matters is not what the task wants.
    WrongArguments,
    /// The right tool, with arguments that the host would refuse by the tool's schema.
    InvalidArguments,
    /// The right tool, with arguments that are no JSON object.
    MalformedArguments,
    /// Another tool, or one that is not there.
    WrongTool,
    /// It called nothing.
    NoCall,
    /// The endpoint gave no usable answer.
    Failed,
}

impl Outcome {
    /// Whether the tool was chosen rightly, whatever its arguments.
    #[must_use]
    pub fn is_right_tool(self) -> bool {
        matches!(
            self,
            Self::Right | Self::WrongArguments | Self::InvalidArguments | Self::MalformedArguments
        )
    }
}

/// What became of one task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    /// The task.
    pub task: String,
    /// Its connector.
    pub connector: String,
    /// What the user says.
    pub says: String,
    /// What the model did.
    pub outcome: Outcome,
    /// Tools that are right.
    pub expected: Vec<String>,
    /// The tool that it chose first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chose: Option<String>,
    /// Its arguments as they came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<String>,
    /// Arguments that are not what the task wants.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mismatches: Vec<Mismatch>,
    /// Whatever else explains it: the schema's complaint, what the model said, the endpoint's error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// How many tasks went well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Score {
    /// Tasks that were tried.
    pub tasks: usize,
    /// Those with the right tool.
    pub right_tool: usize,
    /// Those with the right tool and right arguments.
    pub right: usize,
    /// The share of `right_tool`.
    pub tool_choice: f64,
    /// The share of `right` in `right_tool`.
    pub arguments: f64,
}

/// The figures of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Run {
    /// The model, by the name that it was asked by.
    pub model: String,
    /// What it was offered.
    pub offer: Offer,
    /// Over all tasks.
    pub score: Score,
    /// By connector.
    pub connectors: BTreeMap<String, Score>,
    /// Tasks that did not go right.
    pub failures: Vec<Judged>,
    /// Tasks whose connector is not there.
    pub left_out: Vec<String>,
    /// What the endpoint counted, all requests together.
    pub usage: Usage,
}

/// Runs every task that `connectors` can do. `ask` sends one request body and answers the endpoint's;
/// `tell` hears of each task before it begins.
///
/// # Errors
/// The endpoint ended the run; what it said.
pub async fn run(
    model: &str,
    offer: Offer,
    connectors: &[Manifest],
    tasks: &Tasks,
    ask: impl AsyncFn(&Value) -> Result<Value, AskError>,
    mut tell: impl FnMut(&Task),
) -> Result<Run, String> {
    let pool = offered(connectors);
    let mut run = Run {
        model: model.to_owned(),
        offer,
        score: Score::default(),
        connectors: BTreeMap::new(),
        failures: Vec::new(),
        left_out: Vec::new(),
        usage: Usage::default(),
    };
    for task in &tasks.tasks {
        if !pool.iter().any(|offered| offered.connector == task.connector) {
            run.left_out.push(task.id.clone());
            continue;
        }
        tell(task);
        let mut conversation = Conversation {
            model,
            pool: &pool,
            offered: offer::definitions(offer, &pool, &task.connector),
            messages: vec![
                chat::message("system", &tasks.instructions),
                chat::message("user", &task.says),
            ],
            usage: Usage::default(),
        };
        let choice = conversation.choice(offer, &ask).await;
        run.usage += conversation.usage;
        let judged = judge(task, &pool, choice.or_else(unless_ended)?);
        let of_connector = run.connectors.entry(task.connector.clone()).or_default();
        for score in [&mut run.score, of_connector] {
            score.count(judged.outcome);
        }
        if judged.outcome != Outcome::Right {
            run.failures.push(judged);
        }
    }
    Ok(run)
}

fn unless_ended(error: AskError) -> Result<Choice, String> {
    match error {
        AskError::Failed(why) => Ok(Choice::Failed(why)),
        AskError::Ended(why) => Err(why),
    }
}

impl Score {
    fn count(&mut self, outcome: Outcome) {
        self.tasks += 1;
        self.right_tool += usize::from(outcome.is_right_tool());
        self.right += usize::from(outcome == Outcome::Right);
        self.tool_choice = share(self.right_tool, self.tasks);
        self.arguments = share(self.right, self.right_tool);
    }
}

/// What a model settled on.
enum Choice {
    Call {
        name: String,
        arguments: Result<Value, String>,
    },
    Nothing(String),
    Failed(String),
}

struct Conversation<'a> {
    model: &'a str,
    pool: &'a [Offered<'a>],
    offered: Vec<Value>,
    messages: Vec<Value>,
    usage: Usage,
}

impl Conversation<'_> {
    /// The first call that is not one of search mode's looking around. A model may make several at
    /// once; the first is what it chose.
    async fn choice(
        &mut self,
        offer: Offer,
        ask: &impl AsyncFn(&Value) -> Result<Value, AskError>,
    ) -> Result<Choice, AskError> {
        for _ in 0..MAX_ROUNDS {
            let request = chat::request(self.model, &self.messages, &self.offered);
            let reply = chat::read(&ask(&request).await?).map_err(AskError::Failed)?;
            self.usage += reply.usage;
            if reply.calls.is_empty() {
                return Ok(Choice::Nothing(reply.said));
            }
            self.messages.push(reply.message);
            for call in reply.calls {
                match self.answer(offer, &call) {
                    Some(answer) => self.messages.push(chat::answer(&call, &answer)),
                    None => return Ok(chosen(offer, call)),
                }
            }
        }
        Ok(Choice::Nothing(format!(
            "it was still looking for a tool after {MAX_ROUNDS} answers"
        )))
    }

    /// The answer to a call by which a model looks around; none for a call that settles it.
    fn answer(&self, offer: Offer, call: &chat::Asked) -> Option<String> {
        if offer != Offer::Search {
            return None;
        }
        let Ok(arguments) = &call.arguments else {
            return Some("The arguments are no JSON object. Correct them and call again.".to_owned());
        };
        let named = arguments["name"].as_str().unwrap_or_default();
        let known = self.pool.iter().find(|offered| offered.tool.name == named);
        let unknown = || format!("Unknown tool: {}", named.escape_default());
        match call.name.as_str() {
            finder::SEARCH => Some(offer::search(self.pool, arguments).to_string()),
            finder::GET => {
                Some(known.map_or_else(unknown, |offered| offer::description(offered).to_string()))
            }
            finder::CALL_READ if known.is_some_and(|offered| !offered.tool.hints.read_only) => {
                Some(format!("`{named}` may change something. Call it with call_tool."))
            }
            finder::CALL | finder::CALL_READ if known.is_none() => Some(unknown()),
            _ => None,
        }
    }
}

fn chosen(offer: Offer, call: chat::Asked) -> Choice {
    match call.arguments {
        Ok(mut outer) if offer == Offer::Search && finder::is_one(&call.name) => Choice::Call {
            name: outer["name"].as_str().unwrap_or_default().to_owned(),
            arguments: match outer["arguments"].take() {
                Value::Null => Ok(Value::Object(serde_json::Map::new())),
                object @ Value::Object(_) => Ok(object),
                other => Err(other.to_string()),
            },
        },
        arguments => Choice::Call {
            name: call.name,
            arguments,
        },
    }
}

fn judge(task: &Task, pool: &[Offered<'_>], choice: Choice) -> Judged {
    let mut judged = Judged {
        task: task.id.clone(),
        connector: task.connector.clone(),
        says: task.says.clone(),
        outcome: Outcome::Failed,
        expected: task.tools().map(str::to_owned).collect(),
        chose: None,
        arguments: None,
        mismatches: Vec::new(),
        why: None,
    };
    let (name, arguments) = match choice {
        Choice::Failed(why) => {
            judged.why = Some(why);
            return judged;
        }
        Choice::Nothing(said) => {
            judged.outcome = Outcome::NoCall;
            judged.why = Some(said).filter(|said| !said.is_empty());
            return judged;
        }
        Choice::Call { name, arguments } => (name, arguments),
    };
    judged.arguments = Some(match &arguments {
        Ok(object) => object.to_string(),
        Err(text) => text.clone(),
    });
    let called = pool.iter().find(|offered| offered.tool.name == name);
    judged.chose = Some(name);
    let Some(called) = called else {
        judged.outcome = Outcome::WrongTool;
        judged.why = Some("there is no such tool".to_owned());
        return judged;
    };
    let is = |known: &str| called.answers_to(known);
    let nothing = Value::Object(serde_json::Map::new());
    let Some(mismatches) = task.judge(&is, arguments.as_ref().unwrap_or(&nothing)) else {
        judged.outcome = Outcome::WrongTool;
        return judged;
    };
    let Ok(arguments) = arguments else {
        judged.outcome = Outcome::MalformedArguments;
        return judged;
    };
    let complaint = complaint(called, arguments);
    judged.outcome = match &complaint {
        Some(_) => Outcome::InvalidArguments,
        None if mismatches.is_empty() => Outcome::Right,
        None => Outcome::WrongArguments,
    };
    judged.why = complaint;
    judged.mismatches = mismatches;
    judged
}

/// The first thing that the host would refuse the arguments for, as it would check them: null for
/// what is optional is taken as left out.
fn complaint(called: &Offered<'_>, mut arguments: Value) -> Option<String> {
    let validator = match validator(&called.input) {
        Ok(validator) => validator,
        Err(problem) => return Some(problem),
    };
    if !validator.is_valid(&arguments) {
        take_out_absent(&called.input, &mut arguments);
    }
    let error = validator.iter_errors(&arguments).next()?;
    Some(format!("{}: {error}", error.instance_path()))
}

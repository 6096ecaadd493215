//! The protocol's verbs for one request: each asks the core and renders.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CompleteRequestMethod, CompleteRequestParams,
    CompleteResult, DiscoverResult, Implementation, InitializeRequestParams, InitializeResult,
    ListPromptsRequestMethod, ListPromptsResult, ListResourceTemplatesRequestMethod,
    ListResourceTemplatesResult, ListResourcesRequestMethod, ListResourcesResult, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, SubscriptionFilter, Tool,
};
use rmcp::service::{RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler};

use super::Edge;
use super::streams::Place;
use super::{call, meta, refusal, tools};
use crate::servers::{Exposed, Principal, SearchMode};
use crate::trace::Parent;

/// How long a list may be taken as fresh, in milliseconds: not every client hears of changes.
const FRESH_MS: u64 = 30_000;
/// Tools of one page. Many clients read the first page alone.
const PAGE: usize = 1_000;
/// Tools that a model keeps apart; with more, a server in the `auto` mode offers a search.
const FEW: usize = 40;

/// One request of one principal.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) edge: Arc<Edge>,
    pub(super) who: Arc<Principal>,
    pub(super) run: Run,
    called: Option<Arc<Called>>,
    /// The place of a stream, held for as long as the stream.
    _place: Option<Arc<Place>>,
}

/// The agent's run that a request belongs to, as its headers say. The protocol works in tasks of its
/// own, which know nothing of the request that they came with.
#[derive(Clone)]
pub(super) struct Run {
    /// The agent's own name for it.
    pub(super) id: Option<String>,
    /// The caller's span.
    pub(super) parent: Parent,
}

/// The tool that a request calls, as this principal sees it.
pub(super) struct Called {
    pub(super) name: String,
    pub(super) tool: Tool,
}

impl Door {
    pub(super) fn new(
        edge: Arc<Edge>,
        who: Principal,
        run: Run,
        called: Option<Called>,
        place: Option<Place>,
    ) -> Self {
        Self {
            edge,
            who: Arc::new(who),
            run,
            called: called.map(Arc::new),
            _place: place.map(Arc::new),
        }
    }

    /// The tools that this principal sees.
    pub(super) async fn shown(&self) -> Result<BTreeMap<String, Exposed>, ErrorData> {
        let shown = self.edge.host.servers.tools(&self.who).await;
        shown.map_err(|fault| refusal::protocol(&fault, None))
    }

    /// Whether this principal gets the four tools to search by instead of the tools themselves.
    pub(super) fn searches(&self, shown: &BTreeMap<String, Exposed>) -> bool {
        match self.who.search() {
            SearchMode::On => true,
            SearchMode::Off => false,
            SearchMode::Auto => shown.len() > FEW,
        }
    }

    /// The list as a client sees it, in its one order.
    async fn list(&self) -> Result<Vec<Tool>, ErrorData> {
        let shown = self.shown().await?;
        if self.searches(&shown) {
            return Ok(meta::tools());
        }
        Ok(shown.values().map(tools::render).collect())
    }

    /// What tells one list from another.
    async fn list_digest(&self) -> Result<[u8; 32], ErrorData> {
        let list = serde_json::to_vec(&self.list().await?)
            .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        let digest = digest::digest(&digest::SHA256, &list);
        Ok(digest.as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }

    fn instructions(&self) -> String {
        let described = self.who.server.as_ref().map_or("", |server| &server.description);
        let mut text = described.to_owned();
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        text.push_str(
            "Every tool acts in the accounts of one user. When an account is not connected yet, the answer has a link: give it to the user. An answer with `next_cursor` has more: call again with the same arguments and `cursor`.",
        );
        text
    }
}

impl ServerHandler for Door {
    fn get_info(&self) -> ServerConfig {
        let name = self
            .who
            .server
            .as_ref()
            .map_or("valetkey", |server| server.name.as_str());
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_tool_list_changed()
            .build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new(name, env!("CARGO_PKG_VERSION")).with_title("Valetkey"))
            .with_instructions(self.instructions())
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        let mut result = self.negotiate_initialize(&request)?;
        // The earlier revisions have no stream here on which to say it.
        if let Some(tools) = &mut result.capabilities.tools {
            tools.list_changed = None;
        }
        Ok(result)
    }

    async fn discover(&self, _: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let versions = self.supported_protocol_versions().into_owned();
        Ok(DiscoverResult::from_server_info(versions, self.get_info())
            .with_ttl_ms(FRESH_MS)
            .with_cache_scope(CacheScope::Private))
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut list = self.list().await?;
        let name = format!("mcp tools {} {}", self.who.target.path(), self.who.identifier);
        let access = &self.edge.host.access;
        if let Some(cursor) = request.and_then(|request| request.cursor) {
            let after = access
                .open_cursor(&self.who.caller, &name, &cursor)
                .map_err(|fault| ErrorData::invalid_params(fault.public().to_owned(), None))?;
            list.retain(|tool| *tool.name > *after);
        }
        let more = list.len() > PAGE;
        list.truncate(PAGE);
        let next = match list.last() {
            Some(last) if more => {
                let sealed = access.seal_cursor(&self.who.caller, &name, &last.name);
                Some(sealed.map_err(|fault| refusal::protocol(&fault, None))?)
            }
            _ => None,
        };
        let mut result = ListToolsResult::with_all_items(list)
            .with_ttl_ms(FRESH_MS)
            .with_cache_scope(CacheScope::Private);
        result.next_cursor = next;
        Ok(result)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let (gone, ended) = (context.ct.clone(), self.who.ended.clone());
        tokio::select! {
            biased;
            // Dropping the call ends it where it stands, down to the request to the vendor.
            () = gone.cancelled() => Err(ErrorData::internal_error("the client went away", None)),
            () = ended.cancelled() => Err(ErrorData::invalid_request("This session has ended.", None)),
            answer = call::call(self, request, &context) => answer,
        }
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        let called = self.called.as_ref().filter(|called| called.name == name)?;
        Some(called.tool.clone())
    }

    fn accepted_subscription_filter(&self, _: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(SubscriptionFilter::builder().tools_list_changed().build())
    }

    async fn listen(&self, stream: SubscriptionContext) -> Result<(), ErrorData> {
        let host = &self.edge.host;
        let (mut loaded, mut configured) = (host.registry.changes(), host.servers.changes());
        let mut door = self.clone();
        let mut seen = door.list_digest().await?;
        let left_ms = door.who.expires_at_ms - host.clock.now().as_millisecond();
        let expiry = tokio::time::sleep(Duration::from_millis(u64::try_from(left_ms).unwrap_or(0)));
        tokio::pin!(expiry);
        loop {
            tokio::select! {
                () = stream.cancelled() => return Ok(()),
                () = door.who.ended.cancelled() => return Ok(()),
                () = host.draining.cancelled() => return Ok(()),
                () = &mut expiry => return Ok(()),
                changed = loaded.changed() => if changed.is_err() { return Ok(()) },
                changed = configured.changed() => if changed.is_err() { return Ok(()) },
            }
            // Whoever may not come in any more hears nothing more.
            let Ok(who) = host.servers.renewed(&door.who) else {
                return Ok(());
            };
            door.who = Arc::new(who);
            let now = door.list_digest().await?;
            if now != seen {
                seen = now;
                if stream.sink().notify_tool_list_changed().await.is_err() {
                    return Ok(());
                }
            }
        }
    }

    // What is not offered answers as if nobody had heard of it, not with empty lists.

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListPromptsRequestMethod>())
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListResourcesRequestMethod>())
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListResourceTemplatesRequestMethod>())
    }

    async fn complete(
        &self,
        _: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        Err(ErrorData::method_not_found::<CompleteRequestMethod>())
    }
}

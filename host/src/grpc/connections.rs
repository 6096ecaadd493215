//! `ConnectionService`: the operator's connections, for programs that list what can be connected.

use tonic::Status;

use super::ask::given;
use super::page::Page;
use super::status;
use super::unary::Call;
use super::wire::connections::{Connection, ConnectionStatus, ConnectionType, ListRequest, ListResponse, id};
use super::wire::time;
use crate::accounts;
use crate::error::Fault;

/// `ListAppConnections`.
pub(super) async fn list(call: Call, request: ListRequest) -> Result<ListResponse, Status> {
    page(&call, request).await.map_err(|fault| status::of(&fault))
}

async fn page(call: &Call, request: ListRequest) -> Result<ListResponse, Fault> {
    let provider = given(request.provider);
    let query = given(request.query).map(|text| text.to_lowercase());
    let list = format!("grpc connections {provider:?} {query:?}");
    let page = Page::new(call, list, request.page_size, request.page_token)?;
    let mut found = call.host.accounts.connections(&call.caller.environment).await?;
    found.retain(|connection| {
        provider
            .as_ref()
            .is_none_or(|wanted| wanted.eq_ignore_ascii_case(connection.connector.as_str()))
            && query
                .as_ref()
                .is_none_or(|text| connection.name.as_str().contains(text))
    });
    let (shown, total_size, next_page_token) = page.cut(call, found, |it| it.name.as_str(), |it| view(it))?;
    Ok(ListResponse {
        connections: shown,
        next_page_token,
        total_size,
    })
}

fn view(connection: &accounts::Connection) -> Connection {
    Connection {
        id: id(&connection.name),
        r#type: ConnectionType::from(connection.kind).into(),
        status: ConnectionStatus::Completed.into(),
        enabled: true,
        provider_key: connection.connector.as_str().to_uppercase(),
        key_id: connection.name.to_string(),
        created_at: Some(time(connection.created_at_ms)),
    }
}

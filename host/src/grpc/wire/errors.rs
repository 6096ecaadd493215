//! `google.rpc.Status` with `scalekit.v1.errdetails.ErrorInfo`: what travels in
//! `grpc-status-details-bin`.

use prost_types::Any;

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RpcStatus {
    /// The same as `grpc-status`.
    #[prost(int32, tag = "1")]
    pub code: i32,
    /// The same as `grpc-message`.
    #[prost(string, tag = "2")]
    pub message: String,
    /// One [`ErrorInfo`].
    #[prost(message, repeated, tag = "3")]
    pub details: Vec<Any>,
}

/// The typed detail that the packages read.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ErrorInfo {
    /// `TOOL_ERROR` or the kind.
    #[prost(string, tag = "1")]
    pub error_code: String,
    /// Where to mend it.
    #[prost(message, optional, tag = "3")]
    pub help_info: Option<HelpInfo>,
    /// Names the request in our log.
    #[prost(message, optional, tag = "6")]
    pub request_info: Option<RequestInfo>,
    /// Complaints about the input.
    #[prost(message, optional, tag = "8")]
    pub validation_error_info: Option<ValidationErrorInfo>,
    /// What became of a tool call.
    #[prost(message, optional, tag = "9")]
    pub tool_error_info: Option<ToolErrorInfo>,
}

/// Links.
#[derive(Clone, PartialEq, prost::Message)]
pub struct HelpInfo {
    /// Each with its purpose.
    #[prost(message, repeated, tag = "1")]
    pub links: Vec<HelpLink>,
}

/// One link.
#[derive(Clone, PartialEq, prost::Message)]
pub struct HelpLink {
    /// What it is for.
    #[prost(string, tag = "1")]
    pub description: String,
    /// Where it goes.
    #[prost(string, tag = "2")]
    pub url: String,
}

/// Names a request.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RequestInfo {
    /// As our log has it.
    #[prost(string, tag = "1")]
    pub request_id: String,
}

/// Complaints about the input.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ValidationErrorInfo {
    /// Each with its place.
    #[prost(message, repeated, tag = "1")]
    pub field_violations: Vec<FieldViolation>,
}

/// One complaint.
#[derive(Clone, PartialEq, prost::Message)]
pub struct FieldViolation {
    /// JSON pointer.
    #[prost(string, tag = "1")]
    pub field: String,
    /// What is wrong there.
    #[prost(string, tag = "2")]
    pub description: String,
}

/// What became of a tool call.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ToolErrorInfo {
    /// The execution, for the operator's log.
    #[prost(string, tag = "1")]
    pub execution_id: String,
    /// What the vendor said, or what went wrong.
    #[prost(string, tag = "2")]
    pub tool_error_message: String,
    /// The kind of fault.
    #[prost(string, tag = "3")]
    pub tool_error_code: String,
}

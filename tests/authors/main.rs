//! What authors of connectors get: the SDKs of every language, and the tools around them.

mod languages;
mod packages;
mod vendor;

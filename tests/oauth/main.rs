//! Connecting, refreshing and ending accounts, against real authorization servers: one certified
//! (`provider/`), and hand-written ones that misbehave.

mod connecting;
mod dialects;
mod ending;
mod exchanging;
mod honest;
mod provisioning;
mod refreshing;
mod rig;
mod secrecy;
mod sites;
mod vendor;

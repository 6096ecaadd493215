//! The client packages for agents, each by its own language's test runner, against a real host with simulated
//! vendors; and the cases that they share.

mod cases;
mod python;
mod stage;
mod typescript;

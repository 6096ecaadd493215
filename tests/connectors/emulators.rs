//! The bundled connectors of GitHub, Gmail, Google Calendar, Slack and Linear against vendors that are not
//! ours: the stateful emulators of the npm package `emulate`, pinned in `emulators/`.
//!
//! A person connects an account through the whole OAuth flow: our link, the emulator's page and its button for
//! one of its users, our callback, its token endpoint, the check of the new credential. Then tools
//! create, read, list, page, change and delete, and what they did is read from the emulator itself, past
//! the host. Its 404s, 409s, 422s and `missing_scope` become our typed errors; refresh tokens rotate as the
//! vendor rotates them; a wrong verifier connects nobody, and every connection's own verifier fits its challenge.
//!
//! Each vendor's file names the tools that the emulator cannot run, with the reason. A tool
//! that is in neither list, or works although it is named, fails the test. Between host and emulator stands
//! [`gate`], for what the emulator gets wrong for every tool alike:
//!
//! - it takes any bearer token, so the gate refuses those that it is told to;
//! - of Slack's reading methods it has POST alone, where Slack takes GET as well, and the addresses for uploads
//!   that it hands out lead past the gate;
//! - Google's mailbox profile and single calendar are answered from its userinfo and its list of calendars;
//! - Linear's queries lose the fields that its schema lacks (`emulators.mjs`), and the test names each.
//!
//! Where emulator and vendor differ, the vendor's own specification decides, and the difference stands where it
//! shows. What the emulators do not have at all: budgets like the vendors' (one of 5,000 requests a token),
//! 401s, expiry. Those have the simulated vendors and the injected faults of the cases.
//!
//! They run on Node.js 24, which the package folder brings for Linux on x64. Where they cannot run, the tests
//! say so and pass.

mod gate;
mod github;
mod google;
mod linear;
mod rig;
mod signing_in;
mod slack;

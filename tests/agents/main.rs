//! One agent for a whole team: a hundred users with five connections each, every run side by side with
//! all others, through every door; and the example pipeline through five systems.

mod day;
mod pipeline;
mod side_by_side;
mod stamp;
mod team;

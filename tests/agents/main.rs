//! One agent for a whole team: a hundred users with five connections each, every run side by side with
//! all others, through every door.

mod day;
mod side_by_side;
mod stamp;
mod team;

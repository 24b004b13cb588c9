//! The authorization server from `/authorize` to the end of a grant, with a clock that is moved, seeded randomness, a
//! scripted identity provider and a store in memory.

mod asking_for_more;
mod asserting;
mod assertions;
mod authorizing;
mod browsers;
mod callbacks;
mod codes;
mod consenting;
mod describing;
mod failing_store;
mod flow;
mod keys;
mod managing;
mod mistakes;
mod people;
mod possession;
mod racing;
mod refreshing;
mod support;

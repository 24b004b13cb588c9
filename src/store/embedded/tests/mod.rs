//! What the embedded store promises beyond the contract: a file that opens again, or says why not.

mod damage;
mod disk;
mod failing_disk;
mod opening;
mod power_loss;
mod sharing;

//! Tests of the vault as its users see it.

mod adversary;
mod audit;
mod auto_lock;
mod basics;
mod crash;
mod custody;
mod disk;
mod export;
mod faults;
mod golden;
mod hostile;
mod import;
mod lying;
mod release;
mod review;
mod tamper;
mod workload;

//! Tests of the vault as its users see it.

mod adversary;
mod backup;
mod basics;
#[cfg(unix)]
mod compact;
mod crash;
mod custody;
mod disk;
mod export;
mod faults;
mod golden;
mod hostile;
mod import;
mod release;
mod review;
mod space;
mod tamper;
mod workload;

//! What people do on this device, apart from how they reach it (command line or local page): faults and open work as
//! this device can know them, drafts of reports, photos, who may sign in.

pub mod carried;
pub mod clean;
pub mod corrected;
pub mod draft;
pub mod drafts;
pub mod faults;
pub mod finish;
pub mod known;
pub mod matters;
pub mod parts;
pub mod people;
pub mod saved;
pub mod vantage;
pub mod when;
pub mod work;

//! Looks now and then whether the database is still the one that it was: PostgreSQL may have been failed over.

use std::sync::Arc;

use super::{LOOK_EVERY, failed, woken_or};
use crate::app::{App, epoch};

pub(super) async fn run(app: Arc<App>) -> anyhow::Result<()> {
    let mut listener = app.db.listen(epoch::CHANNEL);
    while woken_or(&app, listener.wait(), LOOK_EVERY).await {
        match epoch::look_again(&app.db, app.now()).await {
            Ok(epoch) => app.server_epoch.set(epoch),
            Err(error) => failed("epoch", &error),
        }
    }
    Ok(())
}

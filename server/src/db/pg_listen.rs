//! The one connection to PostgreSQL that only listens for notifications of other nodes.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::oneshot;
use tokio_postgres::AsyncMessage;

use super::notify::Notifier;
use super::pg_connect::Hosts;

/// The pause before the listening connection is made again.
const RELISTEN_PAUSE: Duration = Duration::from_secs(1);

/// Keeps one connection that listens. Whatever was missed while it was down wakes everyone once.
pub(super) async fn listen_for_ever(hosts: Arc<Hosts>, notifier: Arc<Notifier>, tried: oneshot::Sender<()>) {
    let mut tried = Some(tried);
    let mut warned = false;
    loop {
        match listen_once(&hosts, &notifier, &mut tried).await {
            Ok(()) => warned = false,
            Err(e) if !warned => {
                warned = true;
                tracing::warn!(error = %e, "not listening for notifications of other nodes; trying again");
            }
            Err(_) => {}
        }
        drop(tried.take());
        tokio::time::sleep(RELISTEN_PAUSE).await;
    }
}

async fn listen_once(
    hosts: &Hosts,
    notifier: &Notifier,
    tried: &mut Option<oneshot::Sender<()>>,
) -> Result<(), tokio_postgres::Error> {
    let connecting = tokio::time::timeout(hosts.all_within(), hosts.connect());
    // Where nobody even refuses, the first statement says so.
    let Ok(made) = connecting.await else { return Ok(()) };
    let (client, mut connection) = made?;
    let mut messages = futures::stream::poll_fn(move |cx| connection.poll_message(cx));
    let listen = client.batch_execute("LISTEN linewatch");
    tokio::pin!(listen);
    let mut listening = false;
    loop {
        tokio::select! {
            done = &mut listen, if !listening => {
                done?;
                listening = true;
                notifier.wake_all();
                drop(tried.take());
            }
            message = messages.next() => match message {
                Some(Ok(AsyncMessage::Notification(n))) => notifier.wake(n.payload()),
                Some(Ok(_)) => {}
                Some(Err(e)) => return Err(e),
                None => return Ok(()),
            }
        }
    }
}

//! The log: to standard error, as text or JSON. What the libraries under this program say at `debug` and `trace` has the
//! parameters of statements in it, headers and lines of mail conversations: however low the level is set, of theirs no more
//! than `info` is written.

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{ParseError, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use crate::config::LogFormat;

/// What the targets of this program's own packages begin with.
const OWN: &str = "linewatch";

/// What writes the log.
///
/// # Errors
/// When the level is none.
pub fn subscriber<W>(
    level: &str,
    format: LogFormat,
    to: W,
) -> Result<impl Subscriber + Send + Sync, ParseError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = fmt::layer().with_ansi(false).with_writer(to);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let wanted = EnvFilter::try_new(level)?;
    Ok(tracing_subscriber::registry().with(wanted).with(filter_fn(is_told)).with(lines))
}

/// Whether something may be said at all.
fn is_told(said: &Metadata<'_>) -> bool {
    *said.level() <= Level::INFO || said.target().starts_with(OWN)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn libraries_say_no_more_than_what_happened() {
        for format in [LogFormat::Text, LogFormat::Json] {
            let written = Written::default();
            let to = written.clone();
            let subscriber = subscriber("trace", format, move || to.clone()).unwrap();
            tracing::subscriber::with_default(subscriber, || {
                tracing::debug!(target: "tokio_postgres::query", "parameters");
                tracing::trace!(target: "hyper", "headers");
                tracing::info!(target: "hyper", "theirs");
                tracing::trace!(target: "linewatch_server::http", "ours");
            });
            let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
            assert!(text.contains("theirs") && text.contains("ours"), "{text}");
            assert!(!text.contains("parameters") && !text.contains("headers"), "{text}");
        }
        assert!(subscriber("nonsense=nonsense", LogFormat::Text, std::io::stderr).is_err());
    }
}

//! A body that has to keep coming, and to end: whoever sends a byte now and then holds a place for nothing.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody as _};
use futures::{Stream, StreamExt as _};
use tokio::time::Sleep;

/// The slowest pace that is waited for, in bytes a second; a bad mobile connection is faster.
pub(super) const PACE_BYTES_PER_S: u64 = 1024;

/// Why a body was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Cut {
    TooSlow = 1,
    TooLarge = 2,
}

/// What became of a body, whoever read it.
#[derive(Debug, Default)]
pub(super) struct Verdict(AtomicU8);

impl Verdict {
    pub(super) fn get(&self) -> Option<Cut> {
        match self.0.load(Ordering::Relaxed) {
            1 => Some(Cut::TooSlow),
            2 => Some(Cut::TooLarge),
            _ => None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the body was cut off")]
struct CutOff;

struct Paced {
    inner: BodyDataStream,
    patience: Duration,
    bytes_left: usize,
    silence: Pin<Box<Sleep>>,
    /// Each byte buys time.
    whole: Pin<Box<Sleep>>,
    verdict: Arc<Verdict>,
}

/// The same body, cut off when it is silent for longer than `patience`, slower than the pace, or longer than `bytes_max`.
pub(super) fn paced(inner: Body, patience: Duration, bytes_max: usize, verdict: &Arc<Verdict>) -> Body {
    if inner.is_end_stream() {
        return inner;
    }
    let sleep = || Box::pin(tokio::time::sleep(patience));
    let (inner, verdict) = (inner.into_data_stream(), Arc::clone(verdict));
    Body::from_stream(Paced {
        inner,
        patience,
        bytes_left: bytes_max,
        silence: sleep(),
        whole: sleep(),
        verdict,
    })
}

impl Paced {
    fn cut(&self, why: Cut) -> Poll<Option<Result<Bytes, axum::Error>>> {
        self.verdict.0.store(why as u8, Ordering::Relaxed);
        Poll::Ready(Some(Err(axum::Error::new(CutOff))))
    }
}

impl Stream for Paced {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Poll::Ready(next) = self.inner.poll_next_unpin(cx) else {
            if self.silence.as_mut().poll(cx).is_ready() || self.whole.as_mut().poll(cx).is_ready() {
                return self.cut(Cut::TooSlow);
            }
            return Poll::Pending;
        };
        if let Some(Ok(bytes)) = &next {
            let Some(left) = self.bytes_left.checked_sub(bytes.len()) else { return self.cut(Cut::TooLarge) };
            self.bytes_left = left;
            let patience = self.patience;
            self.silence.set(tokio::time::sleep(patience));
            let bought = Duration::from_millis(bytes.len() as u64 * 1000 / PACE_BYTES_PER_S);
            let until = self.whole.deadline() + bought;
            self.whole.as_mut().reset(until);
        }
        Poll::Ready(next)
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use http_body_util::BodyExt as _;

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(200);

    async fn read(chunks: usize, bytes: usize, every: Duration, max: usize) -> (bool, Option<Cut>) {
        let sent = stream::unfold(0, move |n| async move {
            tokio::time::sleep(every).await;
            (n < chunks).then(|| (Ok::<_, std::io::Error>(Bytes::from(vec![0; bytes])), n + 1))
        });
        let verdict = Arc::new(Verdict::default());
        let whole = paced(Body::from_stream(sent), PATIENCE, max, &verdict).collect().await;
        (whole.is_ok(), verdict.get())
    }

    #[tokio::test]
    async fn a_body_keeps_coming_or_is_cut_off() {
        let ms = Duration::from_millis;
        assert_eq!(read(5, 1000, ms(20), 5000).await, (true, None));
        assert_eq!(read(5, 1000, ms(1), 4999).await, (false, Some(Cut::TooLarge)));
        assert_eq!(read(2, 1000, ms(400), 5000).await, (false, Some(Cut::TooSlow)), "silent");
        assert_eq!(read(50, 1, ms(50), 5000).await, (false, Some(Cut::TooSlow)), "a byte now and then");
    }
}

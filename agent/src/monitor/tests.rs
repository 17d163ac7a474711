//! The glue: effects reach the prober and the sink, sets are exchanged, the task feeds it all.

use std::sync::{Arc, Mutex};

use linewatch_shared::detector::{DetectorConfig, LineState, Moment, Quality};
use linewatch_shared::sample::{LossCause, Outcome, Sample};
use linewatch_shared::time::{Clock, MINUTE_MS, ManualClock, MonoMs, UnixMs};
use tokio::sync::mpsc;

use super::*;

const START: i64 = 1_767_225_600_000;

#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Vec<(u32, u32)>>>);

impl ProbeControl for Asked {
    fn set_interval(&self, target: u32, interval_ms: u32) {
        self.0.lock().unwrap().push((target, interval_ms));
    }
}

#[derive(Default)]
struct Kept {
    changes: Vec<(Moment, LineChange)>,
    minutes: Vec<MinuteBlock>,
}

impl FactSink for Kept {
    fn line_changed(&mut self, occurred: Moment, change: LineChange) {
        self.changes.push((occurred, change));
    }
    fn minute(&mut self, block: MinuteBlock) {
        self.minutes.push(block);
    }
}

fn line(target: u32, code: &str, address: &str) -> MonitorLine {
    let address = Some(address.parse().unwrap());
    MonitorLine { target, code: code.to_owned(), interval_ms: 1_000, address, quality: Quality::default() }
}

fn moment(mono: i64) -> Moment {
    Moment { at: UnixMs(START + mono), mono: MonoMs(mono) }
}

fn sample(target: u32, mono: i64, outcome: Outcome) -> Sample {
    Sample { target, sent_at: UnixMs(START + mono), sent_mono: MonoMs(mono), outcome }
}

fn batch(samples: Vec<Sample>) -> Batch {
    Batch { samples, late: Vec::new() }
}

fn monitor(set: MonitorSet) -> (Monitor<Asked, Kept>, Asked) {
    let asked = Asked::default();
    let mut monitor = Monitor::new(DetectorConfig::default(), asked.clone(), Kept::default()).unwrap();
    monitor.set_lines(set, &NextHops::default(), moment(0)).unwrap();
    (monitor, asked)
}

/// Feeds one sample a second to `target`, with a tick after each.
fn feed(monitor: &mut Monitor<Asked, Kept>, target: u32, seconds: std::ops::Range<i64>, outcome: Outcome) {
    for second in seconds {
        let mono = second * 1_000;
        monitor.on_batch(&batch(vec![sample(target, mono, outcome)]), moment(mono + 20));
        monitor.on_tick(moment(mono + 30));
    }
}

const ANSWER: Outcome = Outcome::Answered { rtt_us: 1_500 };
const LOST: Outcome = Outcome::Lost(LossCause::Timeout);

#[test]
fn a_lost_line_is_told_probed_faster_and_summed_up() {
    let set = MonitorSet { lines: vec![line(3, "L-3", "127.0.0.3")], anchors: Vec::new() };
    let (mut monitor, asked) = monitor(set);
    feed(&mut monitor, 3, 0..20, ANSWER);
    feed(&mut monitor, 3, 20..24, LOST);
    let told: Vec<_> =
        monitor.sink.changes.iter().map(|(at, c)| (at.mono.0, c.line.as_str(), c.state)).collect();
    assert_eq!(told, [(0, "L-3", LineState::Up), (20_000, "L-3", LineState::Down)]);
    assert_eq!(*asked.0.lock().unwrap(), [(3, 250), (3, 1_000)]);
    let view = &monitor.snapshot()[0];
    assert_eq!((view.state, view.since_at, view.recent_lost), (LineState::Down, UnixMs(START + 20_000), 4));
    assert!(monitor.sink.minutes.is_empty());
    feed(&mut monitor, 3, 24..80, ANSWER);
    let minute = &monitor.sink.minutes[0];
    assert_eq!((minute.lines()[0].sent, minute.lines()[0].lost), (60, 4));
    assert_eq!(monitor.uncounted(), 0);
}

#[test]
fn a_new_set_keeps_what_stays_and_forgets_what_went() {
    let both = MonitorSet {
        lines: vec![line(0, "A", "127.0.0.1"), line(1, "B", "127.0.0.2")],
        ..MonitorSet::default()
    };
    let (mut monitor, _) = monitor(both);
    feed(&mut monitor, 0, 0..12, ANSWER);
    let mut slower = line(0, "A", "127.0.0.1");
    slower.interval_ms = 5_000;
    let set = MonitorSet { lines: vec![slower, line(1, "C", "127.0.0.2")], ..MonitorSet::default() };
    monitor.set_lines(set, &NextHops::default(), moment(12_000)).unwrap();
    let views: Vec<_> = monitor.snapshot().into_iter().map(|v| (v.line, v.state)).collect();
    assert_eq!(views, [("A".to_owned(), LineState::Up), ("C".to_owned(), LineState::Unknown)]);
}

#[test]
fn the_carrier_of_the_lines_interface_makes_it_unknown() {
    const ROUTES: &str = "wan7 00000000 010011AC 0003 0 0 100 00000000 0 0 0";
    let set = MonitorSet { lines: vec![line(0, "A", "192.0.2.1")], ..MonitorSet::default() };
    let mut monitor = Monitor::new(DetectorConfig::default(), Asked::default(), Kept::default()).unwrap();
    monitor.set_lines(set, &NextHops::parse(ROUTES, ""), moment(0)).unwrap();
    feed(&mut monitor, 0, 0..12, ANSWER);
    monitor.on_carrier(&CarrierEvent::Down { ifname: "other0".to_owned() }, moment(12_100));
    assert_eq!(monitor.snapshot()[0].state, LineState::Up);
    monitor.on_carrier(&CarrierEvent::Down { ifname: "wan7".to_owned() }, moment(12_200));
    let view = &monitor.snapshot()[0];
    assert_eq!((view.state, view.cause), (LineState::Unknown, Some(UnknownCause::OwnUplink)));
}

#[test]
fn a_target_that_cannot_be_taken_in_is_named_and_the_others_are_watched() {
    let mut monitor = Monitor::new(DetectorConfig::default(), Asked::default(), Kept::default()).unwrap();
    let set = MonitorSet {
        lines: vec![line(u32::MAX, "A", "127.0.0.1"), line(1, "B", "127.0.0.2")],
        ..MonitorSet::default()
    };
    let error = monitor.set_lines(set, &NextHops::default(), moment(0)).unwrap_err();
    assert_eq!(error, TargetError::Number(u32::MAX));
    assert_eq!(monitor.snapshot().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_task_watches_until_its_samples_end() {
    let clock = Arc::new(ManualClock::at(UnixMs(START)));
    let monitor = Monitor::new(DetectorConfig::default(), Asked::default(), Kept::default()).unwrap();
    let (samples, batches) = mpsc::channel(4);
    let (_carrier_sink, carrier) = mpsc::channel(1);
    let (handle, task) = monitor.into_task(MonitorInputs { batches, carrier }, clock.clone());
    let task = tokio::spawn(task);
    let set = MonitorSet { lines: vec![line(0, "A", "127.0.0.1")], ..MonitorSet::default() };
    handle.set_lines(set).await.unwrap().unwrap();
    for second in 0..80 {
        clock.advance(1_000);
        samples.send(batch(vec![sample(0, second * 1_000, ANSWER)])).await.unwrap();
        let seen = handle.snapshot().await.unwrap();
        assert_eq!(seen.len(), 1);
    }
    assert!(clock.now().0 > START + MINUTE_MS);
    drop(samples);
    let kept = task.await.unwrap();
    assert_eq!(kept.changes.len(), 1);
    let probes: u32 = kept.minutes.iter().flat_map(MinuteBlock::lines).map(|l| l.sent).sum();
    assert_eq!((kept.minutes.len(), probes), (2, 80));
    assert_eq!(handle.snapshot().await, Err(task::Ended));
}

//! From the prober's samples to facts: runs the detector and the minute sums for each line.
//!
//! Thin: what is judged and how is in `linewatch_shared::detector` and `::minute`. [`Monitor`] is the part
//! without a thread or a clock; [`task`] feeds it. It never waits for the journal: the [`FactSink`] must not
//! block for long.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

use linewatch_shared::detector::{
    AnchorRole, AnchorSpec, Detector, DetectorConfig, DetectorConfigError, Effect, LineSpec, LineState,
    LineStatus, MAX_UPLINKS, Moment, Quality, TargetError, UnknownCause,
};
use linewatch_shared::facts::LineChange;
use linewatch_shared::minute::{MinuteAccumulator, MinuteBlock};
use linewatch_shared::time::{MonoMs, UnixMs};
use serde::Serialize;

use crate::carrier::CarrierEvent;
use crate::probe::{Batch, ProberHandle};

pub mod nexthop;
pub mod task;
#[cfg(test)]
mod tests;

pub use nexthop::{NextHop, NextHops};
pub use task::{MonitorHandle, MonitorInputs};

/// Changes a target's pace.
pub trait ProbeControl: Send {
    /// From now on this target is probed at this interval.
    fn set_interval(&self, target: u32, interval_ms: u32);
}

impl ProbeControl for std::sync::Arc<ProberHandle> {
    fn set_interval(&self, target: u32, interval_ms: u32) {
        ProberHandle::set_interval(self, target, interval_ms);
    }
}

/// Takes what was found out. Called on the monitor's task: hand on, don't wait.
pub trait FactSink: Send {
    /// A line changed state at `occurred`.
    fn line_changed(&mut self, occurred: Moment, change: LineChange);
    /// A minute is over.
    fn minute(&mut self, block: MinuteBlock);
}

/// A line to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitorLine {
    /// Its number with the prober.
    pub target: u32,
    /// Its code.
    pub code: String,
    /// Its ordinary interval.
    pub interval_ms: u32,
    /// Where it is probed, if that is known: decides by which interface, and whether a gateway lies between.
    pub address: Option<IpAddr>,
    /// What its contract allows before it is degraded.
    pub quality: Quality,
}

/// A target that is asked about lines: the gateway, an outside anchor, another method for a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitorAnchor {
    /// Its number with the prober.
    pub target: u32,
    /// What it is.
    pub role: AnchorRole,
    /// Its ordinary interval, 1 to 5 s.
    pub interval_ms: u32,
    /// Where it is.
    pub address: Option<IpAddr>,
}

/// Everything to watch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MonitorSet {
    /// The lines.
    pub lines: Vec<MonitorLine>,
    /// Those who are asked about them.
    pub anchors: Vec<MonitorAnchor>,
}

/// A line as it is now, for `status` and the local page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LineView {
    /// The line's code.
    pub line: String,
    /// Its state.
    pub state: LineState,
    /// Why it is unknown, if it is.
    pub cause: Option<UnknownCause>,
    /// Up, but losing much.
    pub degraded: bool,
    /// Since when.
    pub since_at: UnixMs,
    /// Round trip of the last answer.
    pub last_rtt_us: Option<u32>,
    /// The last judged probes, 64 at most (about a minute at an interval of one second).
    pub recent_sent: u32,
    /// Lost ones among them.
    pub recent_lost: u32,
}

/// The detector and the minute sums of all lines.
pub struct Monitor<P, S> {
    detector: Detector,
    minutes: MinuteAccumulator,
    lines: HashMap<u32, (String, LineSpec)>,
    anchors: HashMap<u32, AnchorSpec>,
    /// Interfaces by uplink number.
    uplinks: Vec<String>,
    effects: Vec<Effect>,
    uncounted: u64,
    control: P,
    sink: S,
}

impl<P: ProbeControl, S: FactSink> Monitor<P, S> {
    /// A monitor without lines.
    ///
    /// # Errors
    /// When the detector's numbers contradict each other.
    pub fn new(config: DetectorConfig, control: P, sink: S) -> Result<Self, DetectorConfigError> {
        config.check()?;
        Ok(Self {
            detector: Detector::new(config),
            minutes: MinuteAccumulator::new(),
            lines: HashMap::new(),
            anchors: HashMap::new(),
            uplinks: Vec::new(),
            effects: Vec::new(),
            uncounted: 0,
            control,
            sink,
        })
    }

    /// Makes `set` everything that is watched. What stays as it is goes on undisturbed; a changed interval or
    /// route does not forget a line's state. Call it after the prober has got its targets.
    ///
    /// # Errors
    /// The first target that can't be taken in; the others are.
    pub fn set_lines(&mut self, set: MonitorSet, hops: &NextHops, now: Moment) -> Result<(), TargetError> {
        let mut first_error = Ok(());
        let (mut lines, mut anchors) = (HashMap::new(), HashMap::new());
        for line in set.lines {
            let (uplink, on_link) = self.uplink_of(line.address, hops);
            let spec = LineSpec { interval_ms: line.interval_ms, uplink, on_link, quality: line.quality };
            lines.insert(line.target, (line.code, spec));
        }
        for anchor in set.anchors {
            let (uplink, _) = self.uplink_of(anchor.address, hops);
            let spec = AnchorSpec { role: anchor.role, interval_ms: anchor.interval_ms, uplink };
            anchors.insert(anchor.target, spec);
        }
        self.drop_others(&lines, &anchors);
        for (&target, (_, spec)) in &lines {
            let added = match self.lines.get(&target) {
                Some((_, known)) => {
                    if known != spec {
                        self.detector.change_line(target, *spec, &mut self.effects);
                    }
                    Ok(())
                }
                None => self.detector.add_line(target, *spec, now, &mut self.effects),
            };
            first_error = first_error.and(added);
        }
        for (&target, &spec) in &anchors {
            if !self.anchors.contains_key(&target) {
                first_error = first_error.and(self.detector.add_anchor(target, spec));
            }
        }
        (self.lines, self.anchors) = (lines, anchors);
        self.detector.repeat_intervals(&mut self.effects);
        self.obey();
        first_error
    }

    /// Forgets the targets that are gone, have another line's code, or are another kind of anchor.
    fn drop_others(&mut self, lines: &HashMap<u32, (String, LineSpec)>, anchors: &HashMap<u32, AnchorSpec>) {
        let detector = &mut self.detector;
        self.lines.retain(|target, (code, _)| {
            let stays = lines.get(target).is_some_and(|(new_code, _)| new_code == code);
            if !stays {
                detector.remove(*target);
            }
            stays
        });
        self.anchors.retain(|target, spec| {
            let stays = anchors.get(target) == Some(spec);
            if !stays {
                detector.remove(*target);
            }
            stays
        });
    }

    /// The uplink by which an address is reached, and whether it is a neighbour. A name that is not resolved
    /// yet is taken to be reached by the default route.
    fn uplink_of(&mut self, address: Option<IpAddr>, hops: &NextHops) -> (u8, bool) {
        let Some(hop) = hops.to(address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))) else {
            return (0, false);
        };
        let at = self.uplinks.iter().position(|known| *known == hop.ifname).unwrap_or_else(|| {
            self.uplinks.push(hop.ifname.clone());
            self.uplinks.len() - 1
        });
        // More interfaces than are told apart share the last number.
        (at.min(usize::from(MAX_UPLINKS) - 1) as u8, hop.gateway.is_none())
    }

    /// Takes a batch of samples.
    pub fn on_batch(&mut self, batch: &Batch, now: Moment) {
        for sample in &batch.samples {
            self.detector.on_sample(sample, now, &mut self.effects);
            if self.lines.contains_key(&sample.target) && !self.minutes.add(sample) {
                self.uncounted += 1;
            }
        }
        for late in &batch.late {
            self.minutes.add_late(late);
        }
        self.obey();
    }

    /// One of the machine's interfaces lost or found its carrier.
    pub fn on_carrier(&mut self, event: &CarrierEvent, now: Moment) {
        let (ifname, is_up) = match event {
            CarrierEvent::Up { ifname } => (ifname, true),
            CarrierEvent::Down { ifname } => (ifname, false),
        };
        let told_apart = usize::from(MAX_UPLINKS) - 1;
        if let Some(at) = self.uplinks.iter().position(|known| known == ifname).filter(|&at| at < told_apart)
        {
            self.detector.set_carrier(at as u8, is_up, now, &mut self.effects);
            self.obey();
        }
    }

    /// Looks for gaps and finished minutes.
    pub fn on_tick(&mut self, now: Moment) {
        self.detector.on_tick(now, &mut self.effects);
        self.obey();
        let lines = &self.lines;
        let code = |target: u32| lines.get(&target).map(|(code, _)| code.as_str());
        while let Some(block) = self.minutes.cut(now.at, code) {
            self.sink.minute(block);
        }
    }

    /// Hands on the minutes that are not over: the program ends.
    pub fn finish(&mut self) {
        let lines = &self.lines;
        let code = |target: u32| lines.get(&target).map(|(code, _)| code.as_str());
        while let Some(block) = self.minutes.finish(code) {
            self.sink.minute(block);
        }
    }

    /// When to call [`Monitor::on_tick`] next.
    pub fn next_wake(&self) -> MonoMs {
        self.detector.next_wake()
    }

    /// Samples that fell into no open minute.
    pub const fn uncounted(&self) -> u64 {
        self.uncounted
    }

    /// The lines as they are now, by code.
    pub fn snapshot(&self) -> Vec<LineView> {
        let view = |(target, (code, _)): (&u32, &(String, LineSpec))| {
            let LineStatus { state, cause, degraded, since_at, last_rtt_us, sent, lost } =
                self.detector.status(*target)?;
            let (recent_sent, recent_lost) = (sent, lost);
            let line = code.clone();
            Some(LineView { line, state, cause, degraded, since_at, last_rtt_us, recent_sent, recent_lost })
        };
        let mut views: Vec<LineView> = self.lines.iter().filter_map(view).collect();
        views.sort_unstable_by(|a, b| a.line.cmp(&b.line));
        views
    }

    fn obey(&mut self) {
        for effect in self.effects.drain(..) {
            match effect {
                Effect::SetInterval { target, interval_ms } => self.control.set_interval(target, interval_ms),
                Effect::Changed(change) => {
                    let Some((code, _)) = self.lines.get(&change.target) else { continue };
                    let line = code.clone();
                    let fact = LineChange { line, state: change.to, evidence: change.evidence };
                    self.sink.line_changed(change.occurred, fact);
                }
            }
        }
    }
}

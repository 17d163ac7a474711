//! Lines that are watched, and what is measured of them in a minute.

use linewatch_shared::minute::{LineMinute, RttSummary};

use crate::harness::Seed;

/// Probes of one line in a minute.
const PROBES: u32 = 60;

/// Some lines, and the chance that makes their figures: the same each time.
pub struct Lines {
    noise: Noise,
    all: Vec<Watched>,
}

impl Lines {
    /// So many.
    #[must_use]
    pub fn draw(count: usize) -> Self {
        let mut noise = Noise(Seed::of(1));
        let all = (0..count).map(|n| Watched::draw(n, &mut noise)).collect();
        Self { noise, all }
    }

    /// How many they are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// The next minute of each.
    pub fn minute(&mut self) -> Vec<LineMinute> {
        self.all.iter().map(|line| line.minute(&mut self.noise)).collect()
    }
}

/// Chance for figures.
struct Noise(Seed);

impl Noise {
    fn unit(&mut self) -> f64 {
        self.0.below(1 << 53) as f64 / (1_u64 << 53) as f64
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }
}

/// A line: round trips of 2 to 40 ms, queueing of 50 to 800 µs on average on top, at a resolution of 1 µs; every tenth
/// line loses one packet in a hundred.
struct Watched {
    code: String,
    base_us: f64,
    queue_us: f64,
    loses: bool,
}

impl Watched {
    fn draw(n: usize, noise: &mut Noise) -> Self {
        let (base_us, queue_us) = (2_000.0 + 38_000.0 * noise.unit(), 50.0 + 750.0 * noise.unit());
        Self { code: format!("SZ-{:07}", 31_000 + n * 7), base_us, queue_us, loses: n.is_multiple_of(10) }
    }

    fn minute(&self, noise: &mut Noise) -> LineMinute {
        let (mut lost, mut run, mut longest_run) = (0, 0, 0);
        let mut rtts: Vec<u32> = Vec::with_capacity(PROBES as usize);
        for _ in 0..PROBES {
            if self.loses && noise.unit() < 0.01 {
                (lost, run) = (lost + 1, run + 1);
                longest_run = run.max(longest_run);
            } else {
                run = 0;
                rtts.push((self.base_us + noise.exponential(self.queue_us)) as u32);
            }
        }
        let answered = rtts.len() as u32;
        let steps: u32 = rtts.windows(2).map(|pair| pair[0].abs_diff(pair[1])).sum();
        let rtt = rtts.iter().min().zip(rtts.iter().max()).map(|(min_us, max_us)| RttSummary {
            min_us: *min_us,
            avg_us: rtts.iter().sum::<u32>() / answered,
            max_us: *max_us,
            jitter_us: steps / (answered - 1).max(1),
        });
        LineMinute { line: self.code.clone(), sent: PROBES, lost, late: 0, not_sent: 0, longest_run, rtt }
    }
}

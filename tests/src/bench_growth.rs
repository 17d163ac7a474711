//! How what something takes grows with what there is: points of a curve, and its slope on axes whose steps are powers of ten.
//! A slope of 0 is flat, 1 is in proportion, 2 is the square.

use anyhow::Result;

use crate::bench::{Row, figures, say};

/// Times of one path at several sizes.
#[derive(Clone, Debug, Default)]
pub struct Growth {
    /// What is done.
    pub path: String,
    /// The slope that it must not be above.
    pub goal: f64,
    /// How much there is, as multiples of the least; what it took (ms).
    pub points: Vec<[f64; 2]>,
    /// What was counted each time, for people.
    pub counted: Vec<String>,
}

impl Growth {
    /// The slope of the straight line that fits the points best, on logarithmic axes.
    #[must_use]
    pub fn slope(&self) -> f64 {
        let logs: Vec<[f64; 2]> =
            self.points.iter().map(|[size, took]| [size.log10(), took.max(0.001).log10()]).collect();
        let count = logs.len() as f64;
        let [x, y] = [0, 1].map(|axis| logs.iter().map(|log| log[axis]).sum::<f64>() / count);
        let along = logs.iter().map(|log| (log[0] - x) * (log[1] - y)).sum::<f64>();
        let across = logs.iter().map(|log| (log[0] - x).powi(2)).sum::<f64>();
        if across > 0.0 { along / across } else { 0.0 }
    }

    /// Says it, and keeps it for the page and its plot.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn tell(&self) -> Result<()> {
        let slope = self.slope();
        let times: Vec<_> = self.points.iter().map(|[_, took]| figures(*took)).collect();
        let row = Row::at_most(&self.path, slope.max(0.0), self.goal, "slope");
        let row = Row { points: self.points.clone(), ..row.beside(format!("{} ms", times.join(", "))) };
        row.tell()?;
        if !self.counted.is_empty() {
            say(format!("    {}", self.counted.join("; ")))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Growth;

    #[test]
    fn a_slope_is_the_exponent() {
        for exponent in [0.0, 0.5, 1.0, 2.0] {
            let points = [1.0, 10.0, 100.0].map(|size: f64| [size, 3.0 * size.powf(exponent)]).to_vec();
            let growth = Growth { points, ..Growth::default() };
            assert!((growth.slope() - exponent).abs() < 1e-9, "{}", growth.slope());
        }
    }
}

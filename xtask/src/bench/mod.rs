//! Figures of our own program beside those of its peers, measured in one run: `cargo xtask bench [name]`.
//!
//! An absolute figure from another machine, or from another hour of this one, proves nothing; the ratio does.

mod fleet;
pub(crate) mod sol;
pub(crate) mod sweep;
pub(crate) mod tftp;

/// One measurement of ours and the same of a peer.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    /// What was measured, for people.
    pub(crate) name: String,
    /// Our figure.
    pub(crate) ours: f64,
    /// What both figures are in, such as `MB/s`.
    pub(crate) unit: &'static str,
    /// The program the other figure is of.
    pub(crate) peer: String,
    /// Its figure. `None`: it did not manage.
    pub(crate) theirs: Option<f64>,
    /// Whether a large figure is a good one.
    pub(crate) better: Better,
}

/// A measurement of ours without a peer, and the most it may be.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    /// What was measured, for people.
    pub(crate) name: String,
    /// Our figure.
    pub(crate) ours: f64,
    /// What it is in; may be empty.
    pub(crate) unit: &'static str,
    /// The goal.
    pub(crate) most: f64,
}

/// Which of two figures is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Better {
    Higher,
    Lower,
}

impl Figure {
    /// How many times better ours is: more than 1 is better whatever the unit.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let theirs = self.theirs?;
        Some(match self.better {
            Better::Higher => self.ours / theirs,
            Better::Lower => theirs / self.ours,
        })
    }
}

/// Prints one line for each figure.
pub(crate) fn print(figures: &[Figure]) {
    for line in lines(figures) {
        println!("{line}");
    }
}

/// Prints one line for each bound.
pub(crate) fn print_bounds(bounds: &[Bound]) {
    let width = bounds.iter().map(|bound| bound.name.chars().count()).max().unwrap_or(0);
    for Bound { name, ours, unit, most } in bounds {
        let verdict = if ours <= most { "met" } else { "MISSED" };
        println!("{name:width$}  ours {:>8} {unit:<5}  goal at most {most} {unit}  {verdict}", number(*ours));
    }
}

fn lines(figures: &[Figure]) -> Vec<String> {
    let width = |text: fn(&Figure) -> &str| figures.iter().map(|figure| text(figure).chars().count()).max().unwrap_or(0);
    let (name, peer) = (width(|figure| &figure.name), width(|figure| &figure.peer));
    let line = |figure: &Figure| {
        let theirs = figure.theirs.map_or_else(|| "failed".to_owned(), number);
        let ratio = figure.ratio().map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
        let (ours, unit) = (number(figure.ours), figure.unit);
        format!("{:name$}  ours {ours:>8} {unit:<5}  {:peer$} {theirs:>8} {unit:<5}  ratio {ratio}", figure.name, figure.peer)
    };
    figures.iter().map(line).collect()
}

/// Three digits that mean something.
fn number(value: f64) -> String {
    let decimals = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else if value >= 1.0 {
        2
    } else {
        3
    };
    format!("{value:.decimals$}")
}

/// The middle one; of an even count the lower of the two in the middle. `None` of nothing.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(better: Better, theirs: Option<f64>) -> Figure {
        Figure { name: "work".into(), ours: 20.0, unit: "x", peer: "peer".into(), theirs, better }
    }

    #[test]
    fn more_than_one_is_better_whatever_the_unit() {
        assert_eq!(figure(Better::Higher, Some(10.0)).ratio(), Some(2.0));
        assert_eq!(figure(Better::Lower, Some(10.0)).ratio(), Some(0.5));
        assert_eq!(figure(Better::Lower, None).ratio(), None);
    }

    #[test]
    fn one_line_for_each_figure() {
        let lines = lines(&[figure(Better::Higher, Some(0.1234)), figure(Better::Lower, None)]);
        assert_eq!(lines[0], "work  ours     20.0 x      peer    0.123 x      ratio 162.07");
        assert_eq!(lines[1], "work  ours     20.0 x      peer   failed x      ratio -");
    }

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.0));
        assert_eq!(median(vec![]), None);
    }
}

//! How alike a person and a detection are.

use super::sum::mean;

/// What similarity to a person, or to a region in which people are not told apart, is measured by.
#[derive(Debug, Clone, Copy)]
pub(super) enum Measured<'a> {
    /// Joints: places `[K]` px, and whether each is annotated. At least one is.
    Joints(&'a [[f64; 2]], &'a [bool]),
    /// A box `[x, y, width, height]`, px: no joint is annotated.
    Box([f64; 4]),
    /// It may be anywhere in the picture.
    Anywhere,
}

/// The similarity of each joint of a detection to that of a person, with the spreads of the joints.
#[derive(Debug)]
pub(super) struct Similarity {
    /// (2 sigma)², `[K]`.
    variances: Vec<f64>,
    /// Similarities of the last comparison, of the joints that were compared.
    terms: Vec<f64>,
}

impl Similarity {
    pub(super) fn new(sigmas: &[f64]) -> Self {
        let variance = |sigma: &f64| (sigma * 2.0) * (sigma * 2.0);
        Self { variances: sigmas.iter().map(variance).collect(), terms: Vec::new() }
    }

    /// The mean over the annotated joints of exp(-d² / (2 · area · (2 sigma)²)), d the distance in px of the `detected`
    /// joint, `[K]`; where none is annotated, over all joints, d the distance from a box three times as wide and high about
    /// the same middle.
    ///
    /// Source: `COCOeval.computeOks` of `pycocotools`, whose order of operations this is. The exponential function may differ
    /// from that of `numpy` in the last bit, as that does between machines.
    pub(super) fn of(&mut self, truth: Measured<'_>, area: f64, detected: &[[f64; 2]]) -> f64 {
        self.terms.clear();
        let area = area + f64::EPSILON;
        let term =
            |dx: f64, dy: f64, variance: f64| libm::exp(-((dx * dx + dy * dy) / variance / area / 2.0));
        let joints = detected.iter().zip(&self.variances);
        match truth {
            Measured::Anywhere => return 1.0,
            Measured::Joints(places, annotated) => self.terms.extend(
                joints.zip(places.iter().zip(annotated)).filter(|(_, (_, annotated))| **annotated).map(
                    |((point, variance), (place, _))| {
                        term(point[0] - place[0], point[1] - place[1], *variance)
                    },
                ),
            ),
            Measured::Box([x, y, width, height]) => {
                let outside =
                    |value: f64, low: f64, high: f64| (low - value).max(0.0) + (value - high).max(0.0);
                self.terms.extend(joints.map(|([px, py], variance)| {
                    let dx = outside(*px, x - width, x + width * 2.0);
                    term(dx, outside(*py, y - height, y + height * 2.0), *variance)
                }));
            }
        }
        mean(&self.terms)
    }

    /// The similarities of the joints that the last call compared.
    pub(super) fn terms(&self) -> &[f64] {
        &self.terms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_annotated_joints_count_and_a_variance_away_is_one_over_e() {
        let mut similarity = Similarity::new(&[0.5, 0.1, 0.1]);
        let places = [[0.0, 0.0], [10.0, 10.0], [0.0, 0.0]];
        // d² = 2 · area · (2 sigma)² for the first joint.
        let far = libm::sqrt(2.0 * 100.0);
        let detected = [[far, 0.0], [10.0, 10.0], [500.0, 0.0]];
        let of = similarity.of(Measured::Joints(&places, &[true, true, false]), 100.0, &detected);
        assert!((of - f64::midpoint(1.0, libm::exp(-1.0))).abs() < 1e-12);
        assert_eq!(similarity.terms().len(), 2);
    }

    #[test]
    fn twice_the_box_is_like_a_region() {
        let mut similarity = Similarity::new(&[0.1]);
        let region = Measured::Box([10.0, 10.0, 4.0, 4.0]);
        assert_eq!(similarity.of(region, 16.0, &[[6.0, 18.0]]), 1.0);
        assert!(similarity.of(region, 16.0, &[[5.0, 18.0]]) < 1.0);
        assert_eq!(similarity.of(Measured::Anywhere, 16.0, &[[1e9, 0.0]]), 1.0);
    }
}

//! Affine maps between pixel spaces, composed in `f64`.

/// A 2x3 affine map `[a b tx; c d ty]` of pixel coordinates.
///
/// Values are named by the spaces they join, target first: `crop_from_image` maps a point of the image to the
/// crop, and spaces cancel when maps are composed: `crop_from_image = crop_from_person * person_from_image`.
///
/// ```
/// use schemas::Affine;
/// let crop_from_image = Affine::scale(2.0) * Affine::translation(-10.0, -20.0);
/// assert_eq!(crop_from_image.apply([11.0, 22.0]), [2.0, 4.0]);
/// let image_from_crop = crop_from_image.inverse().unwrap();
/// assert_eq!(image_from_crop.apply([2.0, 4.0]), [11.0, 22.0]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine(pub [f64; 6]);

impl Affine {
    /// The map that changes nothing.
    pub const IDENTITY: Self = Self([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);

    /// Moves by (`dx`, `dy`) px.
    pub fn translation(dx: f64, dy: f64) -> Self {
        Self([1.0, 0.0, dx, 0.0, 1.0, dy])
    }

    /// Multiplies both coordinates by `factor`, about the origin.
    pub fn scale(factor: f64) -> Self {
        Self([factor, 0.0, 0.0, 0.0, factor, 0.0])
    }

    /// Turns by `radians` about the origin. Since y points down, a positive angle turns clockwise on screen.
    pub fn rotation(radians: f64) -> Self {
        let (sin, cos) = (libm::sin(radians), libm::cos(radians));
        Self([cos, -sin, 0.0, sin, cos, 0.0])
    }

    /// Mirrors left and right in a raster `width` px wide: x becomes `width - 1 - x`.
    pub fn mirror(width: f64) -> Self {
        Self([-1.0, 0.0, width - 1.0, 0.0, 1.0, 0.0])
    }

    /// This map, applied about `point` instead of about the origin.
    #[must_use]
    pub fn about(self, point: [f64; 2]) -> Self {
        Self::translation(point[0], point[1]) * self * Self::translation(-point[0], -point[1])
    }

    /// The image of `point`.
    pub fn apply(&self, point: [f64; 2]) -> [f64; 2] {
        let [a, b, tx, c, d, ty] = self.0;
        [a * point[0] + b * point[1] + tx, c * point[0] + d * point[1] + ty]
    }

    /// Determinant of the linear part; negative when the map mirrors.
    pub fn determinant(&self) -> f64 {
        let [a, b, _, c, d, _] = self.0;
        a * d - b * c
    }

    /// How much the map enlarges lengths, as the square root of how much it enlarges areas.
    pub fn magnification(&self) -> f64 {
        libm::sqrt(libm::fabs(self.determinant()))
    }

    /// The map back, or `None` where this one is singular or not finite.
    pub fn inverse(&self) -> Option<Self> {
        let [a, b, tx, c, d, ty] = self.0;
        let determinant = self.determinant();
        if !determinant.is_normal() || !self.0.iter().all(|value| value.is_finite()) {
            return None;
        }
        let (ia, ib, ic, id) = (d / determinant, -b / determinant, -c / determinant, a / determinant);
        Some(Self([ia, ib, -(ia * tx + ib * ty), ic, id, -(ic * tx + id * ty)]))
    }
}

impl std::ops::Mul for Affine {
    type Output = Self;

    /// The map that applies `inner` first, then `self`.
    fn mul(self, inner: Self) -> Self {
        let [a, b, tx, c, d, ty] = self.0;
        let [p, q, ux, r, s, uy] = inner.0;
        Self([
            a * p + b * r,
            a * q + b * s,
            a * ux + b * uy + tx,
            c * p + d * r,
            c * q + d * s,
            c * ux + d * uy + ty,
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn map() -> impl Strategy<Value = Affine> {
        (0.1..8.0f64, -3.2..3.2f64, -500.0..500.0f64, -500.0..500.0f64, any::<bool>()).prop_map(
            |(factor, radians, dx, dy, mirrored)| {
                let flip = if mirrored { Affine::mirror(256.0) } else { Affine::IDENTITY };
                flip * Affine::scale(factor) * Affine::rotation(radians) * Affine::translation(dx, dy)
            },
        )
    }

    proptest! {
        #[test]
        fn a_map_times_its_inverse_is_the_identity(map in map(), x in -1e3..1e3f64, y in -1e3..1e3f64) {
            let back = (map.inverse().unwrap() * map).apply([x, y]);
            prop_assert!((back[0] - x).abs() < 1e-8 && (back[1] - y).abs() < 1e-8);
        }

        #[test]
        fn composition_is_application_in_turn(outer in map(), inner in map(), x in -1e3..1e3f64, y in -1e3..1e3f64) {
            let at_once = (outer * inner).apply([x, y]);
            let in_turn = outer.apply(inner.apply([x, y]));
            prop_assert!((at_once[0] - in_turn[0]).abs() < 1e-7 && (at_once[1] - in_turn[1]).abs() < 1e-7);
        }

        #[test]
        fn mirroring_twice_is_the_identity(width in 1.0..4096.0f64, x in -1e3..1e3f64) {
            let twice = (Affine::mirror(width) * Affine::mirror(width)).apply([x, 3.0]);
            prop_assert!((twice[0] - x).abs() < 1e-9 && twice[1] == 3.0);
        }
    }

    #[test]
    fn a_singular_map_has_no_inverse() {
        assert!(Affine::scale(0.0).inverse().is_none());
        assert!(Affine::translation(f64::NAN, 0.0).inverse().is_none());
    }

    #[test]
    fn magnification_ignores_rotation_and_mirror() {
        let map = Affine::mirror(10.0) * Affine::scale(3.0) * Affine::rotation(0.7);
        assert!((map.magnification() - 3.0).abs() < 1e-12);
    }
}

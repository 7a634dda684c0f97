//! What a person wears, and how to tell the left side from the right.
//!
//! Colours are random, but two cues are always the same, so that a network can learn left from right: garments are
//! lighter on the left limbs than on the right ones, and every left limb wears a bright stripe along its length.

use schemas::random::KeyedRandom;

use super::body::LEFT;

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// How much of white the left garments take up.
const LEFT_LIGHTER: f64 = 0.28;
/// How much of black the right garments take up.
const RIGHT_DARKER: f64 = 0.34;

/// The colours of one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wardrobe {
    /// Face, hands, bare arms and legs.
    pub skin: Rgb,
    /// Hair.
    pub hair: Rgb,
    /// Trunk and sleeves.
    pub shirt: Rgb,
    /// Hips and legs.
    pub trousers: Rgb,
    /// Shoes.
    pub shoes: Rgb,
    /// The stripe of the left limbs.
    pub stripe: Rgb,
    /// The bands across the chest, if there are any.
    pub bands: Option<Rgb>,
    /// Whether sleeves reach the wrists.
    pub long_sleeves: bool,
    /// Whether trousers reach the ankles.
    pub long_trousers: bool,
    /// Whether hair falls to the shoulders.
    pub long_hair: bool,
}

/// Human skin, from light to dark.
const SKINS: [Rgb; 6] =
    [[241, 205, 178], [228, 184, 148], [203, 152, 112], [168, 116, 80], [126, 82, 54], [88, 56, 40]];
/// Human hair.
const HAIRS: [Rgb; 6] =
    [[28, 22, 20], [62, 42, 30], [104, 70, 42], [172, 128, 70], [206, 178, 120], [150, 148, 146]];
/// Stripes: white, yellow, light cyan.
const STRIPES: [Rgb; 3] = [[250, 250, 246], [252, 226, 64], [170, 244, 250]];

impl Wardrobe {
    /// Somebody's clothes.
    pub fn draw(random: &mut KeyedRandom) -> Self {
        let jitter = |colour: Rgb, random: &mut KeyedRandom| {
            let shift = random.uniform(-12.0, 12.0);
            colour.map(|level| (f64::from(level) + shift).clamp(0.0, 255.0) as u8)
        };
        let skin = SKINS[random.index(SKINS.len())];
        let hair = HAIRS[random.index(HAIRS.len())];
        let bands = random.happens(0.3);
        Self {
            skin: jitter(skin, random),
            hair: jitter(hair, random),
            shirt: cloth(random),
            trousers: cloth(random),
            shoes: cloth(random),
            stripe: STRIPES[random.index(STRIPES.len())],
            bands: bands.then(|| cloth(random)),
            long_sleeves: random.happens(0.55),
            long_trousers: random.happens(0.65),
            long_hair: random.happens(0.4),
        }
    }

    /// `garment` as it looks on the limbs of `side`.
    pub fn sided(garment: Rgb, side: usize) -> Rgb {
        if side == LEFT { mix(garment, [255; 3], LEFT_LIGHTER) } else { mix(garment, [0; 3], RIGHT_DARKER) }
    }
}

/// A colour of cloth: any hue, neither white nor black.
fn cloth(random: &mut KeyedRandom) -> Rgb {
    let saturation = random.uniform(0.15, 0.85);
    from_hsv(random.unit(), saturation, random.uniform(0.35, 0.85))
}

/// A colour from hue, saturation and value, each 0 to 1.
pub fn from_hsv(hue: f64, saturation: f64, value: f64) -> Rgb {
    let channel = |offset: f64| {
        let sector = (offset + hue * 6.0) % 6.0;
        let share = sector.min(4.0 - sector).clamp(0.0, 1.0);
        (255.0 * value * (1.0 - saturation * share)) as u8
    };
    [channel(5.0), channel(3.0), channel(1.0)]
}

/// `share` of `other` in `colour`.
pub fn mix(colour: Rgb, other: Rgb, share: f64) -> Rgb {
    std::array::from_fn(|channel| {
        (f64::from(colour[channel]) * (1.0 - share) + f64::from(other[channel]) * share).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::body::RIGHT;

    #[test]
    fn hues_are_where_they_should_be() {
        assert_eq!(from_hsv(0.0, 1.0, 1.0), [255, 0, 0]);
        assert_eq!(from_hsv(1.0 / 3.0, 1.0, 1.0), [0, 255, 0]);
        assert_eq!(from_hsv(2.0 / 3.0, 1.0, 1.0), [0, 0, 255]);
        assert_eq!(from_hsv(0.4, 0.0, 0.5), [127, 127, 127]);
    }

    #[test]
    fn left_garments_are_always_the_lighter_ones() {
        for copy in 0..200 {
            let wardrobe = Wardrobe::draw(&mut KeyedRandom::new(5, "wardrobe", "test", copy));
            for garment in [wardrobe.shirt, wardrobe.trousers, wardrobe.shoes] {
                let light = |side| Wardrobe::sided(garment, side).iter().map(|v| u32::from(*v)).sum::<u32>();
                assert!(light(LEFT) > light(RIGHT) + 90, "{garment:?}");
            }
        }
    }
}

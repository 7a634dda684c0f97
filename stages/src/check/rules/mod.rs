//! One rule per file; this list builds each from its thresholds and what the survey knows.

mod base_pixel;
mod duplicate_person;
mod duplicate_picture;
mod few_joints;
mod head_size;
mod leak;
mod left_right;
mod limb_length;
mod near;
mod out_of_image;
mod person_scale;
mod picture_size;
mod visibility;

use super::config::CheckConfig;
use super::pictures::Alike;
use super::rule::Rule;
use super::seen::Inspect;
use super::survey::Survey;

/// The rule `rule`, ready to look at every person.
pub(super) fn inspector<'a>(
    rule: Rule,
    config: &CheckConfig,
    survey: &'a Survey,
    alike: &'a Alike<'a>,
) -> Box<dyn Inspect + 'a> {
    match rule {
        Rule::Visibility => Box::new(visibility::Visibilities),
        Rule::FewJoints => Box::new(few_joints::FewJoints { least: config.least_joints.get() }),
        Rule::OutOfImage => Box::new(out_of_image::OutOfImage { margin_px: config.margin_px.get() }),
        Rule::PictureSize => Box::new(picture_size::PictureSize),
        Rule::LeftRight => Box::new(left_right::LeftRight {
            least_width: config.inversion_width.get(),
            most_ratio: config.crossed_limbs.get(),
        }),
        Rule::HeadSize => Box::new(head_size::HeadSize { most_sigmas: config.head_sigma.get() }),
        Rule::PersonScale => Box::new(person_scale::PersonScale { most_sigmas: config.scale_sigma.get() }),
        Rule::LimbLength => Box::new(limb_length::LimbLength { most_sigmas: config.limb_sigma.get() }),
        Rule::DuplicatePerson => {
            Box::new(duplicate_person::DuplicatePerson::new(config.duplicate_distance.get()))
        }
        Rule::BasePixel => Box::new(base_pixel::BasePixel::default()),
        Rule::Leak => Box::new(leak::Leaks::new(&survey.images, alike, config.picture_bits)),
        Rule::DuplicatePicture => {
            Box::new(duplicate_picture::DuplicatePicture::new(&survey.images, alike, config.picture_bits))
        }
    }
}

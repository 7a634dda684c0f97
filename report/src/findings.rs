//! Findings of a check as pictures: the person with the joint ringed, the other person or picture beside it.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use image::RgbImage;
use rayon::prelude::*;
use schemas::Skeleton;
use schemas::tables::findings::Finding;
use schemas::tables::people::Person;
use schemas::tables::rejects::Reject;

use super::error::ReportError;
use super::layout::{self, Group};
use super::picture;
use super::pose::{self, Style, draw};
use super::sheet::Sheet;
use super::tile::window_of;
use stages::check::Rule;

/// Findings of each rule that a gallery shows unless asked otherwise: one row of a wide screen.
pub const DEFAULT_SHOWN: usize = 8;
/// The most findings of each rule: beyond, no page holds them.
pub const MOST_SHOWN: usize = 200;
/// The ring about a joint: vermilion, of the same eight colours as the sides.
pub const RING: [u8; 3] = [213, 94, 0];
/// Radius of the ring relative to the tile's side.
const RING_RADIUS: f32 = 0.045;
/// Width of the ring relative to the tile's side.
const RING_WIDTH: f32 = 0.012;

/// A finding with the people that it is about.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// What was found.
    pub finding: &'a Finding,
    /// The person.
    pub person: &'a Person,
    /// The other one, of a duplicate or a leak.
    pub other: Option<&'a Person>,
}

/// Up to `each` findings of every rule, the clearest first, at most one a person; those about whole data sets are not
/// among them.
pub fn clearest(findings: &[Finding], each: usize) -> Vec<&Finding> {
    let mut by_rule: BTreeMap<Option<usize>, Vec<&Finding>> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.sample_id.is_some()) {
        let place = Rule::ALL.iter().position(|rule| rule.name() == finding.rule);
        by_rule.entry(place).or_default().push(finding);
    }
    let mut all = Vec::new();
    for of_rule in by_rule.values_mut() {
        // The sort is stable: what is equally clear stays in the order of the table.
        of_rule.sort_by(|a, b| a.severity.cmp(&b.severity).then(clarity(b).total_cmp(&clarity(a))));
        let mut seen = HashSet::new();
        all.extend(of_rule.iter().filter(|finding| seen.insert(&finding.sample_id)).take(each).copied());
    }
    all
}

/// The larger, the clearer: small numbers of joints and small distances are clear, as are large lengths.
fn clarity(finding: &Finding) -> f64 {
    let value = finding.value.unwrap_or(0.0);
    let small = [Rule::FewJoints, Rule::DuplicatePerson, Rule::Leak, Rule::DuplicatePicture];
    if small.iter().any(|rule| rule.name() == finding.rule) { -value } else { value }
}

/// One finding drawn, or why it could not be.
pub type Drawn = Result<Vec<RgbImage>, String>;

/// The tiles of each of `shown`, in parallel; relative image paths start from `images`.
///
/// Where the picture is missing the skeleton stands on a plain ground.
pub fn drawn(skeleton: &Skeleton, shown: &[Shown<'_>], images: Option<&Path>, tile_px: u32) -> Vec<Drawn> {
    shown.par_iter().map(|one| tiles(skeleton, one, images, tile_px)).collect()
}

/// The page of `shown`: above each tile the person's id, below it rule, joint and value. A second picture has a tile of
/// its own.
///
/// A finding without picture and without joints is a reject.
///
/// # Errors
/// When the words make no valid SVG, which is a bug.
pub fn findings_sheet(
    skeleton: &Skeleton,
    shown: &[Shown<'_>],
    images: Option<&Path>,
    tile_px: u32,
) -> Result<Sheet, ReportError> {
    let (mut groups, mut rejects, mut drawn_findings) = (Vec::new(), Vec::new(), 0);
    for (one, drawn) in shown.iter().zip(drawn(skeleton, shown, images, tile_px)) {
        match drawn {
            Ok(tiles) => {
                let captions = [in_short(one.finding), "the other picture".to_owned()];
                let people = [Some(one.person), one.other].into_iter().flatten();
                for ((tile, person), caption) in tiles.into_iter().zip(people).zip(captions) {
                    groups.push(Group { tiles: vec![tile], name: person.sample_id.clone(), caption });
                }
                drawn_findings += 1;
            }
            Err(detail) => rejects.push(Reject {
                stage: "findings sheet".to_owned(),
                reason: "image not readable".to_owned(),
                sample_id: one.finding.sample_id.clone(),
                source_file: one.finding.source_file.clone(),
                source_record: one.finding.source_record.clone(),
                detail,
                rows: 1,
            }),
        }
    }
    Ok(Sheet { picture: layout::page(&groups, tile_px, None)?, drawn: drawn_findings, rejects })
}

/// Rule, joint and value in a few letters.
fn in_short(finding: &Finding) -> String {
    let value = finding.value.map(|value| format!("{value:.1}"));
    let parts = [Some(finding.rule.clone()), finding.joint.clone(), value];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn tiles(skeleton: &Skeleton, shown: &Shown<'_>, images: Option<&Path>, tile_px: u32) -> Drawn {
    let read = |person: &Person| picture::read(&person.image_path, images, person.image_size);
    let beside = [Rule::Leak, Rule::DuplicatePicture].iter().any(|rule| rule.name() == shown.finding.rule);
    if beside {
        let people = [Some(shown.person), shown.other].into_iter().flatten();
        return people
            .map(|person| {
                let picture = read(person)?;
                let (mut tile, map) = picture::tile(&picture, picture::whole(&picture), tile_px);
                draw(&mut tile, skeleton, &person.pose, &map, Style::Bold);
                Ok(tile)
            })
            .collect();
    }
    let pose = &shown.person.pose;
    let ground = match read(shown.person) {
        Ok(picture) => picture,
        // The skeleton alone says enough.
        Err(_) if pose.annotated() > 0 => RgbImage::new(0, 0),
        Err(detail) => return Err(detail),
    };
    let poses: Vec<_> = [Some(pose), shown.other.map(|other| &other.pose)].into_iter().flatten().collect();
    let window = window_of(&poses, &ground);
    let (mut tile, map) = picture::tile(&ground, window, tile_px);
    if let Some(other) = shown.other {
        draw(&mut tile, skeleton, &other.pose, &map, Style::Thin);
    }
    draw(&mut tile, skeleton, pose, &map, Style::Bold);
    let joint = shown.finding.joint.as_deref().and_then(|name| skeleton.index_of(name));
    if let Some(point) = joint.and_then(|joint| pose.joint(joint)) {
        ring(&mut tile, map.apply(point));
    }
    Ok(vec![tile])
}

/// A ring about `centre`, px of the tile.
fn ring(tile: &mut RgbImage, centre: [f64; 2]) {
    let side = tile.width() as f32;
    // The rasteriser's pixel centres lie at halves.
    let at = (centre[0] as f32 + 0.5, centre[1] as f32 + 0.5);
    picture::on_canvas(tile, |canvas| {
        pose::ring(canvas, at, side * RING_RADIUS, (side * RING_WIDTH).max(1.5), RING);
    });
}

#[cfg(test)]
mod tests {
    use super::super::tests::person;
    use super::*;
    use schemas::Visibility;
    use schemas::skeleton::LSP14;
    use schemas::tables::findings::Severity;
    use schemas::tables::people::Pose;

    fn finding(rule: Rule, id: &str, value: f64) -> Finding {
        Finding {
            sample_id: Some(id.into()),
            dataset: "lsp".into(),
            split: "train".into(),
            rule: rule.name().into(),
            severity: Severity::Warning,
            joint: Some("left_elbow".into()),
            value: Some(value),
            limit: Some(1.0),
            unit: None,
            detail: String::new(),
            other_sample_id: None,
            image_path: None,
            source_file: None,
            source_record: None,
        }
    }

    #[test]
    fn the_clearest_of_each_rule_come_first_once_a_person() {
        let findings = [
            finding(Rule::Leak, "e", 3.0),
            finding(Rule::Leak, "f", 0.0),
            finding(Rule::LimbLength, "a", 6.0),
            finding(Rule::LimbLength, "b", 9.0),
            finding(Rule::LimbLength, "b", 8.0),
            finding(Rule::LimbLength, "c", 5.5),
            Finding { sample_id: None, ..finding(Rule::BasePixel, "", 1.0) },
        ];
        let ids: Vec<&str> =
            clearest(&findings, 2).iter().filter_map(|finding| finding.sample_id.as_deref()).collect();
        assert_eq!(ids, ["b", "a", "f", "e"]);
    }

    #[test]
    fn a_joint_is_ringed_and_a_missing_picture_is_no_loss() {
        let mut pose = Pose::unknown(14);
        (0..14).for_each(|joint| pose.set(joint, [10.0 * joint as f64, 40.0], Visibility::Visible));
        let mut person = Person { sample_id: "lsp-1".into(), pose, ..person(1, "/no/such.jpg".into()) };
        let found = finding(Rule::LimbLength, "lsp-1", 7.0);
        let sheet =
            findings_sheet(&LSP14, &[Shown { finding: &found, person: &person, other: None }], None, 256)
                .unwrap();
        let ringed = sheet.picture.pixels().filter(|pixel| pixel.0 == RING).count();
        assert!(sheet.drawn == 1 && ringed > 20, "{ringed}");
        person.pose = Pose::unknown(14);
        let sheet =
            findings_sheet(&LSP14, &[Shown { finding: &found, person: &person, other: None }], None, 256)
                .unwrap();
        assert_eq!((sheet.drawn, sheet.rejects.len()), (0, 1));
    }
}

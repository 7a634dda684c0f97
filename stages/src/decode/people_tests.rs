//! Who is chosen of many candidates.

use proptest::prelude::*;

use super::*;

fn selection(minimum_score: f64, overlap: Option<f64>, most: usize) -> Selection {
    Selection { minimum_score, overlap, most }
}

#[test]
fn the_surest_of_those_that_overlap_is_kept() {
    let boxes = [[0.0, 0.0, 10.0, 10.0], [1.0, 0.0, 11.0, 10.0], [20.0, 0.0, 30.0, 10.0]];
    let scores = [0.6, 0.9, 0.7];
    assert_eq!(selection(0.0, Some(0.7), 9).chosen(&boxes, &scores), [1, 2]);
    // The first two share 9 of 11 parts.
    assert_eq!(selection(0.0, Some(0.85), 9).chosen(&boxes, &scores), [1, 2, 0]);
    assert_eq!(selection(0.65, None, 9).chosen(&boxes, &scores), [1, 2]);
    assert_eq!(selection(0.0, None, 1).chosen(&boxes, &scores), [1]);
    assert_eq!(selection(0.0, None, 9).chosen(&boxes, &[f64::NAN, 0.5, 0.5]), [1, 2]);
}

#[test]
fn the_plan_goes_before_the_card() {
    let text = r#"{"minimum_score":0.2,"overlap":null}"#.to_owned();
    let schema = Schema::empty().with_metadata([(detections::SELECTION_KEY.to_owned(), text)].into());
    assert_eq!(Selection::of(&schema, None), selection(0.2, None, usize::MAX));
    let config: PeopleConfig = toml::from_str("minimum_score = 0.5\noverlap = 0.7\nmost = 3").unwrap();
    assert_eq!(Selection::of(&schema, Some(&config)), selection(0.5, Some(0.7), 3));
    assert!(toml::from_str::<PeopleConfig>("overlap = 1.5").is_err());
}

proptest! {
    #[test]
    fn no_two_chosen_overlap_and_each_left_out_does_with_a_surer_one(
        candidates in proptest::collection::vec((0..40u32, 0..40u32, 1..20u32, 1..20u32, 0..8u32), 0..30),
        most in 0.0..1.0f64,
    ) {
        let boxes: Vec<[f64; 4]> = candidates
            .iter()
            .map(|(x, y, w, h, _)| [*x, *y, x + w, y + h].map(f64::from))
            .collect();
        let scores: Vec<f64> = candidates.iter().map(|one| f64::from(one.4)).collect();
        let chosen = selection(1.0, Some(most), usize::MAX).chosen(&boxes, &scores);
        prop_assert!(chosen.windows(2).all(|pair| scores[pair[0]] >= scores[pair[1]]));
        for at in 0..boxes.len() {
            let hides = |other: &usize| *other != at && overlap(&boxes[at], &boxes[*other]) > most;
            if chosen.contains(&at) {
                prop_assert!(!chosen.iter().any(hides));
            } else if scores[at] >= 1.0 {
                prop_assert!(chosen.iter().any(|other| hides(other) && scores[*other] >= scores[at]));
            }
        }
    }
}

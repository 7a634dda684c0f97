//! The split that a file's name tells.

/// Split of people of a file whose name tells none.
pub(crate) const NO_SPLIT: &str = "unassigned";

/// The words that tell a split, each with its split.
const WORDS: [(&str, &str); 7] = [
    ("train", "train"),
    ("training", "train"),
    ("val", "validation"),
    ("valid", "validation"),
    ("validation", "validation"),
    ("test", "test"),
    ("testing", "test"),
];

/// The split that the file name `name` tells: a whole word of it, in any case and with a year or not. `latest` is not `test`,
/// and `trainval`, or a name with words of two splits, tells none.
pub(crate) fn split_of(name: &str) -> &'static str {
    let mut told = None;
    for word in words(name) {
        let Some((_, split)) = WORDS.into_iter().find(|(known, _)| word.eq_ignore_ascii_case(known)) else {
            continue;
        };
        if told.is_some_and(|before| before != split) {
            return NO_SPLIT;
        }
        told = Some(split);
    }
    told.unwrap_or(NO_SPLIT)
}

/// The runs of letters in `name`; a capital after a small letter begins another one.
fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|letter: char| !letter.is_alphabetic()).flat_map(|run| {
        let mut starts = vec![0];
        let pairs = run.char_indices().zip(run.char_indices().skip(1));
        starts.extend(
            pairs
                .filter(|((_, one), (_, next))| one.is_lowercase() && next.is_uppercase())
                .map(|(_, (at, _))| at),
        );
        let ends: Vec<usize> = starts.iter().skip(1).copied().chain([run.len()]).collect();
        starts.into_iter().zip(ends).map(|(start, end)| &run[start..end]).collect::<Vec<_>>()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_whole_words_tell() {
        for (name, split) in [
            ("train.json", "train"),
            ("person_keypoints_train2017.json", "train"),
            ("mpiiTrain.json", "train"),
            ("training-set.json.gz", "train"),
            ("person_keypoints_val2017.json", "validation"),
            ("coco2017val.json", "validation"),
            ("valid.h5", "validation"),
            ("gt_valid.mat", "validation"),
            ("VALIDATION.JSON", "validation"),
            ("keypoints_test.json", "test"),
            ("image_info_test-dev2017.json", "test"),
            ("Test.json", "test"),
            ("test_test.json", "test"),
            ("person_keypoints_latest.json", NO_SPLIT),
            ("contest.json", NO_SPLIT),
            ("constraint.json", NO_SPLIT),
            ("evaluation.json", NO_SPLIT),
            ("invalid.json", NO_SPLIT),
            ("carnival.json", NO_SPLIT),
            ("interval_3.json", NO_SPLIT),
            ("trainval.json", NO_SPLIT),
            ("trainval2017.json", NO_SPLIT),
            ("TrainVal.json", NO_SPLIT),
            ("train_val.json", NO_SPLIT),
            ("train_test_split.json", NO_SPLIT),
            ("strain.json", NO_SPLIT),
            ("annotations.json", NO_SPLIT),
            ("", NO_SPLIT),
        ] {
            assert_eq!(split_of(name), split, "{name}");
        }
    }

    proptest! {
        #[test]
        fn letters_around_a_word_hide_it_and_other_signs_do_not(
            word in prop_oneof![Just("train"), Just("val"), Just("test")],
            before in "[a-z]{1,4}",
            apart in "[_ .0-9-]{1,4}",
        ) {
            prop_assert_eq!(split_of(&format!("{before}q{word}.json")), NO_SPLIT);
            let told = split_of(&format!("x{apart}{word}{apart}2017.json"));
            prop_assert_eq!(told, split_of(word));
        }
    }
}

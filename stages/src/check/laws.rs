//! Neither the order of rows nor their batches change the findings.

use proptest::prelude::*;
use schemas::skeleton::MPII16;
use schemas::tables::findings;
use schemas::tables::people::{self, Person};

use super::CheckConfig;
use super::fixtures::crowd;
use crate::BuildContext;
use crate::stage::Aggregate;

/// People of whom some are spoilt as `seed` has it, several to an image, some images in two splits.
fn spoilt(seed: usize) -> Vec<Person> {
    let mut people = crowd(50);
    let first = people[0].pose.clone();
    for (number, person) in people.iter_mut().enumerate() {
        person.image_path = format!("nowhere/{}.jpg", number * 7 % 23);
        match (number * 13 + seed) % 11 {
            0 => person.pose.keypoints[number % 16] = [-40.0, 900.0],
            1 => person.head_box = Some([0.0; 4]),
            2 => person.pose.keypoints.swap(2, 3),
            3 => person.pose.keypoints[4] = [f64::NAN; 2],
            4 => person.pose = first.clone(),
            5 => person.dataset = "other".into(),
            _ => {}
        }
    }
    people
}

fn found(people: &[Person], batch_rows: usize) -> (Vec<String>, Vec<String>) {
    let context = BuildContext { name: "check".into(), seed: 0, threads: 1, folder: ".".into() };
    let step = CheckConfig::default().build(&context).unwrap();
    let batches: Vec<_> = people.chunks(batch_rows).map(|rows| people::to_batch(&MPII16, rows)).collect();
    let mut rows = Vec::new();
    let mut give = |batch| {
        rows.extend(findings::from_batch(&batch)?);
        Ok(())
    };
    let gathered = step.run(&[&batches], "", &mut give).unwrap();
    // NaN is unlike itself, so the text is compared.
    (rows.iter().map(|row| format!("{row:?}")).collect(), gathered.notes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn order_and_batches_do_not_show(
        seed in 0_usize..1000,
        batch_rows in 1_usize..60,
        order in Just((0..50).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        let people = spoilt(seed);
        let expected = found(&people, 50);
        prop_assert!(expected.0.len() > 10);
        let shuffled: Vec<Person> = order.into_iter().map(|at| people[at].clone()).collect();
        prop_assert_eq!(found(&shuffled, batch_rows), expected);
    }

    #[test]
    fn a_looser_limit_never_finds_more(seed in 0_usize..1000, limit in 2.0..9.0_f64, more in 0.0..5.0_f64) {
        let people = vec![people::to_batch(&MPII16, &spoilt(seed))];
        let context = BuildContext { name: "check".into(), seed: 0, threads: 1, folder: ".".into() };
        let count = |limit: f64| {
            let limit = limit.try_into().unwrap();
            let config = CheckConfig { limb_sigma: limit, head_sigma: limit, scale_sigma: limit, ..Default::default() };
            config.build(&context).unwrap().examine(&people).unwrap().findings.len()
        };
        prop_assert!(count(limit + more) <= count(limit));
    }
}

#[test]
fn the_number_of_threads_does_not_show() {
    let drawn = super::fixtures::lsp(24);
    let batches = vec![people::to_batch(drawn.skeleton, &drawn.people)];
    let context = BuildContext { name: "check".into(), seed: 0, threads: 1, folder: ".".into() };
    let config = CheckConfig { picture_bits: 12, limb_sigma: 1.0.try_into().unwrap(), ..Default::default() };
    let step = config.build(&context).unwrap();
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| step.examine(&batches).unwrap())
    };
    assert_eq!(with(1), with(5));
}

//! `fit_normaliser` and `apply_normaliser` together.

use schemas::tables::models::Normaliser;
use schemas::tables::rejects::total_rows;

use super::super::fixtures::{Signal, context, cut, gather, signals as table};
use super::moments::Moments;
use super::*;
use crate::stage::Aggregate;
use crate::unit_sum::Add;
use crate::unit_sum::tests::InUnits;
use schemas::tables::signals::signals;

fn fit(plan: &str) -> FitNormaliser {
    toml::from_str::<FitNormaliserConfig>(plan).unwrap().build(&context("fit"))
}

fn apply() -> ApplyNormaliser {
    ApplyNormaliserConfig {}.build(&context("apply"))
}

fn rows() -> Vec<Signal> {
    let on = |id: &str, device: &str, split, length| Signal {
        device: device.to_owned(),
        split,
        ..Signal::waves(id, length)
    };
    vec![
        on("a", "nexus", Some("train"), 60),
        on("b", "galaxy", Some("train"), 40),
        on("c", "nexus", Some("train"), 25),
        on("d", "nexus", Some("test"), 30),
        on("e", "other", None, 10),
    ]
}

#[test]
fn each_device_has_its_own_whatever_the_batches() {
    let batch = table(&rows());
    let stage = fit("per = \"device\"");
    let (fitted, gathered) = gather(&stage, &[&vec![batch.clone()]]).unwrap();
    let models = Normaliser::from_batch(&fitted).unwrap();
    let groups: Vec<_> = models.iter().map(|model| (&model.group[..], model.samples)).collect();
    assert_eq!(groups, [("galaxy", 40), ("nexus", 85)]);
    let joined: Vec<f32> = [0, 2].iter().flat_map(|row| rows()[*row].values.clone()).collect();
    let whole = Moments::of(&joined, 6);
    for (found, expected) in models[1].deviation.iter().zip(whole.deviation()) {
        assert!((found - expected).abs() < 1e-12);
    }
    assert_eq!(gathered.notes, ["2 of 5 signals are not of split `train`: not fitted on"]);
    for size in 1..4 {
        assert_eq!(gather(&stage, &[&cut(&batch, size)]).unwrap().0, fitted);
    }
}

#[test]
fn a_device_without_normaliser_is_rejected_and_one_for_all_serves_it() {
    let batch = table(&rows());
    let inputs = cut(&batch, 2);
    let by_device = vec![gather(&fit("per = \"device\""), &[&inputs]).unwrap().0];
    let (normalised, gathered) = gather(&apply(), &[&inputs, &by_device]).unwrap();
    assert_eq!((normalised.num_rows(), total_rows(&gathered.rejects)), (4, 1));
    let reject = &gathered.rejects[0];
    assert_eq!(reject.reason, "no normaliser for the device");
    assert_eq!(
        (reject.sample_id.as_deref(), &reject.detail[..]),
        (Some("e"), "device `other`; 2 devices have one")
    );
    let galaxy = Moments::of(signals(&normalised).unwrap().row(1), 6);
    assert!(galaxy.deviation().iter().all(|spread| (spread - 1.0).abs() < 1e-6));
    assert_eq!(gather(&apply(), &[&vec![batch], &by_device]).unwrap().0, normalised);

    let for_all = vec![gather(&fit("per = \"all\"\nsplit = \"*\""), &[&inputs]).unwrap().0];
    let (normalised, gathered) = gather(&apply(), &[&inputs, &for_all]).unwrap();
    assert_eq!((normalised.num_rows(), gathered.rejects.len()), (5, 0));
    let all: Vec<f32> = (0..5).flat_map(|row| signals(&normalised).unwrap().row(row).to_vec()).collect();
    let moments = Moments::of(&all, 6);
    assert!(moments.mean.iter().all(|mean| mean.abs() < 1e-6));
}

#[test]
fn what_does_not_fit_is_an_error() {
    let batch = vec![table(&rows())];
    let error = gather(&fit("per = \"all\"\nsplit = \"valid\""), &[&batch]).unwrap_err();
    assert_eq!(error.to_string(), "none of 5 signals is of split `valid`: there is nothing to fit on");
    let models = gather(&fit("per = \"all\""), &[&batch]).unwrap().0;
    let twice = vec![models.clone(), models.clone()];
    assert!(gather(&apply(), &[&batch, &twice]).unwrap_err().to_string().contains("two normalisers"));
    let mut metadata = models.schema().metadata().clone();
    metadata.insert("motionmill.channels".to_owned(), "a,b,c,d,e,f".to_owned());
    let renamed = models.schema().as_ref().clone().with_metadata(metadata);
    let error = apply().output_schema(&[batch[0].schema(), renamed.into()]).unwrap_err();
    assert!(
        error.to_string().starts_with("the normalisers were fitted on the channels `a,b,c,d,e,f`"),
        "{error}"
    );
    assert!(apply().output_schema(&[batch[0].schema(), batch[0].schema()]).is_err());
}

#[test]
fn units_are_summed_first() {
    let batch = table(&rows());
    let fitted = |lengths: &[usize], size: usize| {
        let units = InUnits::cut(&batch, lengths, size);
        let stage = fit("per = \"all\"\nsplit = \"*\"");
        let mut given = Vec::new();
        let gathered = Aggregate::run(&stage, &[&units], "", &mut |batch| {
            given.push(batch);
            Ok(())
        });
        assert!(gathered.unwrap().rejects.is_empty());
        Normaliser::from_batch(&given[0]).unwrap().remove(0)
    };
    let signals = rows();
    let of = |rows: std::ops::Range<usize>| {
        let mut parts = signals[rows].iter().map(|signal| Moments::of(&signal.values, 6));
        let mut sum = parts.next().unwrap();
        parts.for_each(|part| sum.add(&part));
        sum
    };
    let mut expected = of(0..3);
    expected.add(&of(3..5));
    for size in 1..6 {
        let found = fitted(&[3], size);
        assert_eq!((found.mean, found.deviation), (expected.mean.clone(), expected.deviation()));
    }
}

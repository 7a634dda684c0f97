//! `assign_roles`: order of sessions, accounting, leaks.

use arrow::array::RecordBatch;
use proptest::prelude::*;
use schemas::Fault;
use schemas::columns::strings;
use schemas::tables::rejects::total_rows;

use super::fixtures::{Signal, context, cut, gather, signals as table};
use super::leak::Leak;
use super::roles::*;
use crate::stage::{Aggregate, StageError};

const SECOND: i64 = 1_000_000_000;

fn stage(plan: &str) -> AssignRoles {
    toml::from_str::<AssignRolesConfig>(plan).unwrap().build(&context("roles"))
}

/// A row of one second that starts at `seconds`.
fn row(subject: &str, session: &str, seconds: i64) -> Signal {
    Signal {
        subject: subject.to_owned(),
        session: session.to_owned(),
        start_nanos: seconds * SECOND,
        ..Signal::waves(&format!("{subject}{session}{seconds}"), 50)
    }
}

fn roles(batch: &RecordBatch) -> Vec<(String, String)> {
    let [sessions, roles] = ["session", ROLE].map(|name| strings(batch, name).unwrap());
    sessions.iter().flatten().map(str::to_owned).zip(roles.iter().flatten().map(str::to_owned)).collect()
}

fn run(plan: &str, rows: &[Signal]) -> Result<(RecordBatch, crate::stage::Gathered), StageError> {
    gather(&stage(plan), &[&vec![table(rows)]])
}

#[test]
fn sessions_are_taken_in_order_of_time_and_ties_by_counting() {
    let rows =
        [row("a", "s10", 5), row("a", "s2", 9), row("a", "s1", 9), row("a", "s10", 0), row("a", "s3", 20)];
    let found = run("enrolment = { first_sessions = 2 }", &rows[..4]).unwrap_err();
    assert!(found.to_string().contains("share 1 s"), "s1 and s2 lie over one another: {found}");
    let apart =
        [row("a", "s10", 5), row("a", "s2", 9), row("a", "s9", 12), row("a", "s10", 0), row("a", "s3", 20)];
    let (batch, _) = run("enrolment = { first_sessions = 2 }", &apart).unwrap();
    let pair = |session: &str, role: &str| (session.to_owned(), role.to_owned());
    let expected = [
        pair("s10", ENROLMENT),
        pair("s2", ENROLMENT),
        pair("s9", PROBE),
        pair("s10", ENROLMENT),
        pair("s3", PROBE),
    ];
    assert_eq!(roles(&batch), expected);
    // Sessions of two devices may begin at once: the name decides, as people count.
    let tie = [row("a", "s10", 0), Signal { device: "other".to_owned(), ..row("a", "s9", 0) }];
    let (batch, _) = run("enrolment = { share = 0.5 }", &tie).unwrap();
    assert_eq!(roles(&batch), [pair("s10", PROBE), pair("s9", ENROLMENT)]);
}

#[test]
fn a_share_leaves_one_session_for_each_role() {
    let sessions: Vec<Signal> = (0..5).map(|at| row("a", &at.to_string(), 10 * at)).collect();
    for (share, enrolling) in [(0.0, 1), (0.29, 1), (0.3, 2), (0.5, 3), (0.9, 4), (1.0, 4)] {
        let (batch, _) = run(&format!("enrolment = {{ share = {share} }}"), &sessions).unwrap();
        let found = roles(&batch).iter().filter(|(_, role)| role == ENROLMENT).count();
        assert_eq!(found, enrolling, "share {share}");
    }
    assert!(toml::from_str::<AssignRolesConfig>("enrolment = { share = 1.5 }").is_err());
    assert!(toml::from_str::<AssignRolesConfig>("enrolment = { first_sessions = 0 }").is_err());
}

#[test]
fn a_subject_with_too_few_sessions_is_rejected() {
    let row = |subject, session, start| Signal { split: Some("test"), ..row(subject, session, start) };
    let rows = [row("a", "1", 0), row("b", "1", 0), row("b", "1", 1), row("a", "2", 5)];
    let (batch, gathered) = run("enrolment = { share = 0.5 }", &rows).unwrap();
    assert_eq!((batch.num_rows(), total_rows(&gathered.rejects)), (2, 2));
    let reject = &gathered.rejects[0];
    assert_eq!(reject.reason, "subject has too few sessions");
    assert_eq!(reject.detail, "subject `b` has 1 session; 2 are needed");
    let (_, gathered) = run("enrolment = { first_sessions = 2 }", &rows).unwrap();
    assert_eq!(gathered.rejects[0].detail, "subject `a` has 2 sessions; 3 are needed");
}

#[test]
fn subjects_that_train_need_no_second_session() {
    let tried = |subject, session, start| Signal { split: Some("test"), ..row(subject, session, start) };
    let rows = [row("a", "1", 0), row("b", "1", 0), row("b", "2", 5), tried("c", "1", 0), row("a", "1", 1)];
    let (batch, gathered) = run("enrolment = { share = 0.5 }", &rows).unwrap();
    let found: Vec<String> =
        roles(&batch).into_iter().map(|(session, role)| format!("{session} {role}")).collect();
    assert_eq!(found, ["1 enrolment", "1 enrolment", "2 probe", "1 enrolment"]);
    assert_eq!(gathered.rejects[0].detail, "subject `c` has 1 session; 2 are needed");
    // Whatever the number, and whatever the split is called.
    let (batch, _) = run("enrolment = { first_sessions = 3 }", &rows).unwrap();
    assert_eq!(batch.num_rows(), 4);
    let (batch, _) = run("enrolment = { share = 0.5 }\ntraining_split = 'test'", &rows).unwrap();
    assert_eq!(batch.num_rows(), 3, "b and c");
}

#[test]
fn leaks_are_errors_that_name_both_sessions() {
    // Two sessions cut from one log, one second of which they share.
    let shared = [row("a", "1", 0), row("a", "1", 1), row("a", "2", 1), row("a", "2", 2)];
    let error = run("enrolment = { share = 0.5 }", &shared).unwrap_err();
    let expected = "sessions `1` (`enrolment`) and `2` (`probe`) of subject `a`, device `phone`, share 1 s";
    assert_eq!(error.to_string(), expected);
    assert!(matches!(&error, StageError::Step(leak) if leak.error().is::<Leak>()), "{error:?}");
    assert_eq!(error.fault(), Some(Fault::Data));
    // A session that a split divides.
    let divided = [row("a", "1", 0), Signal { split: Some("test"), ..row("a", "1", 5) }, row("a", "2", 9)];
    let error = run("enrolment = { share = 0.5 }", &divided).unwrap_err().to_string();
    assert_eq!(error, "session `1` of subject `a`, device `phone`, is in two sets: `test` and `train`");
    let unsplit = [row("a", "1", 0), Signal { split: None, ..row("a", "1", 5) }];
    assert!(run("enrolment = { share = 0.5 }", &unsplit).unwrap_err().to_string().contains("`no split`"));
    // Other subjects and devices may record at the same time.
    let apart = [row("a", "1", 0), row("a", "2", 5), row("b", "1", 0), row("b", "2", 5)];
    assert!(run("enrolment = { share = 0.5 }", &apart).is_ok());
}

#[test]
fn rows_without_an_end_are_refused() {
    let batch = table(&[row("a", "1", 0)]);
    let schema = batch.project(&(0..11).collect::<Vec<_>>()).unwrap().schema();
    let error = stage("enrolment = { share = 0.5 }").output_schema(&[schema]).unwrap_err();
    assert!(error.to_string().starts_with("column `end_nanos` is missing"), "{error}");
}

proptest! {
    #[test]
    fn no_session_has_two_roles_and_every_row_is_counted(
        drawn in prop::collection::vec((0_u8..3, 0_u8..6, 0_i64..5), 1..40), first in 1_u32..4, size in 1_usize..9,
    ) {
        let rows: Vec<Signal> = drawn.iter().map(|(subject, session, at)| {
            row(&subject.to_string(), &session.to_string(), i64::from(*session) * 10 + at)
        }).collect();
        let stage = stage(&format!("enrolment = {{ first_sessions = {first} }}"));
        let batch = table(&rows);
        let (given, gathered) = gather(&stage, &[&vec![batch.clone()]]).unwrap();
        prop_assert_eq!(given.num_rows() as u64 + total_rows(&gathered.rejects), rows.len() as u64);
        let subjects = strings(&given, "subject").unwrap();
        let mut all: Vec<_> = subjects.iter().flatten().zip(roles(&given)).collect();
        all.sort();
        all.dedup();
        let mut sessions: Vec<_> = all.iter().map(|(subject, (session, _))| (*subject, session.clone())).collect();
        sessions.dedup();
        prop_assert_eq!(sessions.len(), all.len());
        // Enrolment comes before the probes.
        for (subject, (session, role)) in &all {
            let rank = sessions.iter().filter(|(other, before)| other == subject && before < session).count();
            prop_assert_eq!(role == ENROLMENT, rank < first as usize);
        }
        let (again, counted) = gather(&stage, &[&cut(&batch, size)]).unwrap();
        prop_assert_eq!(again, given);
        prop_assert_eq!(counted.rejects, gathered.rejects);
    }
}

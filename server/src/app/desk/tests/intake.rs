//! What agents send.

use LineState::{Down, Up};
use linewatch_shared::facts::StepKind;
use linewatch_shared::time::HOUR_MS;
use linewatch_shared::wire::{Head, Held};

use super::*;
use crate::app::desk::silence;
use crate::db::testing::{both, int};
use crate::store::agent_heads::{self, Heads};

fn upto(taken: &Taken) -> u64 {
    match taken {
        Taken::Upto(Held::Upto { last, .. }, _) => *last,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_answers_badly_is_degraded_and_not_out() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let device = Device::right();
        let mut records = vec![device.clock(1, TEN), device.degraded(10, "L1", TEN)];
        f.push(&records, minute(1)).await;
        let fault = f.fault(Uuid::from_u128(10), minute(60)).await;
        assert!(fault.fault.degraded);
        assert_eq!((fault.fault.state.as_str(), fault.fault.line_state.as_str()), ("open", "degraded"));
        assert_eq!(fault.fault.restoration.unwrap().due_at, minute(240).to_rfc3339());
        assert_eq!((fault.fault.interruption.ms, fault.gross_ms), (0, 0));
        assert_eq!(fault.facts[0].kind, "degraded");
        let chain = chain_after(&records);
        records.push(device.line(11, "L1", minute(60), LineState::Up));
        f.push_from(3, chain, &records[2..], minute(61)).await;
        let fault = f.fault(Uuid::from_u128(10), minute(70)).await;
        assert_eq!((fault.fault.state.as_str(), fault.net_ms), ("restored", 60 * MINUTE_MS));
        assert_eq!(f.line_state("L1", minute(70)).await, "up");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_sent_twice_is_stored_once() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let device = Device::right();
        let records = [
            device.clock(1, TEN),
            device.line(2, "L1", minute(1), Down),
            device.line(3, "L1", minute(11), Up),
        ];
        for _ in 0..2 {
            assert_eq!(upto(&f.push(&records, minute(12)).await), 3);
        }
        assert_eq!(upto(&f.push(&records[..2], minute(12)).await), 3, "a shorter repeat says what is held");
        assert_eq!(int(&f.db, "SELECT COUNT(*) FROM record").await.unwrap(), 3);
        let fault = f.fault(Uuid::from_u128(2), minute(12)).await;
        assert_eq!((fault.fault.state.as_str(), fault.fault.interruption.ms), ("restored", 10 * MINUTE_MS));
        // The rest may overlap with what is held.
        let more = [records[2].clone(), device.line(4, "L2", minute(13), Down)];
        assert_eq!(upto(&f.push_from(3, chain_after(&records[..2]), &more, minute(14)).await), 4);
        assert_eq!(int(&f.db, "SELECT COUNT(*) FROM fault").await.unwrap(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_do_not_follow_are_a_fork_and_gaps_are_not_taken() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let device = Device::right();
        let records = [device.clock(1, TEN), device.line(2, "L1", minute(1), Down)];
        f.push(&records, minute(2)).await;
        let other = [
            device.clock(9, TEN),
            device.line(8, "L2", minute(1), Down),
            device.line(7, "L2", minute(2), Up),
        ];
        assert!(matches!(f.push(&other, minute(3)).await, Taken::Fork));
        let wrong_chain = f.push_from(3, chain_after(&other[..2]), &other[2..], minute(3)).await;
        assert!(matches!(wrong_chain, Taken::Fork));
        assert_eq!(upto(&f.push_from(5, chain_after(&other), &other[2..], minute(3)).await), 2);
        assert_eq!(int(&f.db, "SELECT COUNT(*) FROM record").await.unwrap(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_in_is_kept_aside_and_acknowledged() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let device = Device::right();
        let records = [
            b"\xc1 no record".to_vec(),
            device.line(2, "L3", minute(1), Down),
            device.line(3, "L1", minute(1), Down),
            device.line(3, "L1", minute(2), Down),
            device.line(4, "L2", minute(30), Down),
            device.step(5, 3, minute(1), StepKind::Acknowledged),
        ];
        let Taken::Upto(_, aside) = f.push(&records, minute(2)).await else { panic!("fork") };
        assert_eq!(aside, 4);
        let reasons = f.texts("SELECT reason FROM aside ORDER BY n").await;
        assert_eq!(reasons, ["unreadable", "out_of_scope", "other_bytes", "future"]);
        let fault = f.fault(Uuid::from_u128(3), minute(2)).await.fault;
        assert_eq!((fault.state.as_str(), fault.started_at), ("acknowledged", minute(1).to_rfc3339()));
        // The fact that was dated ahead is taken in when its time has come.
        let (desk, due) = (f.desk.clone(), minute(30));
        let taken =
            f.db.write(Priority::Ingest, move |tx| super::super::ingest::take_due(&desk, tx, due))
                .await
                .unwrap();
        assert_eq!(taken, 1);
        assert_eq!(f.fault(Uuid::from_u128(4), minute(30)).await.fault.state, "open");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_dated_ahead_and_is_refused_in_the_end_is_still_kept() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let device = Device::right();
        let ahead = device.line(2, "L7", minute(30), Down);
        f.push(&[device.clock(1, TEN), ahead.clone()], minute(2)).await;
        assert_eq!(f.texts("SELECT reason FROM aside").await, ["future"]);
        // By the time it is due, its line has become another agent's.
        let packs = Arc::new(PackSet::load(None).unwrap());
        let line = "code,customer,agent\nL7,bank,site-2\n";
        import::bytes(&f.db, &packs, line.as_bytes(), false, minute(3)).await.unwrap();
        for due in [minute(30), minute(31)] {
            let desk = f.desk.clone();
            f.db.write(Priority::Ingest, move |tx| super::super::ingest::take_due(&desk, tx, due))
                .await
                .unwrap();
            assert_eq!(f.texts("SELECT reason FROM aside").await, ["out_of_scope"]);
        }
        assert_eq!(int(&f.db, "SELECT COUNT(*) FROM aside WHERE due_at_ms IS NOT NULL").await.unwrap(), 0);
        let read = |tx: &mut crate::db::Tx<'_>| tx.query_one("SELECT bytes FROM aside", &[])?.get(0);
        let kept: Result<Vec<u8>, crate::db::DbError> = f.db.read(read).await;
        assert_eq!(kept.unwrap(), ahead);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_three_hours_wrong_is_corrected_by_its_clock_facts_alone() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let device = Device { boot: Uuid::from_u128(9), skew_ms: -3 * HOUR_MS };
        let offline = [device.line(2, "L1", minute(1), Down), device.line(3, "L1", minute(11), Up)];
        f.push(&offline, minute(20)).await;
        let guess = f.fault(Uuid::from_u128(2), minute(20)).await;
        assert!(guess.facts[0].uncertain, "nothing is known of its clock yet");
        let clock = [device.clock(4, minute(20))];
        f.push_from(3, chain_after(&offline), &clock, minute(20)).await;
        let fault = f.fault(Uuid::from_u128(2), minute(20)).await;
        assert_eq!(fault.fault.started_at, minute(1).to_rfc3339());
        assert_eq!(fault.fault.interruption.ms, 10 * MINUTE_MS);
        assert_eq!(fault.facts[0].corrected_ms, 3 * HOUR_MS);
        assert!(!fault.facts[0].uncertain);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_years_ahead_holds_nothing_back_once_it_is_known() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let device = Device { boot: Uuid::from_u128(9), skew_ms: 5 * 365 * 24 * HOUR_MS };
        let first = [device.line(2, "L1", minute(1), Down)];
        f.push(&first, minute(2)).await;
        assert_eq!(f.texts("SELECT reason FROM aside").await, ["future"]);
        f.push_from(2, chain_after(&first), &[device.clock(3, minute(2))], minute(2)).await;
        assert_eq!(f.texts("SELECT reason FROM aside").await, Vec::<String>::new());
        assert_eq!(f.fault(Uuid::from_u128(2), minute(2)).await.fault.started_at, minute(1).to_rfc3339());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_of_a_line_that_is_not_known_wait_for_it() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let device = Device::right();
        f.push(&[device.clock(1, TEN), device.line(2, "L7", minute(1), Down)], minute(2)).await;
        assert_eq!(int(&f.db, "SELECT COUNT(*) FROM fault").await.unwrap(), 0);
        let packs = Arc::new(PackSet::load(None).unwrap());
        let line = "code,customer,agent\nL7,bank,site-1\n";
        import::bytes(&f.db, &packs, line.as_bytes(), false, minute(3)).await.unwrap();
        let (desk, now) = (f.desk.clone(), minute(3));
        let settled =
            f.db.write(Priority::Ingest, move |tx| engine::settle_waiting(&desk, tx, now)).await.unwrap();
        assert_eq!(settled, 1);
        assert_eq!(f.fault(Uuid::from_u128(2), minute(3)).await.fault.started_at, minute(1).to_rfc3339());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_comes_before_its_fault_waits_for_it() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let device = Device::right();
        let step = [device.clock(1, TEN), device.step(2, 50, minute(5), StepKind::Acknowledged)];
        f.push(&step, minute(6)).await;
        assert_eq!(int(&f.db, "SELECT COUNT(*) FROM fact WHERE line IS NULL").await.unwrap(), 1);
        let down = [device.line(50, "L1", minute(1), Down)];
        f.push_from(3, chain_after(&step), &down, minute(7)).await;
        assert_eq!(f.fault(Uuid::from_u128(50), minute(7)).await.fault.state, "acknowledged");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_agent_s_lines_are_suspected_and_its_records_say_how_it_was() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let device = Device::right();
        let mark = "UPDATE agent SET state = 'enrolled', last_seen_at_ms = $1 WHERE name = 'site-1'";
        f.db.write(Priority::Api, move |tx| tx.execute(mark, &[TEN.into()])).await.unwrap();
        f.push(&[device.line(1, "L1", TEN, Up)], TEN).await;
        assert_eq!(f.line_state("L1", minute(1)).await, "up");
        turn(&f, minute(2)).await;
        assert_eq!(
            f.line_state("L1", minute(2)).await,
            "unknown",
            "a silent agent's lines are never counted as up"
        );
        assert_eq!(f.texts("SELECT state FROM fault ORDER BY line").await, ["suspected", "suspected"]);
        assert_eq!(int(&f.db, "SELECT COUNT(*) FROM contribution").await.unwrap(), 0);
        turn(&f, minute(3)).await;
        assert_eq!(int(&f.db, "SELECT COUNT(*) FROM fact").await.unwrap(), 3, "said once");
        let known = chain_after(&[device.line(1, "L1", TEN, Up)]);
        f.push_from(2, known, &[device.line(2, "L1", minute(1), Down)], minute(4)).await;
        f.db.write(Priority::Api, move |tx| tx.execute(mark, &[minute(4).into()])).await.unwrap();
        turn(&f, minute(4)).await;
        let states = f.texts("SELECT state FROM fault ORDER BY line").await;
        assert_eq!(states, ["open", "withdrawn"]);
        assert_eq!(f.fault(Uuid::from_u128(2), minute(4)).await.fault.started_at, minute(1).to_rfc3339());
        assert_eq!(int(&f.db, "SELECT COUNT(*) FROM outbox").await.unwrap(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_desk_is_told_once_of_an_agent_that_stays_silent() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let mark = "UPDATE agent SET state = 'enrolled', last_seen_at_ms = $1, silent_since_ms = $1 WHERE name = 'site-1'";
        f.db.write(Priority::Api, move |tx| tx.execute(mark, &[TEN.into()])).await.unwrap();
        let tell = async |now: UnixMs| {
            let desk = f.desk.clone();
            let after = (15 * MINUTE_MS, chrono_tz::Asia::Shanghai);
            f.db.write(Priority::Ingest, move |tx| silence::tell_silent(&desk, tx, after, now)).await.unwrap();
            f.texts("SELECT destination FROM outbox WHERE key LIKE 'agent_silent/site-1/%'").await
        };
        assert!(tell(minute(14)).await.is_empty(), "a short silence is on the board alone");
        for at in [15, 16, 400] {
            assert_eq!(tell(minute(at)).await, ["noc@example.com"]);
        }
        // It is heard again: told once too, and only where its silence was.
        let back = async |seen_at: UnixMs| {
            let seen = "UPDATE agent SET last_seen_at_ms = $1 WHERE name = 'site-1'";
            f.db.write(Priority::Api, move |tx| tx.execute(seen, &[seen_at.into()])).await.unwrap();
            turn(&f, seen_at).await;
            f.texts("SELECT key FROM outbox WHERE key LIKE 'agent_back/%'").await
        };
        let key = format!("agent_back/site-1/{}", TEN.0);
        assert_eq!(back(minute(401)).await, std::slice::from_ref(&key));
        turn(&f, minute(410)).await;
        assert_eq!(back(minute(411)).await, [key], "ten minutes were told to nobody");
    })
    .await;
}

async fn turn(f: &Fixture, now: UnixMs) {
    let turns = f.db.read(move |tx| silence::turns(tx, 90_000, now)).await.unwrap();
    for turn in turns {
        let desk = f.desk.clone();
        let ids: Vec<Uuid> = turn.lines.iter().map(|_| Uuid::now_v7()).collect();
        f.db.write(Priority::Ingest, move |tx| {
            silence::write(&desk, tx, &turn, &turn.lines, &ids, true, now)?;
            let zone = chrono_tz::Asia::Shanghai;
            if turn.silent { Ok(()) } else { silence::tell_back(&desk, tx, &turn.silence, zone, now) }
        })
        .await
        .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_health_is_kept_and_a_change_of_warnings_is_told_once() {
    use linewatch_shared::health::{Battery, Health};
    both(|db| async move {
        let f = Fixture::new(db).await;
        let device = Device::right();
        let health = |percent| {
            let battery = Some(Battery { percent, discharging: true });
            Body::Health(Health { battery, ..Health::default() })
        };
        let records = [(1, 30, 10), (2, 20, 90), (3, 31, 9), (4, 40, 80)]
            .map(|(id, at, percent)| device.record(id, minute(at), health(percent)));
        for (number, record) in (1..).zip(&records) {
            let envelope = Envelope {
                protocol: PROTOCOL,
                epoch: 1,
                lane: Lane::Summary,
                first: number,
                chain: Chain::START,
                count: 1,
            };
            let (desk, agent, bodies) = (f.desk.clone(), f.agent, vec![record.clone()]);
            let work = move |tx: &mut crate::db::Tx<'_>| {
                take(&desk, tx, &Part { agent, envelope: &envelope, bodies: &bodies, skip: 0 }, minute(41))
            };
            f.db.write(Priority::Ingest, work).await.unwrap();
        }
        let kept = f.texts("SELECT health FROM agent WHERE name = 'site-1'").await;
        assert!(kept[0].contains("\"percent\":80"), "{kept:?}");
        let told = f.texts("SELECT body FROM event WHERE kind = 'agent' ORDER BY n").await;
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("battery_low") && told[1].contains("\"warnings\":[]"), "{told:?}");
    })
    .await;
}

/// What the agent says in a heartbeat: it has written the lane of faults so far.
async fn has_written(f: &Fixture, last: u64, now: UnixMs) {
    let (agent, heads) = (f.agent, vec![Head { lane: Lane::Fault, last }]);
    let said = Heads { epoch: 1, heads };
    f.db.write(Priority::Ingest, move |tx| agent_heads::save(tx, agent, &said, now)).await.unwrap();
}

const MISSES: &str = "SELECT COUNT(*) FROM outbox WHERE key LIKE '%/restoration/%/missed/%'";
const RESTORATION_L1: &str = "SELECT state FROM deadline WHERE line = 'L1' AND kind = 'restoration'";
const RESTORATION_L2: &str = "SELECT state FROM deadline WHERE line = 'L2' AND kind = 'restoration'";

#[tokio::test(flavor = "multi_thread")]
async fn an_old_outage_is_not_told_of_while_its_end_is_on_its_way() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let (device, now) = (Device::right(), minute(9 * 60));
        let records = [
            device.clock(1, TEN),
            device.line(2, "L1", minute(1), Down),
            device.line(3, "L1", minute(11), Up),
        ];
        has_written(&f, 3, now).await;
        f.push(&records[..2], now).await;
        let fault = f.fault(Uuid::from_u128(2), now).await;
        assert_eq!(fault.fault.state.as_str(), "open", "the desk sees at once what is known");
        assert_eq!(int(&f.db, "SELECT COUNT(*) FROM deadline").await.unwrap(), 0);
        assert_eq!(f.engine(now + 9_000).await.due, 0);
        f.push_from(3, chain_after(&records[..2]), &records[2..], now + 9_000).await;
        assert_eq!(f.engine(now + HOUR_MS).await.lag_ms, 0);
        let fault = f.fault(Uuid::from_u128(2), now).await;
        assert_eq!((fault.fault.state.as_str(), fault.fault.interruption.ms), ("restored", 10 * MINUTE_MS));
        let told = f.texts("SELECT key FROM outbox ORDER BY n").await;
        assert!(told.iter().all(|key| !key.contains("/restoration/")), "{told:#?}");
        assert_eq!(f.texts(RESTORATION_L1).await, ["met"], "judged with its end");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn judging_waits_a_moment_for_what_is_on_its_way_and_no_longer() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let (device, now) = (Device::right(), minute(9 * 60));
        let records = [device.clock(1, TEN), device.line(2, "L1", minute(1), Down)];
        has_written(&f, 3, now).await;
        f.push(&records, now).await;
        assert_eq!(int(&f.db, MISSES).await.unwrap(), 0);
        assert_eq!(f.engine(now + 10_000).await.due, 1);
        assert!(int(&f.db, MISSES).await.unwrap() > 0);
        // Who has sent everything is judged with what it sent.
        let more = [device.line(3, "L2", minute(1), Down)];
        f.push_from(3, chain_after(&records), &more, now + 10_000).await;
        assert_eq!(f.texts(RESTORATION_L2).await, ["missed"]);
    })
    .await;
}

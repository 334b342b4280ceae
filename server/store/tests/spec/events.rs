//! Paging back, catching up, forgetting.

use crate::fixtures::*;
use store::*;

store_test!(
    async fn pages_go_back_in_time_without_gap_or_repeat(db) {
        let lab = lab(&db).await;
        let mut tx = tx(&db).await;
        let mut ids = Vec::new();
        for n in 0..25 {
            ids.push(events::insert(&mut tx, &an_event(lab.machine, None, NOW + n)).await.expect("insert"));
            events::insert(&mut tx, &an_event(lab.spare, None, NOW + n)).await.expect("another machine's");
        }
        tx.commit().await.expect("commit");
        assert!(ids.is_sorted());

        let mut read = read(&db).await;
        let mut seen = Vec::new();
        let mut before = None;
        loop {
            let page = events::list(&mut read, lab.machine, before, 10).await.expect("list");
            assert!(page.iter().all(|e| e.machine_id == lab.machine));
            seen.extend(page.iter().map(|e| e.id));
            match page.last() {
                Some(last) => before = Some(last.id),
                None => break,
            }
        }
        ids.reverse();
        assert_eq!(seen, ids, "newest first");
    }
);

store_test!(
    async fn who_was_away_catches_up_in_order(db) {
        let lab = lab(&db).await;
        let mut tx = tx(&db).await;
        assert_eq!(events::latest_id(&mut tx).await.expect("none yet"), 0);
        let mut ids = Vec::new();
        for machine in [lab.machine, lab.spare, lab.machine] {
            ids.push(events::insert(&mut tx, &an_event(machine, Some((lab.anna, "anna")), NOW)).await.expect("insert"));
        }
        assert_eq!(events::latest_id(&mut tx).await.expect("latest"), ids[2]);
        let since = events::list_since(&mut tx, ids[0], 100).await.expect("list");
        assert_eq!(since.iter().map(|e| e.id).collect::<Vec<_>>(), ids[1..]);
        assert_eq!(events::list_since(&mut tx, 0, 2).await.expect("list").len(), 2);
        let expected = EventRow {
            id: ids[1],
            machine_id: lab.spare,
            user_id: Some(lab.anna),
            username: Some("anna".into()),
            at: NOW,
            event_type: "POWER_CHANGE".into(),
            info: r#"{"power":"on"}"#.into(),
        };
        assert_eq!(since[0], expected);
    }
);

store_test!(
    async fn those_of_the_whole_lab_are_found_by_time_and_type(db) {
        let lab = lab(&db).await;
        let mut tx = tx(&db).await;
        let mut ids = Vec::new();
        for (n, event_type) in ["BMC_ERROR", "DHCP_REQ", "FETCH_FAILED", "BMC_ERROR", "DHCP_REQ"].into_iter().enumerate() {
            let machine = if n % 2 == 0 { lab.machine } else { lab.spare };
            let at = NOW + i64::try_from(n).expect("few");
            let new = NewEvent { event_type: event_type.into(), ..an_event(machine, None, at) };
            ids.push(events::insert(&mut tx, &new).await.expect("insert"));
        }
        tx.commit().await.expect("commit");
        let mut read = read(&db).await;
        let all = EventFilter::default();
        let failures = EventFilter { types: ",BMC_ERROR,FETCH_FAILED,".into(), ..all.clone() };
        for (wanted, limit, expected) in [
            (all.clone(), 100, vec![4, 3, 2, 1, 0]),
            (all.clone(), 2, vec![4, 3]),
            (failures.clone(), 100, vec![3, 2, 0]),
            (EventFilter { before_id: ids[3], ..failures.clone() }, 1, vec![2]),
            (EventFilter { since: NOW + 1, until: NOW + 4, ..all.clone() }, 100, vec![3, 2, 1]),
            (EventFilter { since: NOW + 1, ..failures.clone() }, 100, vec![3, 2]),
            (EventFilter { since: NOW + 5, ..all.clone() }, 100, vec![]),
            (EventFilter { types: ",BMC,".into(), ..all.clone() }, 100, vec![]),
        ] {
            let found = events::list_all(&mut read, &wanted, limit).await.expect("list");
            let expected: Vec<i64> = expected.into_iter().map(|n: usize| ids[n]).collect();
            assert_eq!(found.iter().map(|e| e.id).collect::<Vec<_>>(), expected, "{wanted:?}");
        }
        let upwards = events::list_all_upwards(&mut read, &EventFilter { after_id: ids[0], ..failures }, 100).await.expect("list");
        assert_eq!(upwards.iter().map(|e| e.id).collect::<Vec<_>>(), [ids[2], ids[3]]);
    }
);

store_test!(
    async fn old_ones_are_forgotten_and_their_ids_stay_used(db) {
        let lab = lab(&db).await;
        let mut tx = tx(&db).await;
        for n in 0..10 {
            events::insert(&mut tx, &an_event(lab.machine, None, NOW + n)).await.expect("insert");
        }
        let latest = events::latest_id(&mut tx).await.expect("latest");
        assert_eq!(events::delete_older_than(&mut tx, NOW + 4).await.expect("delete"), 4);
        let left = events::list(&mut tx, lab.machine, None, 100).await.expect("list");
        assert_eq!(left.iter().map(|e| e.at - NOW).collect::<Vec<_>>(), [9, 8, 7, 6, 5, 4]);
        assert_eq!(events::delete_older_than(&mut tx, i64::MAX).await.expect("delete"), 6);
        let next = events::insert(&mut tx, &an_event(lab.machine, None, NOW)).await.expect("insert");
        assert!(next > latest, "whoever remembers {latest} must not miss {next}");
    }
);

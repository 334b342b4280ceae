//! Labels on machines.

use crate::fixtures::*;
use store::*;

store_test!(
    async fn a_machine_has_each_label_once_and_takes_them_along(db) {
        let lab = lab(&db).await;
        let mut tx = tx(&db).await;
        for (machine, tag) in [(lab.spare, "b"), (lab.machine, "noisy"), (lab.spare, "a"), (lab.spare, "B")] {
            machine_tags::insert(&mut tx, machine, tag).await.expect("insert");
        }
        let tag = |machine_id, tag: &str| TagRow { machine_id, tag: tag.into() };
        let all = [tag(lab.machine, "noisy"), tag(lab.spare, "B"), tag(lab.spare, "a"), tag(lab.spare, "b")];
        assert_eq!(machine_tags::list(&mut tx).await.expect("list"), all);
        assert_eq!(machine_tags::list_of_machine(&mut tx, lab.spare).await.expect("list"), all[1..]);
        assert!(machine_tags::delete(&mut tx, lab.spare, "B").await.expect("delete"));
        assert!(!machine_tags::delete(&mut tx, lab.spare, "B").await.expect("gone already"));
        tx.commit().await.expect("commit");

        let inventory = db.store.inventory().await.expect("inventory");
        assert_eq!(inventory.tags_of(lab.spare), [tag(lab.spare, "a"), tag(lab.spare, "b")]);
        assert_eq!(inventory.tags_of(999), []);

        let mut tx = crate::fixtures::tx(&db).await;
        let twice = machine_tags::insert(&mut tx, lab.spare, "a").await;
        assert!(matches!(twice, Err(StoreError::Unique { key: "machine_tags.machine_id,tag" })), "{twice:?}");
        drop(tx);
        let mut tx = crate::fixtures::tx(&db).await;
        assert!(machines::delete(&mut tx, lab.spare).await.expect("delete"));
        assert_eq!(machine_tags::list(&mut tx).await.expect("list"), all[..1]);
    }
);

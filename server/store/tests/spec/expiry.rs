//! Sessions, tokens and console keys: what still lets in, and for how long.

use crate::fixtures::*;
use store::*;

store_test!(
    async fn a_session_ends_at_its_time(db) {
        let mut tx = tx(&db).await;
        sessions::insert(&mut tx, &a_session("s", None, NOW + 10)).await.expect("insert");
        assert!(sessions::get(&mut tx, "s", NOW + 9).await.expect("read").is_some());
        assert!(sessions::get(&mut tx, "s", NOW + 10).await.expect("read").is_none());
        assert!(sessions::get(&mut tx, "other", NOW).await.expect("read").is_none());

        assert_eq!(sessions::delete_expired(&mut tx, NOW + 9).await.expect("delete"), 0);
        assert_eq!(sessions::delete_expired(&mut tx, NOW + 10).await.expect("delete"), 1);
        assert!(sessions::get(&mut tx, "s", NOW).await.expect("read").is_none());
    }
);

store_test!(
    async fn a_session_takes_its_user_at_login_and_lives_on_when_seen(db) {
        let lab = lab(&db).await;
        let mut tx = tx(&db).await;
        let row = a_session("s", None, NOW + 10);
        sessions::insert(&mut tx, &row).await.expect("insert");
        let row = SessionRow { user_id: Some(lab.anna), data: r#"{"user":1}"#.into(), last_seen_at: NOW + 5, expires_at: NOW + 20, ..row };
        assert!(sessions::update(&mut tx, &row).await.expect("update"));
        assert_eq!(sessions::get(&mut tx, "s", NOW + 15).await.expect("read"), Some(row.clone()));
        assert!(sessions::delete(&mut tx, "s").await.expect("delete"));
        assert!(!sessions::update(&mut tx, &row).await.expect("a session that ended is not brought back"));
    }
);

store_test!(
    async fn logging_out_everywhere_may_spare_the_present_session(db) {
        let lab = lab(&db).await;
        let mut tx = tx(&db).await;
        for (hash, user) in [("a1", Some(lab.anna)), ("a2", Some(lab.anna)), ("a3", Some(lab.anna)), ("b", Some(lab.ben)), ("n", None)] {
            sessions::insert(&mut tx, &a_session(hash, user, NOW + 10)).await.expect("insert");
        }
        assert_eq!(sessions::delete_for_user(&mut tx, lab.anna, Some("a2")).await.expect("delete"), 2);
        assert!(sessions::get(&mut tx, "a2", NOW).await.expect("read").is_some());
        assert_eq!(sessions::delete_for_user(&mut tx, lab.anna, None).await.expect("delete"), 1);
        assert!(sessions::get(&mut tx, "b", NOW).await.expect("read").is_some());
        assert!(sessions::get(&mut tx, "n", NOW).await.expect("read").is_some());
    }
);

store_test!(
    async fn a_token_answers_whose_it_is(db) {
        let lab = lab(&db).await;
        let mut tx = tx(&db).await;
        let id = tokens::insert(&mut tx, &NewToken { expires_at: Some(NOW + 5), ..a_token(lab.anna, "h") }).await.expect("insert");
        let owner = TokenOwner {
            token_id: id,
            last_used_at: None,
            expires_at: Some(NOW + 5),
            scopes: None,
            user_id: lab.anna,
            username: "anna".into(),
            admin: false,
        };
        assert_eq!(tokens::get_by_hash(&mut tx, "h").await.expect("read"), Some(owner.clone()));
        assert!(tokens::touch(&mut tx, id, NOW + 1).await.expect("touch"));
        let owner = TokenOwner { last_used_at: Some(NOW + 1), ..owner };
        assert_eq!(tokens::get_by_hash(&mut tx, "h").await.expect("read"), Some(owner));

        let list = tokens::list_for_user(&mut tx, lab.anna).await.expect("list");
        assert_eq!(list, [tokens::get(&mut tx, id).await.expect("read").expect("there")]);
        assert_eq!(tokens::list_for_user(&mut tx, lab.ben).await.expect("list"), []);
        assert!(tokens::delete(&mut tx, id).await.expect("delete"));
        assert_eq!(tokens::get_by_hash(&mut tx, "h").await.expect("read"), None);

        tokens::insert(&mut tx, &a_token(lab.anna, "h2")).await.expect("insert");
        tokens::insert(&mut tx, &a_token(lab.ben, "h3")).await.expect("insert");
        assert_eq!(tokens::delete_for_user(&mut tx, lab.anna).await.expect("delete"), 1);
        assert!(tokens::get_by_hash(&mut tx, "h3").await.expect("read").is_some());
    }
);

store_test!(
    async fn a_console_key_opens_once(db) {
        let lab = lab(&db).await;
        let row = ConsoleTokenRow { token_hash: "k".into(), machine_id: lab.machine, user_id: lab.anna, session_hash: Some("s".into()), token_id: Some(7), expires_at: NOW + 10 };
        let mut tx = tx(&db).await;
        console_tokens::insert(&mut tx, &row).await.expect("insert");
        assert_eq!(console_tokens::take(&mut tx, "k", NOW + 10).await.expect("take"), None, "too late");
        assert_eq!(console_tokens::take(&mut tx, "k", NOW).await.expect("take"), Some(row.clone()));
        assert_eq!(console_tokens::take(&mut tx, "k", NOW).await.expect("take"), None, "used up");
        console_tokens::insert(&mut tx, &row).await.expect("insert");
        assert_eq!(console_tokens::delete_expired(&mut tx, NOW + 10).await.expect("delete"), 1);
    }
);

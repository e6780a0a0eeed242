//! What is written to a broker: the same in every version and on every machine, and read without a panic.

use forloop_remote::{BodyId, CallError, End, Job, JobKey};

const LIMIT: usize = 1_000;

fn body(name: &str) -> BodyId {
    BodyId { name: name.to_owned(), version: 7 }
}

fn ends() -> Vec<(End, &'static [u8])> {
    vec![
        (End::Ok(b"[1,2]".to_vec()), b"o[1,2]"),
        (End::Ok(Vec::new()), b"o"),
        (End::Failed(b"\"late\"".to_vec()), b"f\"late\""),
        (End::Panicked(Some("at 3".to_owned())), b"pat 3"),
        (End::Panicked(None), b"q"),
        (End::Cancelled, b"c"),
        (End::NotRun, b"n"),
        (End::Lost, b"l"),
        (End::Call(CallError::DifferentItem), b"e\"DifferentItem\""),
        (End::Call(CallError::Decode("x".to_owned())), b"e{\"Decode\":\"x\"}"),
    ]
}

#[test]
fn an_end_is_written_in_one_way_and_read_again() {
    for (end, bytes) in ends() {
        assert_eq!(end.to_bytes(), bytes, "{end:?}");
        assert_eq!(End::from_bytes(bytes, LIMIT), end);
    }
}

#[test]
fn other_bytes_are_the_end_of_a_call_that_cannot_be_decoded() {
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..20_000 {
        let length = random.usize(0..40);
        let mut bytes: Vec<_> = (0..length).map(|_| random.u8(..)).collect();
        // Often with the letter of a kind.
        if let (Some(first), true) = (bytes.first_mut(), random.bool()) {
            *first = b"ofpqcnle"[random.usize(0..8)];
        }
        let end = End::from_bytes(&bytes, LIMIT);
        let is_known = bytes.first().is_some_and(|first| b"ofpqcnle".contains(first));
        assert!(is_known || matches!(end, End::Call(CallError::Decode(_))), "{bytes:?}: {end:?}");
    }
}

#[test]
fn an_end_beyond_the_limit_is_not_decoded() {
    let bytes = [b"o".as_slice(), &[b'1'; LIMIT + 1]].concat();
    let end = End::from_bytes(&bytes, LIMIT);
    assert!(matches!(end, End::Call(CallError::TooLarge { bytes, .. }) if bytes == LIMIT + 1));
    assert!(matches!(
        End::from_bytes(&bytes[1..], LIMIT),
        End::Call(CallError::Decode(_) | CallError::TooLarge { .. })
    ));
}

#[test]
fn the_name_of_a_body_is_read_as_it_is_written() {
    for name in ["crawl.fetch", "with spaces", "with@sign", "", "é"] {
        assert_eq!(BodyId::parse(&body(name).to_string()), Some(body(name)));
    }
    for text in ["", "fetch", "fetch@", "fetch@one", "fetch@-1", "fetch@4294967296"] {
        assert_eq!(BodyId::parse(text), None, "{text}");
    }
}

#[test]
fn a_fingerprint_is_of_body_and_item_and_the_same_everywhere() {
    let key = JobKey { index: 3, attempt: 1 };
    let job = |id: BodyId, item: &str| Job::new(key, id, false, item.into()).fingerprint;
    let first = job(body("fetch"), "1");
    assert_eq!(first, job(body("fetch"), "1"));
    assert_ne!(first, job(body("fetch"), "2"));
    assert_ne!(first, job(body("fetched"), "1"));
    assert_ne!(first, job(BodyId { version: 8, ..body("fetch") }, "1"));
    assert_eq!(format!("{first:016x}"), "27adeb4f1b49c1f6");
    assert_eq!(key.to_string(), "3.1");
}

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

const SMALL: Limits = Limits {
    names: 3,
    addresses: 5,
    hold: Duration::from_secs(300),
};

fn host(number: u8) -> Host {
    Host::parse(&format!("h{number}.example")).unwrap()
}

fn table(random: u64) -> Table {
    Table::new(SMALL, Seed::new(random))
}

#[test]
fn the_name_unused_for_longest_leaves_first() {
    let mut table = table(0);
    let start = Instant::now();
    let second = |n| start + Duration::from_secs(n);
    let addrs: Vec<_> = (0..3)
        .map(|n| {
            table
                .assign(&host(n), Family::V4, second(n.into()))
                .unwrap()
        })
        .collect();
    assert_eq!(table.name_of(addrs[0], second(3)), Some(host(0)));
    table.assign(&host(3), Family::V4, second(4)).unwrap();
    assert_eq!(table.name_of(addrs[0], second(5)), Some(host(0)));
    assert_eq!(table.name_of(addrs[1], second(5)), None);
    assert_eq!(table.name_of(addrs[2], second(5)), Some(host(2)));
}

#[test]
fn an_address_on_hold_stands_for_nothing_until_its_time_is_over() {
    let mut table = table(0);
    let start = Instant::now();
    let first = table.assign(&host(0), Family::V4, start).unwrap();
    for n in 1..5 {
        table.assign(&host(n), Family::V4, start).unwrap();
    }
    let just_before = start + SMALL.hold - Duration::from_nanos(1);
    assert_eq!(
        table.assign(&host(5), Family::V4, just_before),
        Err(Exhausted)
    );
    assert_eq!(table.name_of(first, just_before), None);
    let after = start + SMALL.hold;
    assert_eq!(table.assign(&host(5), Family::V4, after), Ok(first));
    assert_eq!(table.name_of(first, after), Some(host(5)));
}

#[test]
fn exhaustion_changes_nothing() {
    let mut table = table(0);
    let now = Instant::now();
    let addrs: Vec<_> = (0..5)
        .map(|n| table.assign(&host(n), Family::V6, now).unwrap())
        .collect();
    assert_eq!(table.assign(&host(9), Family::V6, now), Err(Exhausted));
    for n in 2..5 {
        assert_eq!(
            table.assign(&host(n), Family::V6, now),
            Ok(addrs[usize::from(n)])
        );
    }
}

#[test]
fn a_table_that_begins_at_the_end_of_the_range_goes_on_at_its_beginning() {
    let mut table = table(u64::from(range::PLACES - 1));
    let now = Instant::now();
    let last = table.assign(&host(0), Family::V4, now).unwrap();
    let next = table.assign(&host(1), Family::V4, now).unwrap();
    assert_eq!(last.to_string(), "198.19.255.254");
    assert_eq!(next.to_string(), "198.18.0.1");
    assert_eq!(table.name_of(last, now), Some(host(0)));
    assert_eq!(table.name_of(next, now), Some(host(1)));
}

#[derive(Clone, Debug)]
enum Step {
    Assign(u8, Family),
    Look(usize),
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let family = prop_oneof![Just(Family::V4), Just(Family::V6)];
    let step = prop_oneof![
        4 => (0u8..9, family).prop_map(|(n, f)| Step::Assign(n, f)),
        2 => any::<usize>().prop_map(Step::Look),
        1 => (0u64..400).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 0..200)
}

proptest! {
    /// Whatever is asked in whatever order: an address never stands for a name while somebody may hold it for another.
    #[test]
    fn an_address_never_changes_its_name_while_it_is_remembered(steps in steps(), random: u64) {
        let mut table = table(random);
        let mut now = Instant::now();
        let mut last: HashMap<IpAddr, (Host, Instant)> = HashMap::new();
        for step in steps {
            match step {
                Step::Wait(seconds) => now += Duration::from_secs(seconds),
                Step::Assign(n, family) => {
                    let Ok(addr) = table.assign(&host(n), family, now) else { continue };
                    if let Some((name, used)) = last.insert(addr, (host(n), now)) {
                        prop_assert!(name == host(n) || now - used >= SMALL.hold);
                    }
                    prop_assert_eq!(table.name_of(addr, now), Some(host(n)));
                }
                Step::Look(n) => {
                    let Some(addr) = last.keys().nth(n % last.len().max(1)).copied() else { continue };
                    if let Some(name) = table.name_of(addr, now)
                        && let Some((known, used)) = last.insert(addr, (name.clone(), now))
                    {
                        prop_assert!(name == known || now - used >= SMALL.hold);
                    }
                }
            }
            prop_assert!(table.by_name.len() <= SMALL.names as usize);
            prop_assert_eq!(table.by_name.len() + table.held.len(), table.slots.len());
        }
    }
}

use super::*;

fn enter(workloads: &Workloads, id: u64, path: &str) -> Result<Arc<Workload>, WorkloadsFull> {
    workloads.enter(
        CgroupId(id),
        &path.into(),
        &Label::default(),
        &Arc::default(),
    )
}

#[test]
fn a_workload_is_found_until_it_is_removed() {
    let workloads = Workloads::new(8);
    assert_eq!(workloads.find(CgroupId(7)), None);
    let policy: Arc<str> = "openai".into();
    let entered = workloads
        .enter(
            CgroupId(7),
            &"/agents/a".into(),
            &Label::new(Some(&policy)).unwrap(),
            &Arc::default(),
        )
        .unwrap();
    let expected = Workload {
        name: "a".into(),
        policy: Some(policy),
        cgroup: CgroupId(7),
        path: "/agents/a".into(),
        attributes: Default::default(),
        stance: enforcer_flow::Stance::default(),
    };
    assert_eq!(*entered, expected);
    assert_eq!(workloads.find(CgroupId(7)), Some(entered.clone()));
    assert_eq!(workloads.find(CgroupId(8)), None);
    assert_eq!(workloads.remove(CgroupId(7)), Some(entered));
    assert_eq!(
        (workloads.find(CgroupId(7)), workloads.remove(CgroupId(7))),
        (None, None)
    );
}

#[test]
fn names_are_unique() {
    let workloads = Workloads::new(8);
    let name = |id, path| enter(&workloads, id, path).unwrap().name.to_string();
    assert_eq!(name(1, "/x/agent"), "agent");
    assert_eq!(name(2, "/y/agent"), "/y/agent");
    // The same path again, before the removal of the first was noticed.
    assert_eq!(name(3, "/y/agent"), "/y/agent#3");
    assert_eq!(name(4, "/"), "/");
    let listed: Vec<_> = workloads
        .list()
        .iter()
        .map(|w| w.name.to_string())
        .collect();
    assert_eq!(listed, ["/", "/y/agent", "/y/agent#3", "agent"]);
}

#[test]
fn a_changed_label_keeps_the_name() {
    let workloads = Workloads::new(2);
    enter(&workloads, 1, "/x/agent").unwrap();
    let second = enter(&workloads, 2, "/y/agent").unwrap();
    workloads.remove(CgroupId(1));
    let again = workloads
        .enter(
            CgroupId(2),
            &"/y/agent".into(),
            &Label::new(Some("openai")).unwrap(),
            &Arc::default(),
        )
        .unwrap();
    assert_eq!(
        (&again.name, again.policy.as_deref()),
        (&second.name, Some("openai"))
    );
}

#[test]
fn a_full_register_refuses_and_stays_as_it_was() {
    let workloads = Workloads::new(2);
    enter(&workloads, 1, "/a").unwrap();
    enter(&workloads, 2, "/b").unwrap();
    assert_eq!(enter(&workloads, 3, "/c"), Err(WorkloadsFull { limit: 2 }));
    assert_eq!(workloads.find(CgroupId(3)), None);
    assert_eq!(workloads.list().len(), 2);
    // One that is in already needs no room.
    enter(&workloads, 2, "/b").unwrap();
}

#[test]
fn readers_see_every_entry_that_writers_made_at_once() {
    let workloads = Workloads::new(400);
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let workloads = &workloads;
            scope.spawn(move || {
                for id in writer * 100..(writer + 1) * 100 {
                    enter(workloads, id, &format!("/w/{id}")).unwrap();
                    assert!(workloads.find(CgroupId(id)).is_some());
                }
            });
        }
    });
    assert_eq!(workloads.list().len(), 400);
}

#[test]
fn tmp() {
    let data = std::fs::read("/tmp/w/worlds_bg/snap1").unwrap();
    crate::snapshot(&data);
}

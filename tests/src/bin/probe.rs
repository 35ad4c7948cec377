//! The probe as a program; see [`enforcer_tests::probe`].

fn main() -> anyhow::Result<()> {
    enforcer_tests::probe::main()
}

//! `make demo`: a desk that can be watched. A line is cut, the countdown runs, the account manager's mail
//! arrives, the line comes back. With `DEMO_ONCE=1` the story is played once: exit code 0 says that each
//! step was observed. Leaves nothing behind.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use linewatch_tests::demo::{LINES, Lines, Narrator, PASSWORD, Pace, Stage, StageOptions, USER, play};
use linewatch_tests::harness::{Folder, interrupt_on_signals, is_interrupted, pause};

/// The board's port where it is free.
const PORT: u16 = 8080;
/// Between two stories, for a person to look at the quiet board.
const QUIET: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    match demo() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) if is_interrupted() => {
            tell("ended by a signal; nothing is left behind");
            if is_once() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Err(error) => {
            tell(&format!("FAILED: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn tell(text: &str) {
    // With standard output gone there is nobody left to tell.
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn is_once() -> bool {
    std::env::var("DEMO_ONCE").is_ok_and(|value| !value.is_empty() && value != "0")
}

fn demo() -> Result<()> {
    interrupt_on_signals()?;
    let folder = Folder::new()?;
    let outcome = run(&folder);
    if outcome.is_err() && !is_interrupted() {
        // What a person needs to find out why; everything else is gone by now.
        let kept = std::env::temp_dir().join(format!("linewatch-demo-logs-{}", std::process::id()));
        folder.copy_logs(&kept)?;
        tell(&format!("the logs are in {}", kept.display()));
    }
    outcome
}

fn run(folder: &Folder) -> Result<()> {
    let mut narrator = Narrator::default();
    let pace = if is_once() { Pace::ONCE } else { Pace::WATCH };
    let options = StageOptions { pace, http_port: Some(PORT) };
    let mut stage = Stage::set_up(folder.path(), Lines::new()?, options, &mut narrator)?;
    tell(&format!("\n  The board: http://{}/   user {USER}, password {PASSWORD}\n", stage.server.http));
    if is_once() {
        play(&mut stage, &mut narrator, pace, 0)?;
        stage.take_down()?;
        narrator.say(&format!(
            "all {} steps were observed; everything has ended and is removed",
            narrator.steps()
        ));
        return Ok(());
    }
    tell("  Ctrl-C ends it.\n");
    for line in (0..LINES.len()).cycle() {
        if let Err(error) = play(&mut stage, &mut narrator, pace, line) {
            if is_interrupted() {
                return Err(error);
            }
            // Whoever watches may press the board's buttons too: that is no failure.
            narrator.say(&format!("this fault went another way: {error:#}"));
            stage.lines.mend(line)?;
        }
        narrator.say("quiet for a while; the next line is cut soon");
        pause(QUIET)?;
    }
    Ok(())
}

//! Writing things down, in the book before and after, and setting traps on the way.

use anyhow::{Result, bail, ensure};

use super::gate::Trap;
use super::laptop::{Laptop, Op, PHOTOS_MAX, Saved, What};
use super::machine::Machine;
use super::world::World;

/// Sectors of a write under way that are written at most.
const SECTORS_MAX: u64 = 9;

impl World {
    /// The next thing to be written on a laptop.
    fn op(&mut self, laptop: &mut impl Laptop) -> Op {
        self.writes += 1;
        let mark = format!("fault-matrix {}-{}", self.point, self.writes);
        let with_photos = laptop.takes_photos();
        Op::draw(mark, laptop.machine(), with_photos, &mut self.seed)
    }

    /// Saves one thing, in the book before and after.
    ///
    /// # Errors
    /// When the program cannot be asked, or speaks of damage.
    pub fn save(&mut self, laptop: &mut impl Laptop) -> Result<Saved> {
        let op = self.op(laptop);
        self.save_this(laptop, &op)
    }

    /// Whether [`World::measure`] was called.
    #[must_use]
    pub const fn knows_pages(&self) -> bool {
        self.changes_of_a_page > 0
    }

    /// A visit with all the pictures that one may have, on a laptop with which nothing is wrong: it says how many changes
    /// of the disk such a one takes.
    ///
    /// # Errors
    /// When it is not saved.
    pub fn measure(&mut self, laptop: &mut impl Laptop) -> Result<()> {
        let mut op = self.op(laptop);
        let (customer, findings) = (laptop.machine().customer.clone(), "all in order".to_owned());
        op.what = What::Visit { customer, findings, photos: PHOTOS_MAX };
        let before = laptop.machine().volume.gate().changes();
        let saved = self.save_this(laptop, &op)?;
        ensure!(matches!(saved, Saved::Answered(_)), "a visit with its pictures is not saved: {saved:?}");
        self.changes_of_a_page = laptop.machine().volume.gate().changes() - before;
        Ok(())
    }

    fn save_this(&mut self, laptop: &mut impl Laptop, op: &Op) -> Result<Saved> {
        let by_page = laptop.takes_photos();
        let name = laptop.machine().name.clone();
        self.ledger.attempt(op, &name);
        let before = laptop.machine().volume.gate().changes();
        let saved = laptop.save(op)?;
        self.ledger.note(op, &saved);
        let took = laptop.machine().volume.gate().changes() - before;
        let by = if by_page { format!("page, {} pictures", op.photos()) } else { "command".to_owned() };
        self.tell(&name, &format!("{} ({by}) {saved:?} in {took} changes", op.mark));
        if matches!(saved, Saved::Answered(_)) {
            if !by_page {
                self.changes_of_a_save = (self.changes_of_a_save * 3 + took).div_ceil(4);
            }
            self.proofs.add(if by_page { "saves by the page" } else { "saves by the command line" }, 1);
        }
        Ok(saved)
    }

    /// A save that has to succeed: nothing is wrong with the laptop.
    ///
    /// # Errors
    /// When it does not.
    pub fn save_surely(&mut self, machine: &mut Machine) -> Result<()> {
        match self.save(machine)? {
            Saved::Answered(_) => Ok(()),
            other => bail!("nothing is wrong with {}, and it does not save: {other:?}", machine.name),
        }
    }

    /// Sets a trap somewhere in the next `saves` saves.
    pub fn arm(&mut self, laptop: &mut impl Laptop, saves: u64, trap: Trap) {
        let of_one = if laptop.takes_photos() { self.changes_of_a_page } else { self.changes_of_a_save };
        let after = self.seed.below((of_one * saves).max(1));
        laptop.machine().volume.gate().arm(after, trap);
    }

    /// A trap that freezes the disk, tearing the write under way or not.
    pub fn freeze(&mut self) -> Trap {
        Trap::Freeze { sectors: self.seed.below(SECTORS_MAX) }
    }

    /// Saves up to `count` things, until the machine dies.
    ///
    /// # Errors
    /// Those of the saves.
    pub fn write(&mut self, laptop: &mut impl Laptop, count: u64) -> Result<()> {
        for _ in 0..count {
            if self.save(laptop)? == Saved::Died {
                break;
            }
        }
        Ok(())
    }
}

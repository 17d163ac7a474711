//! What figures are grouped by.

use super::figure::Section;

/// What figures are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// The tier that a fault began under, as `pack/tier`.
    Tier,
    /// The customer whose line it was when the fault began, by code.
    Customer,
    /// The customer's account manager now, by name.
    Manager,
    /// Who did the work, by user name: who said that a fault's service was back, or took the step that did what a matter
    /// asks for. Empty where service came back by itself, or nobody has done it yet.
    Technician,
    /// Who maintained the line when the fault began, by code; of a matter without a line who maintains the site or customer
    /// now. Empty for our own.
    Contractor,
    /// The customer's region now.
    Region,
    /// Causes of pauses and exemptions, as `pack/cause`; a fault without any is in no such group.
    Cause,
    /// The class of a complaint, request, defect or promise, or the cadence of a round, as `pack/class`.
    Class,
    /// The line, by code.
    Line,
}

impl Group {
    /// Every grouping, in the order in which reports show them.
    pub const ALL: [Self; 9] = [
        Self::Tier,
        Self::Customer,
        Self::Manager,
        Self::Technician,
        Self::Contractor,
        Self::Region,
        Self::Cause,
        Self::Class,
        Self::Line,
    ];

    /// Whether figures of a section are counted in this grouping: a matter has no tier and no line's year, a fault no
    /// class, and a line no cause; what was checked is grouped by whose it is, and the hotline not at all.
    #[must_use]
    pub const fn has(self, section: Section) -> bool {
        match (self, section) {
            (_, Section::Calls) => false,
            (Self::Tier, _) => !matches!(section, Section::Matters),
            (Self::Line, _) => matches!(section, Section::Faults | Section::Lines),
            (Self::Class, _) => matches!(section, Section::Matters),
            (Self::Cause, _) => matches!(section, Section::Faults | Section::Matters),
            (Self::Technician, _) => !matches!(section, Section::Lines),
            (Self::Customer | Self::Manager | Self::Contractor | Self::Region, _) => true,
        }
    }

    /// Its name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tier => "tier",
            Self::Customer => "customer",
            Self::Manager => "manager",
            Self::Technician => "technician",
            Self::Contractor => "contractor",
            Self::Region => "region",
            Self::Cause => "cause",
            Self::Class => "class",
            Self::Line => "line",
        }
    }

    /// Reads [`Group::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.name() == name)
    }
}

/// The groups that a fault or a line belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// `pack/tier`.
    pub tier: String,
    /// The code.
    pub customer: String,
    /// The name; empty for none.
    pub manager: String,
    /// The user's name; empty for none, and none for what is a line's.
    pub technician: Option<String>,
    /// The code; empty for none.
    pub contractor: String,
    /// The name; empty for none.
    pub region: String,
    /// `pack/cause`, rising, without doubles.
    pub causes: Vec<String>,
    /// `pack/class`; none for what is no matter.
    pub class: Option<String>,
    /// The code.
    pub line: String,
}

impl Keys {
    /// The keys in a grouping.
    #[must_use]
    pub fn of(&self, group: Group) -> &[String] {
        match group {
            Group::Tier | Group::Line if self.class.is_some() => &[],
            Group::Class => self.class.as_slice(),
            Group::Tier => std::slice::from_ref(&self.tier),
            Group::Customer => std::slice::from_ref(&self.customer),
            Group::Manager => std::slice::from_ref(&self.manager),
            Group::Technician => self.technician.as_slice(),
            Group::Contractor => std::slice::from_ref(&self.contractor),
            Group::Region => std::slice::from_ref(&self.region),
            Group::Cause => &self.causes,
            Group::Line => std::slice::from_ref(&self.line),
        }
    }
}

//! What the audit trail may say was done: a closed list. An entry is written with one of these words and no other; each
//! belongs to a kind, which says how long it is kept.
//!
//! Add a line here for whatever else is worth an entry, and its word to `docs/audit.md`.

/// What an entry is about, which decides how long it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Who gets in, and as what.
    Access,
    /// Who may get in, and what was refused.
    Security,
    /// Who read what is personal.
    Personal,
    /// What left as a file.
    Export,
    /// What was decided or changed on the desk.
    Change,
    /// What happened to the trail itself.
    Trail,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Access, Self::Security, Self::Personal, Self::Export, Self::Change, Self::Trail];

    /// Its word in lists and configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Security => "security",
            Self::Personal => "personal",
            Self::Export => "export",
            Self::Change => "change",
            Self::Trail => "trail",
        }
    }
}

macro_rules! actions {
    ($($kind:ident { $($(#[doc = $says:literal])+ $name:ident = $word:literal,)+ })+) => {
        /// What was done.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action {
            $($($(#[doc = $says])+ $name,)+)+
        }

        impl Action {
            /// Every word, by kind.
            pub const ALL: &[Self] = &[$($(Self::$name,)+)+];

            /// As the trail says it. Words are part of the interface: they never change their meaning.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $($(Self::$name => $word,)+)+
                }
            }

            /// Its kind.
            #[must_use]
            pub const fn kind(self) -> Kind {
                match self {
                    $($(Self::$name)|+ => Kind::$kind,)+
                }
            }

            /// What it means, for people.
            #[must_use]
            pub const fn says(self) -> &'static str {
                match self {
                    $($(Self::$name => concat!($($says),+),)+)+
                }
            }
        }
    };
}

actions! {
    Access {
        /// A person signed in.
        SignedIn = "signed in",
        /// A screen on the wall was signed in.
        ScreenSignedIn = "signed in as a screen",
        /// A name or password was wrong, or there were too many tries; several of one address within a minute are
        /// one entry with their number.
        SignInRefused = "sign-in refused",
        /// A person signed out.
        SignedOut = "signed out",
        /// A person ended one of the own sessions.
        SessionEnded = "session ended",
        /// All sessions of a person were ended.
        SignedOutEverywhere = "signed out everywhere",
        /// A person changed the own password.
        PasswordChanged = "password changed",
        /// A new password was given to a person.
        PasswordReset = "password reset",
        /// A person began to use a second factor.
        SecondFactorOn = "second factor on",
        /// A person gave the second factor up.
        SecondFactorOff = "second factor off",
        /// A code of the second factor was wrong or used before.
        SecondFactorRefused = "second factor refused",
        /// An administrator took a person's second factor away.
        SecondFactorReset = "second factor reset",
        /// A person signed in by a recovery code.
        RecoveryCodeUsed = "recovery code used",
        /// New recovery codes were made.
        RecoveryCodesMade = "recovery codes made",
        /// An API token was made.
        TokenMade = "token made",
        /// An API token was made worthless.
        TokenRevoked = "token revoked",
        /// A person of the identity provider was linked with a user.
        IdentityLinked = "identity linked",
        /// A user's identity was taken away.
        IdentityUnlinked = "identity unlinked",
    }
    Security {
        /// Requests were refused; the detail has the reason's code, the route and how many.
        Refused = "refused",
        /// A user was added.
        UserAdded = "user added",
        /// A user may sign in no more.
        UserDisabled = "user disabled",
        /// A user may sign in again.
        UserEnabled = "user enabled",
        /// A user has another role.
        RoleGiven = "role given",
        /// A user sees other customers or regions.
        ScopeGiven = "scope given",
        /// An enrolment token was made.
        EnrolmentTokenMade = "enrolment token made",
        /// An agent was given its certificate.
        Enrolled = "enrolled",
        /// An agent showed its new certificate for the first time; the token is spent.
        EnrolmentConfirmed = "enrolment confirmed",
        /// An agent renewed its certificate.
        CertificateRenewed = "certificate renewed",
        /// An agent whose certificate had expired proved its key and got a new one.
        CertificateRecovered = "certificate recovered",
        /// Somebody did not prove an agent's key; the detail says why.
        ProofRefused = "proof of a key refused",
        /// An agent is kept out.
        AgentRevoked = "agent revoked",
        /// Two devices use one agent's identity: its records are kept aside.
        AgentQuarantined = "agent quarantined",
        /// A person ended an agent's quarantine.
        AgentReleased = "agent released",
        /// A person discarded what a quarantine had kept aside.
        AgentRecordsDiscarded = "agent records discarded",
        /// Who may sign in on an agent's own page.
        AgentPeopleChanged = "people of agent changed",
        /// Which customers an agent sees beside its own lines.
        AgentCustomersChanged = "customers of agent changed",
        /// The server's authority has a new root.
        AuthorityRotated = "authority rotated",
        /// New certificates come from the new root.
        AuthoritySwitched = "authority switched",
        /// The old root is trusted no more.
        AuthorityRetired = "authority retired",
        /// A pack that was not in force before came into force.
        PacksChanged = "packs changed",
        /// A server began to serve.
        ServerStarted = "server started",
        /// The database was copied to a file.
        BackupMade = "backup made",
        /// The database is a copy that was put back.
        BackupRestored = "backup restored",
    }
    Personal {
        /// Somebody read whom to call; of the same by the same person within 15 minutes: one entry.
        ContactRead = "contact read",
    }
    Export {
        /// Reference data.
        Exported = "exported",
        /// A report's figures.
        ReportExported = "report exported",
        /// An assessment.
        AssessmentExported = "assessment exported",
        /// Papers of the monthly meeting.
        PapersExported = "papers exported",
        /// The audit trail itself.
        TrailExported = "audit trail exported",
    }
    Change {
        /// A pause, an exemption, or another step that changes what a fault or matter counts for.
        StepGranted = "step granted",
        /// A step whose time was set back.
        StepSetBack = "step set back",
        /// Reference data came from a file.
        Imported = "imported",
        /// Figures of the telephone system.
        CallsImported = "calls imported",
        /// A customer was entered or changed by hand.
        CustomerWritten = "customer written",
        /// A superior admitted a new customer.
        CustomerAdmitted = "customer admitted",
        /// A superior refused a new customer.
        CustomerRefused = "customer refused",
        /// A site was entered or changed.
        SiteWritten = "site written",
        /// A piece of equipment was entered.
        EquipmentAdded = "equipment added",
        /// A piece of equipment has another grade.
        EquipmentGraded = "equipment graded",
        /// A contractor was entered.
        ContractorAdded = "contractor added",
        /// A contractor was changed.
        ContractorChanged = "contractor changed",
        /// An agreement of confidentiality was entered.
        AgreementRecorded = "agreement recorded",
        /// An agreement of confidentiality was ended.
        AgreementEnded = "agreement ended",
        /// A leak of data was reported.
        LeakReported = "leak reported",
        /// A risk was entered by hand.
        RiskEntered = "risk entered",
        /// A risk that was entered by hand was taken back.
        RiskTakenBack = "risk taken back",
        /// A new grade was proposed for a customer.
        GradeProposed = "grade proposed",
        /// A customer's new grade was approved.
        GradeApproved = "grade approved",
        /// A customer's new grade was rejected.
        GradeRejected = "grade rejected",
        /// A month's rota was written.
        RotaWritten = "rota written",
        /// A month's rota was approved.
        RotaApproved = "rota approved",
        /// A shift's handover was written.
        HandoverWritten = "handover written",
        /// A shift's handover was signed.
        HandoverSigned = "handover signed",
        /// A shift's handover was reviewed.
        HandoverReviewed = "handover reviewed",
        /// Somebody's absence and stand-in were entered.
        AbsenceWritten = "absence written",
        /// An absence was ended.
        AbsenceEnded = "absence ended",
        /// A customer's plan was written.
        PlanWritten = "plan written",
        /// A customer's plan was approved.
        PlanApproved = "plan approved",
        /// Papers of the monthly meeting were approved.
        PapersApproved = "papers approved",
        /// A survey was made.
        SurveyMade = "survey made",
        /// A survey was sent to customers.
        SurveySent = "survey sent",
        /// Closed work was checked.
        QualityChecked = "quality checked",
        /// The acceptance of a line was begun.
        AcceptanceOpened = "acceptance opened",
        /// A duty that comes round was given.
        DutyWritten = "duty written",
        /// What did not fit was settled by a person.
        ConflictSettled = "conflict settled",
        /// Planned work was applied for.
        PlannedWorkAdded = "planned work added",
        /// Planned work was announced to the customers.
        PlannedWorkAnnounced = "planned work announced",
        /// Planned work was called off.
        PlannedWorkCancelled = "planned work cancelled",
        /// A customer's or line's service ends.
        ServiceEnded = "service ended",
        /// The end of a service was taken back.
        ServiceGoesOn = "service goes on",
        /// The desk has words of its own for an alert.
        AlertTextSet = "alert text set",
        /// An alert has the shipped words again.
        AlertTextReset = "alert text reset",
        /// Somebody took an alert.
        AlertAcknowledged = "alert acknowledged",
        /// A message that could not be delivered was sent again.
        AlertSentAgain = "alert sent again",
        /// A message to try a channel was sent.
        ChannelTried = "channel tried",
        /// What is personal of a customer or person is being erased.
        ErasureBegun = "erasure begun",
        /// What was personal of a customer or person is gone.
        Erased = "erased",
    }
    Trail {
        /// Entries whose time is over were emptied.
        TrailPruned = "audit trail pruned",
        /// Details went with what was personal; the entry says how many.
        TrailErased = "audit trail details erased",
        /// A person said why the trail ends before an anchor: a backup was put back.
        TrailRestored = "audit trail restored",
    }
}

impl Action {
    /// The action of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_there_once() {
        for (at, action) in Action::ALL.iter().enumerate() {
            assert_eq!(Action::parse(action.word()), Some(*action));
            let said = Action::ALL[at + 1..].iter().find(|other| other.word() == action.word());
            assert_eq!(said, None, "{}", action.word());
            assert!(action.says().trim().ends_with('.'), "{}", action.word());
        }
    }
}

### What account managers read when a promise is in danger, missed, or was missed after all.
###
### For every message: $kind $mark $percent $due (date, time and zone) $due_short $at $balance
### ("24 min left", "5 min over") $after (how long after the due time the work was done)
### $late (yes | no: told so late that it is not news).

## Restoration: service works again.

restoration-warning =
    .what = { $late ->
        [yes] learnt late: { $percent } % of the restoration time was used, { $balance }
       *[no] restoration due { $due_short }, { $balance } ({ $percent } % used)
    }
    .lead = { $late ->
        [yes] This became known late: { $percent } % of the time promised for restoring service was used at { $at }. It is due { $due }; { $balance }.
       *[no] { $percent } % of the time promised for restoring service is used. It is due { $due }; { $balance }.
    }
restoration-missed =
    .what = { $late ->
        [yes] learnt late: restoration was missed, due { $due_short }
       *[no] restoration missed, due { $due_short }
    }
    .lead = { $late ->
        [yes] This became known late: service should have been restored by { $due } and was not.
       *[no] Service should have been restored by { $due } and was not; { $balance }.
    }
restoration-met_late =
    .what = { $late ->
        [yes] learnt late: restored { $after } after the limit
       *[no] restored, { $after } after the limit
    }
    .lead = { $late ->
        [yes] This became known late: service was restored at { $at }, { $after } after the promised time ({ $due }).
       *[no] Service was restored at { $at }, { $after } after the promised time ({ $due }).
    }
restoration-corrected =
    .what = correction: restoration was not missed
    .lead = You were told that the restoration due { $due } was missed. Facts that came in later show that it was not. The earlier alert no longer stands.

## Feedback: telling the customer how the fault stands.

feedback-warning =
    .what = { $late ->
        [yes] learnt late: { $percent } % of the feedback time was used, { $balance }
       *[no] feedback due { $due_short }, { $balance } ({ $percent } % used)
    }
    .lead = { $late ->
        [yes] This became known late: { $percent } % of the time for telling the customer how the fault stands was used at { $at }. It is due { $due }; { $balance }.
       *[no] The customer is owed word on how the fault stands: { $percent } % of the time is used. It is due { $due }; { $balance }.
    }
feedback-missed =
    .what = { $late ->
        [yes] learnt late: feedback was missed, due { $due_short }
       *[no] feedback missed, due { $due_short }
    }
    .lead = { $late ->
        [yes] This became known late: the customer should have been told by { $due } how the fault stands and was not.
       *[no] The customer should have been told by { $due } how the fault stands and was not; { $balance }.
    }
feedback-met_late =
    .what = { $late ->
        [yes] learnt late: feedback given { $after } after the limit
       *[no] feedback given, { $after } after the limit
    }
    .lead = { $late ->
        [yes] This became known late: the customer was told at { $at }, { $after } after the promised time ({ $due }).
       *[no] The customer was told at { $at }, { $after } after the promised time ({ $due }).
    }
feedback-corrected =
    .what = correction: feedback was not missed
    .lead = You were told that the feedback due { $due } was missed. Facts that came in later show that it was not. The earlier alert no longer stands.

## Repair: the cause is mended.

repair-warning =
    .what = { $late ->
        [yes] learnt late: { $percent } % of the repair time was used, { $balance }
       *[no] repair due { $due_short }, { $balance } ({ $percent } % used)
    }
    .lead = { $late ->
        [yes] This became known late: { $percent } % of the time promised for the repair was used at { $at }. It is due { $due }; { $balance }.
       *[no] Service is back; { $percent } % of the time promised for repairing the cause is used. It is due { $due }; { $balance }.
    }
repair-missed =
    .what = { $late ->
        [yes] learnt late: repair was missed, due { $due_short }
       *[no] repair missed, due { $due_short }
    }
    .lead = { $late ->
        [yes] This became known late: the cause should have been repaired by { $due } and was not.
       *[no] The cause should have been repaired by { $due } and was not; { $balance }.
    }
repair-met_late =
    .what = { $late ->
        [yes] learnt late: repaired { $after } after the limit
       *[no] repaired, { $after } after the limit
    }
    .lead = { $late ->
        [yes] This became known late: the cause was repaired at { $at }, { $after } after the promised time ({ $due }).
       *[no] The cause was repaired at { $at }, { $after } after the promised time ({ $due }).
    }
repair-corrected =
    .what = correction: repair was not missed
    .lead = You were told that the repair due { $due } was missed. Facts that came in later show that it was not. The earlier alert no longer stands.

## Callback: asking the customer whether it is really well.

callback-warning =
    .what = { $late ->
        [yes] learnt late: { $percent } % of the callback time was used, { $balance }
       *[no] callback due { $due_short }, { $balance } ({ $percent } % used)
    }
    .lead = { $late ->
        [yes] This became known late: { $percent } % of the time for the callback was used at { $at }. It is due { $due }; { $balance }.
       *[no] The customer is still to be asked whether all is well: { $percent } % of the time for the callback is used. It is due { $due }; { $balance }.
    }
callback-missed =
    .what = { $late ->
        [yes] learnt late: callback was missed, due { $due_short }
       *[no] callback missed, due { $due_short }
    }
    .lead = { $late ->
        [yes] This became known late: the customer should have been called back by { $due } and was not.
       *[no] The customer should have been called back by { $due } and was not; { $balance }.
    }
callback-met_late =
    .what = { $late ->
        [yes] learnt late: called back { $after } after the limit
       *[no] called back, { $after } after the limit
    }
    .lead = { $late ->
        [yes] This became known late: the customer was called back at { $at }, { $after } after the promised time ({ $due }).
       *[no] The customer was called back at { $at }, { $after } after the promised time ({ $due }).
    }
callback-corrected =
    .what = correction: callback was not missed
    .lead = You were told that the callback due { $due } was missed. Facts that came in later show that it was not. The earlier alert no longer stands.

## Supervisor: the customer cannot be reached, somebody has to decide.

supervisor-warning =
    .what = { $late ->
        [yes] learnt late: { $percent } % of the time for a supervisor's decision was used, { $balance }
       *[no] supervisor's decision due { $due_short }, { $balance } ({ $percent } % used)
    }
    .lead = { $late ->
        [yes] This became known late: { $percent } % of the time for a supervisor's decision was used at { $at }. It is due { $due }; { $balance }.
       *[no] Callbacks were in vain, a supervisor has to decide: { $percent } % of the time is used. It is due { $due }; { $balance }.
    }
supervisor-missed =
    .what = { $late ->
        [yes] learnt late: a supervisor's decision was missed, due { $due_short }
       *[no] supervisor's decision missed, due { $due_short }
    }
    .lead = { $late ->
        [yes] This became known late: a supervisor should have decided by { $due } and did not.
       *[no] Callbacks were in vain; a supervisor should have decided by { $due } and did not; { $balance }.
    }
supervisor-met_late =
    .what = { $late ->
        [yes] learnt late: a supervisor decided { $after } after the limit
       *[no] a supervisor decided, { $after } after the limit
    }
    .lead = { $late ->
        [yes] This became known late: a supervisor decided at { $at }, { $after } after the time ({ $due }).
       *[no] A supervisor decided at { $at }, { $after } after the time ({ $due }).
    }
supervisor-corrected =
    .what = correction: a supervisor's decision was not missed
    .lead = You were told that the supervisor's decision due { $due } was missed. Facts that came in later show that it was not. The earlier alert no longer stands.

## Interruption: how long the line may be without service in the year. Availability: the same, of what is promised.
## $due: when it is used up if the outage goes on, or the end of the time that it is for.

interruption-warning =
    .what = { $late ->
        [yes] learnt late: { $percent } % of the year's interruption was used
       *[no] { $percent } % of the year's interruption used
    }
    .lead = { $late ->
        [yes] This became known late: at { $at }, { $percent } % of the time that the line may be without service in the year was used.
       *[no] { $percent } % of the time that the line may be without service in the year is used. Nothing will be left at { $due } at the earliest.
    }
interruption-missed =
    .what = { $late ->
        [yes] learnt late: more than the year's interruption, since { $due_short }
       *[no] the year's interruption is used up, { $due_short }
    }
    .lead = { $late ->
        [yes] This became known late: since { $due } the line was without service for longer than it may be in the year.
       *[no] The line is without service for longer than it may be in the year, since { $due }.
    }
interruption-corrected =
    .what = correction: the year's interruption is not used up
    .lead = You were told that the line was without service for longer than it may be in the year. Facts that came in later show that it was not. The earlier alert no longer stands.

availability-warning =
    .what = { $late ->
        [yes] learnt late: { $percent } % of what the availability leaves was used
       *[no] { $percent } % of what the availability leaves is used
    }
    .lead = { $late ->
        [yes] This became known late: at { $at }, { $percent } % of the interruption that the promised availability leaves was used.
       *[no] { $percent } % of the interruption that the promised availability leaves is used. The promise is broken at { $due } at the earliest.
    }
availability-missed =
    .what = { $late ->
        [yes] learnt late: availability was missed, since { $due_short }
       *[no] availability missed, { $due_short }
    }
    .lead = { $late ->
        [yes] This became known late: since { $due } the line was without service for longer than the promised availability leaves.
       *[no] The line is without service for longer than the promised availability leaves, since { $due }.
    }
availability-corrected =
    .what = correction: availability was not missed
    .lead = You were told that the promised availability was missed. Facts that came in later show that it was not. The earlier alert no longer stands.

## Matters: complaints, requests, defects, promises, visits, patrols. $promise: what is owed.

matter-warning =
    .what = { $late ->
        [yes] learnt late: { $percent } % of the time for { $promise } was used, { $balance }
       *[no] { $promise } due { $due_short }, { $balance } ({ $percent } % used)
    }
    .lead = { $late ->
        [yes] This became known late: { $percent } % of the time promised for { $promise } was used at { $at }. It is due { $due }; { $balance }.
       *[no] { $percent } % of the time promised for { $promise } is used. It is due { $due }; { $balance }.
    }
matter-missed =
    .what = { $late ->
        [yes] learnt late: { $promise } was missed, due { $due_short }
       *[no] { $promise } missed, due { $due_short }
    }
    .lead = { $late ->
        [yes] This became known late: { $promise } was due { $due } and was not kept.
       *[no] { $promise } was due { $due } and was not kept; { $balance }.
    }
matter-met_late =
    .what = { $promise } kept { $after } after the limit
    .lead = { $promise } was kept at { $at }, { $after } after the promised time ({ $due }).
matter-corrected =
    .what = correction: { $promise } was not missed
    .lead = You were told that { $promise }, due { $due }, was missed. Facts that came in later show that it was not. The earlier alert no longer stands.

# $promise is what was done, $state the matter's state.
matter-changed =
    .what = { $late ->
        [yes] learnt late: { $promise }
       *[no] { $promise }
    }
    .lead = { $late ->
        [yes] This became known late, and happened at { $at }: { $promise }. The matter is { $state }. It is reported to you at each change until it is closed.
       *[no] At { $at }: { $promise }. The matter is { $state }. It is reported to you at each change until it is closed.
    }
matter-outcome =
    .what = outcome: { $state }
    .lead = The matter that you took in is { $state }, since { $at }.

promise-answer = an answer
promise-routing = handing over to the unit concerned
promise-resolution = the solution
promise-progress = word on how it stands
promise-callback = the callback
promise-visit = the visit
promise-patrol = the patrol
promise-review = the review of the report
promise-permit = the return of the permit to work
promise-supervisor = the supervisor's decision

matter-complaint = Complaint
matter-request = Request
matter-defect = Defect
matter-promise = Promise
matter-visit = Visit
matter-patrol = Patrol

matter-state-open = open
matter-state-answered = taken up
matter-state-resolved = solved
matter-state-closed = closed
matter-state-closed_unconfirmed = closed unconfirmed
matter-state-cancelled = cancelled

label-matter = Matter
label-class = Class
label-opened = Since
label-number = Number

## A kind or mark that this file does not know yet.

other-notice =
    .what = { $kind } { $mark }, due { $due_short }
    .lead = { $kind } { $mark }: due { $due }; { $balance }.

## A step of the ladder: nobody took the alert. $what and $lead are those of the alert, $span is how long ago it was.

# $what $lead $span
again =
    .what = not taken: { $what }
    .lead = Nobody has taken this for { $span }. { $lead }

## A text of the desk's own that sounds the same whether it is news or not, where it is not. $text: that text.

# $text
learnt-late =
    .what = learnt late: { $text }
    .lead = This became known late. { $text }

## What waited for the end of quiet hours. $promise what is owed, $marks what happened, in order.

# $promise $marks
night =
    .what = overnight, { $promise }: { $marks }
    .lead = This waited for the end of your quiet hours. { $promise }: { $marks }.
# $at $percent
night-warning = { $percent } % used { $at }
night-missed = missed { $at }
night-met_late = done late { $at }
night-corrected = corrected { $at }
night-met = done { $at }
night-cancelled = owed no longer

owed-restoration = restoration
owed-feedback = feedback
owed-repair = repair
owed-callback = callback
owed-supervisor = the supervisor's decision
owed-answer = an answer

for-duty = You receive this because you are on duty.
for-owner = You receive this because the matter is yours.
for-supervisor = You receive this as a supervisor.
for-desk = The desk receives this.
label-take = I take this

## The frame.

# $tier $customer $line $what
subject = [{ $tier }] { $customer } { $line }: { $what }
# $over (yes | no) $span
balance = { $over ->
    [yes] { $span } over
   *[no] { $span } left
}
# $count $faults
digest-subject = { $count } alerts about { $faults ->
    [one] 1 fault
   *[other] { $faults } faults
}
# $count $limit
digest-lead = More than { $limit } messages within a minute were due to this address, so these { $count } alerts come together.
# $count $faults $cause
storm-subject = { $cause }: { $count } alerts about { $faults ->
    [one] 1 fault
   *[other] { $faults } faults
}
# $count $cause
storm-lead = { $cause }: these { $count } alerts have their cause in common and came at once, so they come together.
# $name
for-manager = You receive this as the account manager ({ $name }).
# $name
for-first-receiver = You receive this because you took the matter in ({ $name }).
for-superior = You receive this because matters of this class are reported upwards.
for-nobody = You receive this as the account manager.

label-customer = Customer
label-line = Line
label-site = Site
label-upstream = Upstream node
# $node $lines
upstream-lines = { $node }, { $lines } lines down together
label-tier = Tier
label-state = State
label-started = Fault since
label-due = Due
label-reported = Reported by the customer
label-fault = Fault
label-done = Done so far
label-link = Open the fault
nothing-done = Nothing yet.
reported-yes = yes
reported-no = no, found by monitoring

## Spans. $d days, $h hours, $m minutes, $s seconds

span-days = { $d } d { $h } h
span-days-only = { $d } d
span-hours = { $h } h { $m } min
span-hours-only = { $h } h
span-minutes = { $m } min
span-seconds = { $s } s

## States of a fault.

state-suspected = suspected
state-open = open
state-acknowledged = acknowledged
state-dispatched = dispatched
state-restored = restored
state-repaired = repaired
state-confirmed = confirmed
state-reopened = reopened
state-closed = closed
state-closed_unconfirmed = closed unconfirmed
state-withdrawn = withdrawn

## What was done.

done-down = line down
done-up = line up
done-unknown = line state unknown
done-reported = reported
done-suspected = agent fell silent
done-cleared = suspicion cleared
done-acknowledged = acknowledged
done-dispatched = dispatched
done-arrived = on site
done-restored = restored
done-repaired = repaired
done-feedback = feedback: customer told
done-feedback_not_reached = feedback tried, customer not reached
done-callback = callback
done-callback_not_reached = callback tried, customer not reached
done-callback_satisfied = callback: customer satisfied
done-callback_unsatisfied = callback: customer not satisfied
done-reopened = reopened
done-paused = paused
done-resumed = resumed
done-exempted = exempted
done-degraded = line degraded
done-closed_unconfirmed = closed by a supervisor
done-merged = merged with another fault
done-split = reports taken out
done-opened = taken in
done-answered = taken up
done-agreed = the customer agreed to wait
done-routed = handed to the unit concerned
done-told = word to the customer
done-postponed = put off
done-reclassed = another class
done-raised = raised a level
done-assigned = another owner
done-repeated = the customer complained again
done-noticed = rectification notice
done-resolved = solved
done-inspected = second inspection
done-signed = signed by the customer
done-planned = planned
done-made = made
done-reviewed = report reviewed
done-cancelled = cancelled
done-note = note

## The day's list. $counts: how many items, in words.

# $day $counts
day-subject = Day's list { $day }: { $counts }
# $as_of
day-lead = What you answer for and is not finished, as of { $as_of }. Nothing is left overnight unseen.
day-lead-whole = Everything that is not finished, by owner, as of { $as_of }.
# $open $overdue $untouched $word_owed
day-counts = { $open } open, { $overdue } overdue, { $untouched } untouched for a day, { $word_owed } owed a word today
# $name $counts
day-owner = { $name }: { $counts }
day-nobody = Nobody's
# $name
day-not-mailed = { $name } (no mail address known)
# $name $until
day-stand-in = For { $name }, away until { $until }, for whom you stand in
day-away = { $name } (away until { $until })
day-fault = Fault
# $kind $about $state $since
day-item = { $kind } { $about }, { $state }, since { $since }
# $count
day-overdue = { $count ->
    [one] 1 promise overdue
   *[other] { $count } promises overdue
}
# $due
day-due = next due { $due }
day-untouched = untouched for a day
day-word-owed = the customer is owed a word today
day-between = {"; "}
# $month $due
notice-plans_missing = Key customers have no approved plan for { $month }; it was due { $due }. GET /api/v1/customers/without-plan lists them.
notice-rota_missing = There is no approved duty rota for { $month }; it was due { $due }.
notice-summary_due = The summary of { $month } is not approved yet; it is due { $due }: read the papers of the month, then approve them.
# $month $due: the agent, and since when
notice-agent_silent = The agent { $month } has been silent since { $due }: nobody watches its lines.
# $month $due: the agent, and when
notice-agent_back = The agent { $month } was heard again { $due }: its lines are watched.
# $count
day-left-out = { $count } more are on the list itself.
day-link = Open the board:

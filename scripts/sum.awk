# Adds up what cargo test, node --test and vitest report about themselves. `broken` is the number of
# parts that ended with an error. The exit code is 1 if anything failed or nothing was run.
{ gsub(/\033\[[0-9;]*m/, "") }

# test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s
/^test result: / {
    for (i = 2; i <= NF; i++) {
        if ($i ~ /^passed/) passed += $(i - 1)
        if ($i ~ /^failed/) failed += $(i - 1)
        if ($i ~ /^ignored/) ignored += $(i - 1)
    }
}

# # pass 5      or      ℹ pass 5
$1 == "#" || $1 == "ℹ" {
    if (NF == 3 && $2 == "pass") passed += $3
    if (NF == 3 && ($2 == "fail" || $2 == "cancelled")) failed += $3
    if (NF == 3 && ($2 == "skipped" || $2 == "todo")) ignored += $3
}

#       Tests  1 failed | 29 passed | 2 skipped (32)
$1 == "Tests" && /\([0-9]+\)$/ {
    for (i = 2; i <= NF; i++) {
        if ($i == "passed") passed += $(i - 1)
        if ($i == "failed") failed += $(i - 1)
        if ($i == "skipped" || $i == "todo") ignored += $(i - 1)
    }
}

END {
    line = sprintf("%d passed, %d failed, %d ignored", passed, failed, ignored)
    if (broken) line = line sprintf("; %d of the parts ended with an error", broken)
    print line
    exit (failed || broken || !passed) ? 1 : 0
}
